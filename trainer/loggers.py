"""Where a run's figures go: one small interface, and those who keep it.

A run always writes its own JSONL (`StepLog`), from which it also resumes. TensorBoard and
Weights & Biases take part where they are wished for and installed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, TextIO
from uuid import uuid4

from trainer.config import Progress, TrainError

NOT_FIGURES = frozenset({"iteration", "iterations"})


class Logger(Protocol):
    """Take a run's figures, a step at a time."""

    def log(self, step: Progress) -> None:
        """Take one finished optimizer step."""
        ...

    def close(self) -> None:
        """Write what is not written yet."""
        ...


class StepLog:
    """A JSON line per optimizer step, cut back to the checkpoint's step where a run resumes."""

    def __init__(self, path: Path, done: int) -> None:
        """Open the log behind its first `done` lines; raise `TrainError` where it has fewer."""
        lines = path.read_text(encoding="utf-8").splitlines()[:done] if path.is_file() else []
        if len(lines) < done:
            raise TrainError(f"{path} is shorter than the checkpoint beside it")
        partial = path.with_suffix(".partial")  # a kill must not leave fewer lines than `done`
        with partial.open("w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)
            _settle(file)
        os.replace(partial, path)
        self.losses: list[float] = [json.loads(line)["loss"] for line in lines]
        self._file = path.open("a", encoding="utf-8")

    def log(self, step: Progress) -> None:
        """See Logger."""
        self.losses.append(step.loss)
        self._file.write(json.dumps(asdict(step)) + "\n")

    def flush(self) -> None:
        """Let the file, on disk, reach as far as the run has come."""
        _settle(self._file)

    def close(self) -> None:
        """See Logger."""
        self._file.close()


def _settle(file: TextIO) -> None:
    file.flush()
    os.fsync(file.fileno())


class Unwritten:
    """The losses alone: what a process keeps that does not speak for the run."""

    def __init__(self) -> None:
        self.losses: list[float] = []

    def log(self, step: Progress) -> None:
        """See Logger."""
        self.losses.append(step.loss)

    def flush(self) -> None:
        """There is nothing to write."""

    def close(self) -> None:
        """See Logger."""


class TensorBoard:
    """Event files in `folder`, for `tensorboard --logdir`."""

    def __init__(self, folder: Path, settings: Mapping[str, object], done: int) -> None:
        """Go on behind step `done`: what a killed run wrote further is hidden."""
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder), purge_step=done + 1)
        self._writer.add_text("settings", _table(settings), done)

    def log(self, step: Progress) -> None:
        """See Logger."""
        for name, value in figures(step).items():
            self._writer.add_scalar(f"train/{name}", value, step.iteration)

    def close(self) -> None:
        """See Logger."""
        self._writer.close()


class WeightsAndBiases:
    """A run of Weights & Biases; WANDB_MODE, WANDB_PROJECT and WANDB_API_KEY say where to."""

    def __init__(self, folder: Path, settings: Mapping[str, object], done: int) -> None:
        """Begin a run, or go on with the one that began in `folder`."""
        import wandb

        folder.mkdir(exist_ok=True)
        name = folder / "run-id"
        if not (done and name.is_file()):
            name.write_text(uuid4().hex[:8], encoding="utf-8")
        self._run: Any = wandb.init(
            id=name.read_text(encoding="utf-8"),
            resume="allow",
            dir=str(folder),
            config=dict(settings),
        )

    def log(self, step: Progress) -> None:
        """See Logger."""
        self._run.log(figures(step), step=step.iteration)

    def close(self) -> None:
        """See Logger."""
        self._run.finish()


class Called:
    """A callback as a logger."""

    def __init__(self, callback: Callable[[Progress], None]) -> None:
        self.log = callback

    def close(self) -> None:
        """See Logger."""


KINDS: Mapping[str, Callable[[Path, Mapping[str, object], int], Logger]] = {
    "tensorboard": TensorBoard,
    "wandb": WeightsAndBiases,
}


def check(names: Sequence[str]) -> None:
    """Raise `TrainError` for a logger that does not exist or is not installed."""
    for name in names:
        if name not in KINDS:
            raise TrainError(f"log {name!r} is none of {', '.join(KINDS)}")
        if find_spec(name) is None:
            raise TrainError(f"{name} is not installed: pip install 'annotator[{name}]'")


@contextmanager
def opened(
    names: Sequence[str], out: Path, settings: Mapping[str, object], done: int
) -> Iterator[list[Logger]]:
    """Yield the loggers of these names, each with a folder in `out`, and close them at the end."""
    with ExitStack() as stack:
        loggers = []
        for name in names:
            loggers.append(KINDS[name](out / name, settings, done))
            stack.callback(loggers[-1].close)
        yield loggers


def figures(step: Progress) -> dict[str, float]:
    """Return a step's numbers by name, without those that it has not."""
    return {k: v for k, v in asdict(step).items() if v is not None and k not in NOT_FIGURES}


def _table(settings: Mapping[str, object]) -> str:
    rows = [f"| {name} | {value} |" for name, value in settings.items()]
    return "\n".join(["| setting | value |", "| --- | --- |", *rows])
