"""The tiny checkpoint's README.md: what it is, what it saw, how good it was measured to be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

TEXT = """\
---
library_name: transformers
pipeline_tag: text-generation
license: apache-2.0
---

# A tiny model of the sample world

A Qwen2 of {parameters:,} parameters (float16), trained from random weights on chain arithmetic
modulo 10. One checkpoint serves as policy, completer, judge and backbone of process reward models,
in tests and in the sample project. It knows nothing else.

**It saw synthetic truth.** What is right and wrong in its training documents was computed by
`demo.world`; nobody labeled it. Three helping heads (thrown away) were trained on the same truth,
one of them on whether a line is wrong. So a process reward model that starts from this checkpoint
does not learn to verify from its labels alone: it starts where a pretrained LLM would, able to.
Its students slip on purpose: the errors it makes at temperature 1 were in its documents.

| | |
| --- | --- |
| command | `python -m demo.train_tiny --iterations {iterations} --seed {seed}` |
| minutes | {minutes:.1f} (one CPU thread of a shared machine) |
| torch | {torch} |

## Prompts

Solve (template "plain"), with or without first steps, each followed by a blank line:

    Problem: 9 + 4 * 5?

    Step 1: 9 + 4 = 3

It goes on to the Answer line and ends there with `<eos>`: no stop string is needed. It ends as well
behind a blank line after the Answer.

Check (template "check"): the same with all steps, then `Check:`. It replies, greedily,
` Step 1: ok Step 2: wrong Answer: ok`; each verdict takes the lines before as given.

## Measured

{solutions} problems drawn independently of training, one solution each by plain
sampling at temperature 1,
against the known truth; short chains may have occurred in training too (`python -m demo.measure`):

| | |
| --- | --- |
| right answers, greedy | {greedy_right_answers:.3f} |
| wrong lines, share of all lines | {errors_per_step:.3f} |
| wrong final answers | {wrong_answers:.3f} |
| of the right answers, those with a wrong line | {right_answers_with_wrong_step:.3f} |
| broken off or unreadable | {broken_off_or_unreadable:.3f} |

| first error | exact | late | missed | early | false alarm | unreadable |
| --- | --- | --- | --- | --- | --- | --- |
{rows}

The consensus keeps {retention:.3f} of the solutions; its row speaks of those.
"""
ROWS = {
    "judge": "judge, greedy",
    "monte_carlo": "Monte Carlo, 8 completions",
    "consensus": "consensus",
}
COLUMNS = ("exact", "late", "missed", "early", "false_alarm", "unreadable")


def write(
    directory: Path,
    *,
    parameters: int,
    iterations: int,
    seed: int,
    minutes: float,
    measured: Mapping[str, Any],
) -> None:
    """Write README.md into the checkpoint's directory; `measured` is demo.measure's result."""
    import torch

    rows = "\n".join(
        f"| {title} | " + " | ".join(f"{measured[name][c]:.3f}" for c in COLUMNS) + " |"
        for name, title in ROWS.items()
    )
    text = TEXT.format(
        parameters=parameters,
        iterations=iterations,
        seed=seed,
        minutes=minutes,
        torch=torch.__version__,
        rows=rows,
        retention=measured["consensus"]["retention"],
        **measured,
    )
    (directory / "README.md").write_text(text, encoding="utf-8")
