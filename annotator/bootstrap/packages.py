"""The virtual environments: the application's, and one of its own for vLLM's CPU server and TRL.

Apart, because vLLM pins older numpy and setuptools than the application's lock, and TRL wants newer
transformers.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from annotator.bootstrap import plan
from annotator.bootstrap.commands import Runner, progress

_STAMP = ".bootstrap-stamp"
_NETWORK_HINT = "Is the package registry reachable from here (network, proxy, disk)? "
_PROBE = {"UV_HTTP_TIMEOUT": "3", "UV_HTTP_CONNECT_TIMEOUT": "3", "UV_HTTP_RETRIES": "0"}
_PROBE_SECONDS = 8  # uv's own three for the connection, then two small pages


class Environment:
    """One virtual environment in `folder`, filled from the lock file `lock`."""

    def __init__(self, folder: Path, lock: Path) -> None:
        self.folder = folder
        self._lock = lock
        self.python = folder / "bin" / "python"

    def is_current(self) -> bool:
        """Tell whether the environment holds what lock, bootstrap, Python and place demand."""
        stamp = self.folder / _STAMP
        return (
            self.python.exists()  # false where the link's Python was uninstalled
            and stamp.exists()
            and stamp.read_text() == self._stamp()
        )

    def install_main(self) -> None:
        """Create the environment with the application's pinned packages and torch."""
        plan.check_disk(shutil.disk_usage(self.folder.parent).free, plan.MAIN_BYTES)
        if not self._is_usable():
            with progress(f"Python environment {self.folder.name}"):
                _create(self.folder)
        runner = self._runner()
        with progress("uv"):
            pinned = self.folder / "uv.txt"
            pinned.write_text(plan.requirement(self._lock.read_text(), "uv"))
            command = [str(self.python), "-m", "pip", "install", "--quiet", "--require-hashes"]
            runner.run([*command, "-r", str(pinned)], hint=_NETWORK_HINT)
        with progress("packages"):
            # complete by itself, but for torch, which some of the packages need
            pinned_all = ["--require-hashes", "--no-deps", "-r", str(self._lock)]
            self._install(runner, self.folder, *pinned_all)
        with progress(f"torch {plan.TORCH}"):
            self._install(runner, self.folder, *self._torch(runner, self.folder))
        self._put_stamp()

    def install_apart(self, main: Environment, title: str, size: int) -> None:
        """Create an environment of `size` bytes beside the main one, by means of its uv."""
        plan.check_disk(shutil.disk_usage(self.folder.parent).free, size)
        runner = main._runner()
        if not self._is_usable():
            with progress(f"Python environment {self.folder.name}"):
                uv = [str(main.folder / "bin" / "uv"), "venv", "--quiet", "--clear"]
                runner.run([*uv, "--python", str(main.python), str(self.folder)])
        with progress(title):
            # complete by itself, and without the builds that depend on the machine
            pinned = ["--require-hashes", "--no-deps", "-r", str(self._lock)]
            main._install(runner, self.folder, *pinned)
            main._install(runner, self.folder, *main._torch(runner, self.folder))
        self._put_stamp()

    def _is_usable(self) -> bool:
        """Tell whether the folder holds a working environment made at this very place."""
        settings = self.folder / "pyvenv.cfg"
        if not settings.exists() or not self.python.exists():
            return False
        version = "{}.{}".format(*sys.version_info)
        activate = self.folder / "bin" / "activate"
        return (
            f"version = {version}" in settings.read_text().replace("version_info", "version")
            and str(self.folder) in activate.read_text()
        )

    def _install(self, runner: Runner, target: Path, *what: str) -> None:
        uv = [str(self.folder / "bin" / "uv"), "pip", "install", "--compile-bytecode"]
        python = str(target / "bin" / "python")
        runner.run([*uv, "--python", python, *what], hint=_NETWORK_HINT)

    def _torch(self, runner: Runner, target: Path) -> list[str]:
        """Return the requirement and the source of torch's build for this machine."""
        wanted = f"torch=={plan.TORCH}"
        if not plan.needs_cpu_index(_linked_files(self._uv_variables()), machine()):
            return [wanted]
        from_index = ["--torch-backend", "cpu", wanted]
        dry = [str(self.folder / "bin" / "uv"), "pip", "install", "--dry-run", "--no-deps"]
        python = ["--python", str(target / "bin" / "python")]
        reachable = runner.succeeds(
            [*dry, *python, "--reinstall", *from_index], seconds=_PROBE_SECONDS, **_PROBE
        )
        return from_index if reachable else [wanted]

    def _runner(self) -> Runner:
        return Runner(self.folder / "bootstrap.log", self._uv_variables())

    def _uv_variables(self) -> dict[str, str]:
        listing = subprocess.run(
            [str(self.python), "-m", "pip", "config", "list"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        variables = plan.uv_environment(listing)
        return {name: value for name, value in variables.items() if name not in os.environ}

    def _stamp(self) -> str:
        sources = sorted(Path(__file__).parent.glob("*.py"))
        facts = f"{sys.version_info[:2]} {self.folder}"
        return plan.stamp(
            self._lock.read_bytes(), facts.encode(), *(source.read_bytes() for source in sources)
        )

    def _put_stamp(self) -> None:
        (self.folder / _STAMP).write_text(self._stamp())


def machine() -> plan.Machine:
    """Describe the machine that this runs on."""
    return plan.Machine(
        python=(sys.version_info[0], sys.version_info[1]),
        system=platform.system(),
        processor=platform.machine(),
        has_gpu=shutil.which("nvidia-smi") is not None,
    )


def _create(folder: Path) -> None:
    try:
        venv.EnvBuilder(clear=True, with_pip=True, symlinks=True).create(folder)
    except (subprocess.CalledProcessError, ImportError) as error:
        raise plan.BootstrapError(
            "this Python cannot make environments (Debian: apt-get install python3-venv)"
        ) from error


def _linked_files(variables: dict[str, str]) -> list[str]:
    """Return the file names in pip's local find-links folders."""
    links = os.environ.get("UV_FIND_LINKS", variables.get("UV_FIND_LINKS", "")).split(",")
    folders = [Path(link.removeprefix("file://")) for link in links if link]
    return [file.name for folder in folders if folder.is_dir() for file in folder.iterdir()]
