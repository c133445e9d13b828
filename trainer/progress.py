"""How a run shows itself: a moving bar on a terminal, plain lines everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from trainer.config import Progress

PLAIN_LINES = 20  # lines a whole run prints where no terminal is
FIRST = 3  # the step after which the time to go is worth saying


@contextmanager
def shown() -> Iterator[Callable[[Progress], None]]:
    """Yield the callback that shows training progress on stderr."""
    if sys.stderr.isatty():
        with _bar() as show:
            yield show
    else:
        yield _plain


@contextmanager
def _bar() -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.4f}  norm {task.fields[norm]:.2f}"),
        TextColumn("wrong {task.fields[wrong]:.0%}  rate {task.fields[rate]:.1e}"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        unknown = float("nan")
        fields: dict[str, Any] = {
            "loss": unknown,
            "norm": unknown,
            "wrong": unknown,
            "rate": unknown,
        }
        task = bar.add_task("training", total=None, **fields)

        def show(step: Progress) -> None:
            bar.update(
                task,
                completed=step.iteration,
                total=step.iterations,
                loss=step.loss,
                norm=step.grad_norm,
                wrong=step.wrong_share,
                rate=step.learning_rate,
            )
            if step.held_out_loss is not None:
                bar.console.print(held_out(step), highlight=False)

        yield show


def _plain(step: Progress) -> None:
    every = max(1, step.iterations // PLAIN_LINES)
    if step.iteration % every == 0 or step.iteration in (FIRST, step.iterations):
        sys.stderr.write(
            f"step {step.iteration}/{step.iterations}  loss {step.loss:.4f}  "
            f"norm {step.grad_norm:.2f}  wrong {step.wrong_share:.0%}  "
            f"rate {step.learning_rate:.2e}  {step.seconds:.0f} s, {step.remaining:.0f} s to go\n"
        )
    if step.held_out_loss is not None:
        sys.stderr.write(held_out(step) + "\n")
    sys.stderr.flush()


def held_out(step: Progress) -> str:
    """Return a step's held-out figures in words."""
    f1 = "" if step.held_out_f1 is None else f", F1 {step.held_out_f1:.1%}"
    return f"held out, step {step.iteration}: loss {step.held_out_loss:.4f}{f1}"
