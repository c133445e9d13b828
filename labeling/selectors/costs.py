"""What a project has cost: by run, by labeler, by day. Sums of triggers (DayTally), no verdicts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from django.db.models import Sum

from labeling.domain.boards import Board
from labeling.domain.consensus import DecisionState
from labeling.domain.costs import Prices
from labeling.domain.labels import LabelerKind
from labeling.domain.spending import Each, Spending, each, total
from labeling.models import DayTally, Labeler, Project, Run
from labeling.selectors.boards import read
from labeling.selectors.run_rows import generation_name, prices_of

SHOWN = 60
"""Days that the page shows one by one; of more it shows weeks."""

FEWEST = 30

_SUMS = ("items", "completions", "prompt_tokens", "completion_tokens", "seconds")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the page is narrowed to: the first day, one run, one labeler, by uid."""

    since: date | None = None
    run: str = ""
    labeler: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What one run spent on one day for one labeler; `run` None: verdicts that no run paid."""

    run: Run | None
    labeler: Labeler | None
    day: date
    spent: Spending

    @property
    def kind(self) -> LabelerKind | None:
        """Return the labeler's kind."""
        return LabelerKind(self.labeler.kind) if self.labeler else None

    @property
    def name(self) -> str:
        """Return the labeler's name, or what generation calls its solutions."""
        if self.labeler:
            return self.labeler.name
        return generation_name(self.run.config) if self.run else ""


@dataclass(frozen=True, slots=True)
class Line:
    """All entries of one run, labeler or day. `first` says which one."""

    first: Entry
    spent: Spending


@dataclass(frozen=True, slots=True)
class Period:
    """A day, or a week by its Monday. `height`: of 100, by money or, without prices, by tokens."""

    begins: date
    spent: Spending
    height: float

    @property
    def above(self) -> float:
        """Return what the drawing leaves free above the column."""
        return 100 - self.height


@dataclass(frozen=True)
class Costs:
    """The page's numbers. `decided`, `consensus`: how many labels all of it led to."""

    entries: tuple[Entry, ...]
    decided: int
    consensus: int
    people_seconds: float

    @cached_property
    def spent(self) -> Spending:
        """Return the sum of everything shown."""
        return total(entry.spent for entry in self.entries)

    @cached_property
    def per_decided(self) -> Each:
        """Return what one decided solution cost."""
        return each(self.spent, self.decided)

    @cached_property
    def per_consensus(self) -> Each:
        """Return what one consensus label cost."""
        return each(self.spent, self.consensus)

    @cached_property
    def runs(self) -> list[Line]:
        """Return what each run spent, the newest first."""
        found = _lines(entry for entry in self.entries if entry.run)
        return sorted(found, key=lambda line: -(line.first.run.pk if line.first.run else 0))

    @cached_property
    def labelers(self) -> list[Line]:
        """Return what each labeler spent over all its runs, dearest in tokens first."""
        found = _lines((entry for entry in self.entries if entry.labeler), by="labeler")
        return sorted(found, key=lambda line: -line.spent.tokens)

    @cached_property
    def weekly(self) -> bool:
        """Whether periods are weeks."""
        return len({entry.day for entry in self.entries}) > SHOWN

    @cached_property
    def periods(self) -> list[Period]:
        """Return the latest days or weeks on which anything was spent, oldest first."""
        found: defaultdict[date, Spending] = defaultdict(Spending)
        for entry in self.entries:
            back = timedelta(days=entry.day.weekday() if self.weekly else 0)
            found[entry.day - back] += entry.spent
        latest = sorted(found.items())[-SHOWN:]
        tall = [self._size(spent) for _, spent in latest]
        most = max(tall, default=0) or 1
        return [
            Period(day, spent, 100 * size / most)
            for (day, spent), size in zip(latest, tall, strict=True)
        ]

    @property
    def width(self) -> int:
        """Return for how many periods the drawing has room: a single day is no wall."""
        return max(len(self.periods), FEWEST)

    @cached_property
    def currency(self) -> str:
        """Return the currency of all that has a price; empty with none or several."""
        return next(iter(self.spent.money)) if len(self.spent.money) == 1 else ""

    def _size(self, spent: Spending) -> float:
        return spent.money.get(self.currency, 0.0) if self.currency else float(spent.tokens)


def costs(project: Project, wanted: Wanted) -> Costs:
    """Return what the project has cost, as far as the wanted days, run and labeler go."""
    states = read(project, Board.FLOW)
    consensus = sum(n for (state, *_), n in states.items() if state == DecisionState.CONSENSUS)
    settled = sum(n for (state, *_), n in states.items() if state == DecisionState.ADJUDICATED)
    return Costs(
        entries=tuple(_entries(project, wanted)),
        decided=consensus + settled,
        consensus=consensus,
        people_seconds=_people_seconds(project),
    )


def _entries(project: Project, wanted: Wanted) -> Iterator[Entry]:
    rows = DayTally.objects.filter(project=project)
    if wanted.since:
        rows = rows.filter(day__gte=wanted.since)
    if wanted.run:
        rows = rows.filter(run__uid=wanted.run)
    if wanted.labeler:
        rows = rows.filter(labeler__uid=wanted.labeler)
    sums = rows.values_list("run", "labeler", "day").annotate(*map(Sum, _SUMS)).order_by("day")
    found = list(sums)
    runs = _by_pk(Run.objects.select_related("engine"), (row[0] for row in found))
    labelers = _by_pk(Labeler.objects.all(), (row[1] for row in found))
    for run, labeler, day, *amounts in found:
        prices = prices_of(runs[run].engine) if run and runs[run].engine else Prices()
        yield Entry(runs.get(run), labelers.get(labeler), day, Spending(*amounts).priced(prices))


def _by_pk(rows: Any, keys: Iterable[int | None]) -> dict[int | None, Any]:
    return dict(rows.in_bulk({key for key in keys if key}))


def _lines(entries: Iterable[Entry], by: str = "run") -> list[Line]:
    found: defaultdict[Any, list[Entry]] = defaultdict(list)
    for entry in entries:
        found[getattr(entry, by).pk].append(entry)
    return [Line(some[0], total(entry.spent for entry in some)) for some in found.values()]


def _people_seconds(project: Project) -> float:
    people = Labeler.objects.filter(
        project=project, kind__in=[LabelerKind.HUMAN, LabelerKind.ADJUDICATOR]
    )
    ids = {str(pk) for pk in people.values_list("pk", flat=True)}
    spent = read(project, Board.SPENT).items()
    return sum(n for (who, what), n in spent if who in ids and what == "milliseconds") / 1000
