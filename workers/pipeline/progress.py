"""Progress on the terminal: bars for people, plain lines where the output is no terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

BAR_COLUMNS = 74
"""Columns that a bar's line takes; its note gets the rest of the terminal."""

LINE_EVERY = 10.0
"""Seconds between two plain lines of one bar."""


class Bar:
    """One bar: `show(done, total)`; done twice as often costs nothing."""

    def __init__(self, terminal: Terminal, title: str, progress: Progress | None) -> None:
        self._terminal, self._title, self._progress = terminal, title, progress
        self._task = progress.add_task(title, total=None, note="") if progress else None
        self._started = self._said = time.monotonic()
        self._last = (-1, -1)
        self._first = -1

    def show(self, done: int, total: int, note: str = "") -> None:
        """Show the state; `note` follows the numbers. What was done before counts for no rate."""
        self._first = done if self._first < 0 else self._first
        if self._progress is not None and self._task is not None:
            room = max(0, self._terminal.console.width - BAR_COLUMNS)
            self._progress.update(self._task, completed=done, total=total, note=note[:room])
            return
        now = time.monotonic()
        finished = done == total and self._last != (done, total)
        if finished or (now - self._said >= LINE_EVERY and self._last != (done, total)):
            self._terminal.say(
                f"  {self._title}: {done}/{total}{self._rate(done, now)} {note}".rstrip()
            )
            self._said, self._last = now, (done, total)

    def _rate(self, done: int, now: float) -> str:
        """Say how many a second; over less than a second the figure would mean nothing."""
        seconds = now - self._started
        return f" ({(done - self._first) / seconds:.1f}/s)" if seconds >= 1 else ""


class Terminal:
    """Where the main job speaks. `quiet` leaves only what must be seen."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.console = Console(stderr=quiet, highlight=False)

    def say(self, text: str) -> None:
        """Print a line as it is; data in it is no markup."""
        self.console.print(text, markup=False)

    def title(self, text: str) -> None:
        """Print the name of a stage."""
        self.console.print(text, style="bold", markup=False)

    def warn(self, text: str) -> None:
        """Print what did not work and what to do."""
        self.console.print(f"! {text}", style="yellow", markup=False)

    @contextmanager
    def bars(self, *titles: str) -> Iterator[list[Bar]]:
        """Show one bar per title while the block runs."""
        if not self.console.is_terminal:
            yield [Bar(self, title, None) for title in titles]
            return
        columns = (
            TextColumn("  {task.description:<14}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Progress(*columns, console=self.console) as progress:
            yield [Bar(self, title, progress) for title in titles]
