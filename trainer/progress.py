"""How a run shows itself: a moving bar on a terminal, plain lines everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from trainer.config import Progress

PLAIN_LINES = 20  # lines a whole run prints where no terminal is


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
        TextColumn("loss {task.fields[loss]:.4f}"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("training", total=None, loss=float("nan"))
        yield lambda step: bar.update(
            task, completed=step.iteration, total=step.iterations, loss=step.loss
        )


def _plain(step: Progress) -> None:
    every = max(1, step.iterations // PLAIN_LINES)
    if step.iteration % every == 0 or step.iteration == step.iterations:
        sys.stderr.write(
            f"step {step.iteration}/{step.iterations}  loss {step.loss:.4f}  "
            f"rate {step.learning_rate:.2e}  {step.seconds:.0f} s\n"
        )
        sys.stderr.flush()
