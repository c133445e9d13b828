"""What no Python package brings: a browser for the tests, libnuma for vLLM's CPU build."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import tempfile
from pathlib import Path

from annotator.bootstrap.commands import Runner, progress
from annotator.bootstrap.plan import BootstrapError

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_LIBNUMA = "libnuma.so.1"
_PRELOAD = "libnuma-preload.pth"


def find_browser() -> str | None:
    """Return the browser that the tests drive: CHROMIUM, else the first one on the PATH."""
    given = os.environ.get("CHROMIUM")
    if given:
        return given if shutil.which(given) else None
    return next((path for name in _BROWSERS if (path := shutil.which(name))), None)


def provide_browser(runner: Runner) -> None:
    """Make sure that there is a browser; install Debian's as root, else say what to do."""
    if find_browser():
        return
    if os.environ.get("CHROMIUM"):
        raise BootstrapError(f"CHROMIUM={os.environ['CHROMIUM']} is no program")
    if not _can_install():
        raise BootstrapError(
            "the browser tests need Chromium: install it (Debian: apt-get install chromium) "
            "or set CHROMIUM to its path"
        )
    with progress("chromium"):
        _apt_install(runner, "chromium")


def provide_libnuma(runner: Runner, environment: Path) -> None:
    """Make sure that vLLM in `environment` finds libnuma, without root if need be."""
    if platform.system() != "Linux" or _loads(_LIBNUMA) or _preload_file(environment).exists():
        return
    with progress("libnuma"):
        if _can_install():
            _apt_install(runner, "libnuma1")
        elif shutil.which("apt-get") and shutil.which("dpkg-deb"):
            _unpack_libnuma(runner, environment)
        else:
            raise BootstrapError(
                "vLLM's CPU build needs libnuma.so.1: install it (Debian: libnuma1, "
                "Fedora: numactl-libs)"
            )


def _unpack_libnuma(runner: Runner, environment: Path) -> None:
    """Put the library into the environment, and load it when Python starts.

    Once a library of that name is in the process, the loader takes it for every later one that
    asks for it; unlike LD_LIBRARY_PATH this also holds for whoever starts the server.
    """
    with tempfile.TemporaryDirectory() as folder:
        script = 'cd "$1" && apt-get download libnuma1 && dpkg-deb -x libnuma1_*.deb .'
        runner.run(["sh", "-c", script, "sh", folder])
        found = next(Path(folder).rglob(f"{_LIBNUMA}*"))
        library = environment / "lib" / _LIBNUMA
        shutil.copyfile(found.resolve(), library)
    _preload_file(environment).write_text(
        f"import ctypes; ctypes.CDLL({str(library)!r}, mode=ctypes.RTLD_GLOBAL)\n"
    )


def _preload_file(environment: Path) -> Path:
    return next(environment.glob("lib/python3*/site-packages")) / _PRELOAD


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _can_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def _apt_install(runner: Runner, package: str) -> None:
    runner.run(["apt-get", "update"])
    runner.run(["apt-get", "install", "--yes", "--no-install-recommends", package])
