"""A folder takes the place of another; whenever a kill comes, one of both is there, and whole."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trainer import folders
from trainer.training import remove_checkpoints


class Killed(BaseException):
    pass


def written(path: Path, text: str) -> Path:
    path.mkdir(exist_ok=True)
    for name in ("one", "two"):
        (path / name).write_text(text)
    return path


def state(path: Path) -> str:
    texts = {(path / name).read_text() for name in ("one", "two")}
    assert len(texts) == 1
    return texts.pop()


def dying(monkeypatch: pytest.MonkeyPatch, calls: int) -> None:
    """Kill before a call of the file system, or (odd) half-way through removing a folder."""
    left = iter([*[False] * calls, *[True] * 100])

    def mortal(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Path, *more: Any) -> None:
            if next(left):
                raise Killed
            if real is shutil.rmtree:
                (path / "one").unlink()
                if next(left):
                    raise Killed
            real(path, *more)

        return call

    monkeypatch.setattr(folders.os, "replace", mortal(os.replace))
    monkeypatch.setattr(folders.shutil, "rmtree", mortal(shutil.rmtree))


def test_all_that_a_folder_holds_is_on_disk_before_it_is_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, partial = tmp_path / "checkpoint.pt", tmp_path / "checkpoint.partial"
    written(partial, "new")
    written(partial / "deeper", "new")
    on_disk: set[int] = set()
    real = os.replace

    def rename(one: Path, other: Path) -> None:
        wanted = {one.stat().st_ino, *(file.stat().st_ino for file in one.rglob("*"))}
        assert len(wanted) == 6
        assert wanted <= on_disk
        real(one, other)

    monkeypatch.setattr(folders.os, "fsync", lambda handle: on_disk.add(os.fstat(handle).st_ino))
    monkeypatch.setattr(folders.os, "replace", rename)
    folders.replace(partial, path)
    assert state(path) == state(path / "deeper") == "new"


def test_a_text_is_on_disk_before_it_takes_the_place_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.json"
    path.write_text("old")
    seen: list[str] = []
    monkeypatch.setattr(folders.os, "fsync", lambda _: seen.append(path.read_text()))
    folders.put_text(path, "new")
    assert (seen, path.read_text()) == (["old"], "new")
    assert [file.name for file in tmp_path.iterdir()] == ["run.json"]


@pytest.mark.parametrize("second", range(8))
@pytest.mark.parametrize("first", range(8))
def test_after_any_two_kills_the_old_or_the_new_is_whole_and_the_next_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int, second: int
) -> None:
    path, partial = tmp_path / "checkpoint.pt", tmp_path / "checkpoint.partial"
    folders.replace(written(partial, "1"), path)
    found = "1"
    for new, calls in (("2", first), ("3", second)):
        written(partial, new)
        with monkeypatch.context() as patch:
            dying(patch, calls)
            with contextlib.suppress(Killed):
                folders.replace(partial, path)
        with monkeypatch.context() as patch:
            dying(patch, calls)
            with contextlib.suppress(Killed):
                folders.recover(path)
        folders.recover(path)
        assert state(path) in (found, new)
        found = state(path)
        assert [p.name for p in tmp_path.iterdir()] == ["checkpoint.pt"]
    folders.replace(written(partial, "4"), path)
    assert state(path) == "4"


def test_a_folder_left_by_a_kill_does_not_stand_in_the_way(tmp_path: Path) -> None:
    path = written(tmp_path / "checkpoint.pt", "1")
    written(tmp_path / "checkpoint.old", "0")
    folders.replace(written(tmp_path / "checkpoint.partial", "2"), path)
    assert state(path) == "2"
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_all_that_a_run_is_resumed_from_is_removed_and_nothing_else(tmp_path: Path) -> None:
    for suffix in ("pt", "partial", "old"):
        written(tmp_path / f"checkpoint.{suffix}", "1")
        written(tmp_path / f"best-12.{suffix}", "1")
        (tmp_path / f"best-3.{suffix}").write_text("1")
    for name in ("best_of_n.svg", "best-of.pt", "run.json", "checkpoint.txt"):
        (tmp_path / name).write_text("1")
    remove_checkpoints(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "best-of.pt",
        "best_of_n.svg",
        "checkpoint.txt",
        "run.json",
    ]
