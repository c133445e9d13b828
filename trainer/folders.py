"""What replaces something whole: files, by a rename, and folders, for which no rename does it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

SUFFIXES = (".pt", ".partial", ".old")
"""Of what a team saves: whole, being written, and outlived."""


def settle(folder: Path) -> None:
    """Let all files of a folder reach the disk, whoever wrote them."""
    for place, _, names in os.walk(folder):
        for path in (*(Path(place) / name for name in names), Path(place)):
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def replace(partial: Path, path: Path) -> None:
    """Let `partial` become `path`; a kill at any moment leaves what `recover` makes whole.

    A failure of power does, too: what is renamed is on disk.
    """
    settle(partial)
    old = path.with_suffix(".old")
    if path.exists():
        remove(old)  # what an earlier kill left, or the next rename fails
        os.replace(path, old)
    os.replace(partial, path)
    remove(old)


def put_text(path: Path, text: str) -> None:
    """Write a file so that a kill or a failure of power leaves the old or the new."""
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def recover(path: Path) -> None:
    """Put back what a kill between two renames moved aside, and remove what was never whole."""
    old = path.with_suffix(".old")
    if old.exists() and not path.exists():
        os.replace(old, path)
    remove(old)
    remove(path.with_suffix(".partial"))


def remove(path: Path) -> None:
    """Remove a file or a folder, where there is one."""
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
