"""Labels by the day they came, and how right those turned out that people decided about."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from labeling.domain.boards import Board
from labeling.domain.statistics.diagnostics import ErrorKind
from labeling.domain.statistics.intervals import Proportion
from labeling.models import Project
from labeling.selectors.boards import Side, read, sides

SHOWN = 60
"""Days, or weeks where there are more days, that the page shows: the latest."""

FEWEST = 30


@dataclass(frozen=True, slots=True)
class Period:
    """A day or week. `right`: of the verdicts that came then and that people decided about."""

    begins: str
    ends: str
    verdicts: int
    right: Proportion

    @property
    def span(self) -> str:
        """Return its days as the list of solutions takes them."""
        return f"{self.begins}..{self.ends}"


@dataclass(frozen=True, slots=True)
class Course:
    """One side over time, oldest period first."""

    side: Side
    periods: tuple[Period, ...]

    @property
    def most(self) -> int:
        """Return the verdicts of the fullest period."""
        return max(period.verdicts for period in self.periods)

    @property
    def width(self) -> int:
        """Return for how many periods a drawing has room: a single day is no wall."""
        return max(len(self.periods), FEWEST)


@dataclass(frozen=True, slots=True)
class History:
    """All sides, over the same periods."""

    courses: tuple[Course, ...]
    weekly: bool


def history(project: Project) -> History:
    """Return how many verdicts came when, by side, and how right they were."""
    counted = read(project, Board.DAYS)
    weekly = len({day for _, day, _ in counted}) > SHOWN
    found = (_course(side, counted, weekly) for side in sides(project, gold=False))
    return History(tuple(course for course in found if course.periods), weekly)


def _course(side: Side, counted: Mapping[tuple[str, ...], int], weekly: bool) -> Course:
    periods: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (labeler, day, kind), n in counted.items():
        if labeler in side.labelers:
            periods[_begin(day) if weekly else day][kind] += n
    latest = sorted(periods.items())[-SHOWN:]
    return Course(side, tuple(_period(begins, kinds, weekly) for begins, kinds in latest))


def _period(begins: str, kinds: Counter[str], weekly: bool) -> Period:
    checked = kinds.total() - kinds["unchecked"]
    ends = date.fromisoformat(begins) + timedelta(days=6 if weekly else 0)
    return Period(
        begins, ends.isoformat(), kinds.total(), Proportion(kinds[str(ErrorKind.RIGHT)], checked)
    )


def _begin(day: str) -> str:
    """Return the Monday of the day's week."""
    found = date.fromisoformat(day)
    return (found - timedelta(days=found.weekday())).isoformat()
