"""Math-Shepherd: one text with a tag after each step, and its twin with + and - in their place."""

from __future__ import annotations

from labeling.domain.exports.messages import MARKED
from labeling.domain.exports.rows import CUT, NotCarried, Row, Written, labeled
from labeling.domain.phrases import marked

TAG = "ки"
NUMBERED = marked("numbered: the format begins each step with “Step k:”")
NAMED = marked("the text speaks of “Step 1:” where the format cannot tell it from the beginning")


def write(row: Row, soft: bool) -> Written:  # noqa: ARG001 - the format's labels are hard
    """Write the tagged text and its twin; steps are numbered where they do not say their number."""
    kept = labeled(row)
    prompt, steps = row["prompt"].strip(), [step.strip() for step in row["steps"][:kept]]
    if any(TAG in text for text in (prompt, *steps)):
        raise NotCarried(MARKED)
    named = [
        step if step.startswith(f"Step {number}:") else f"Step {number}: {step}"
        for number, step in enumerate(steps, start=1)
    ]
    if "Step 1:" in prompt or "Step 1:" in named[0][1:]:
        raise NotCarried(NAMED)
    marks = ["+" if label == 1 else "-" for label in row["labels"][:kept]]
    made = {
        "input": f"{prompt} " + "\n".join(f"{step} {TAG}" for step in named),
        "label": f"{prompt} "
        + "\n".join(f"{step} {mark}" for step, mark in zip(named, marks, strict=True)),
        "task": row["sources"]["source"].removeprefix("Math-Shepherd/"),
    }
    cut = kept < len(row["steps"])
    return Written(made, CUT if cut else NUMBERED if named != steps else "")
