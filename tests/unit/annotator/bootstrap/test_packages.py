"""When an environment counts as current, and where torch comes from, with real folders."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from annotator.bootstrap import system
from annotator.bootstrap.commands import Runner
from annotator.bootstrap.packages import Environment
from annotator.bootstrap.plan import BootstrapError

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    lock = tmp_path / "requirements.lock"
    lock.write_text("uv==1\n")
    made = Environment(tmp_path / ".venv", lock)
    made.python.parent.mkdir(parents=True)
    made.python.symlink_to(sys.executable)
    made._put_stamp()
    return made


def test_an_environment_is_current_after_its_installation(environment: Environment) -> None:
    assert environment.is_current()


def test_a_changed_lock_makes_it_outdated(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "requirements.lock").write_text("uv==2\n")
    assert not environment.is_current()


def test_a_removed_python_makes_it_outdated(environment: Environment, tmp_path: Path) -> None:
    environment.python.unlink()
    environment.python.symlink_to(tmp_path / "uninstalled")
    assert not environment.is_current()


def test_a_moved_checkout_makes_it_outdated(environment: Environment, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    environment.folder.rename(moved)
    assert not Environment(moved, tmp_path / "requirements.lock").is_current()


def test_a_failing_command_is_reported_with_its_last_lines_and_the_log(tmp_path: Path) -> None:
    runner = Runner(tmp_path / "log", {"NAME": "value"})
    with pytest.raises(BootstrapError, match=r"value: no route\nTry again\. .*log"):
        runner.run(["sh", "-c", "echo $NAME: no route >&2; exit 1"], hint="Try again. ")
    assert "value: no route" in (tmp_path / "log").read_text()


def test_a_probe_that_hangs_counts_as_unreachable(tmp_path: Path) -> None:
    runner = Runner(tmp_path / "log", {})
    assert not runner.succeeds(["sleep", "60"], seconds=0.1)
    assert runner.succeeds(["true"], seconds=10)


def test_a_browser_named_by_the_environment_must_exist(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CHROMIUM", "/no/such/browser")
    with pytest.raises(BootstrapError, match="CHROMIUM=/no/such/browser is no program"):
        system.provide_browser(Runner(tmp_path / "log", {}))


def test_without_root_a_missing_browser_is_explained(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(BootstrapError, match=r"install it .* or set CHROMIUM"):
        system.provide_browser(Runner(tmp_path / "log", {}))


def test_the_bootstrap_imports_nothing_that_is_not_in_python_itself() -> None:
    # -I -S: no site-packages and no folder but the one that is put first
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import annotator.bootstrap.__main__, "
        "annotator.bootstrap.lock; print(sorted(n for n in sys.modules if n[:9] == 'annotator'))"
    )
    done = subprocess.run([sys.executable, "-ISc", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "annotator.bootstrap.packages" in done.stdout
    assert "annotator.settings" not in done.stdout
