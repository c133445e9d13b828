"""A whole folder in the place of another: no rename does that at once, as it does for files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

SUFFIXES = (".pt", ".partial", ".old")
"""Of what a team saves: whole, being written, and outlived."""


def replace(partial: Path, path: Path) -> None:
    """Let `partial` become `path`; a kill at any moment leaves what `recover` makes whole."""
    old = path.with_suffix(".old")
    if path.exists():
        remove(old)  # what an earlier kill left, or the next rename fails
        os.replace(path, old)
    os.replace(partial, path)
    remove(old)


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
