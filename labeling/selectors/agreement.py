"""The agreement pages: every pair of labelers at a glance, one pair in full, the annotators."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from labeling.domain.labels import NO_ERROR, LabelerKind
from labeling.domain.statistics.agreement import Agreement, compare
from labeling.domain.statistics.annotators import AnnotatorModel
from labeling.domain.statistics.confusion import has_error
from labeling.domain.statistics.intervals import Proportion
from labeling.domain.statistics.measures import (
    FirstErrorAgreement,
    GroupAgreement,
    StepAgreement,
)
from labeling.domain.statistics.undefined import Statistic, Undefined
from labeling.models import Labeler, Project
from labeling.selectors import measured
from labeling.selectors.boards import Pair, Side, pairs, sides, steps, votes

SHOWN_ERRORS = 12
"""Rows and columns of the table of first errors; later steps are put together."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Two sides at a glance. `exact`: the same first error, of all that both judged."""

    pair: Pair
    agreement: Agreement

    @property
    def exact(self) -> Proportion:
        """Return the share of solutions with the same first error."""
        return Proportion(self.pair.first_errors.same, self.compared)

    @property
    def compared(self) -> int:
        """Return how many solutions both judged."""
        return self.pair.first_errors.total + self.pair.refuted


@dataclass(frozen=True, slots=True)
class Matrix:
    """All sides that have anything in common with another; cells above the diagonal and on it."""

    sides: tuple[Side, ...]
    rows: tuple[tuple[Side, tuple[Cell | None, ...]], ...]


def matrix(project: Project, *, gold: bool) -> Matrix:
    """Return how each pair of labelers agrees, at a glance."""
    among = sides(project, gold=gold)
    found = pairs(project, among)
    shown = tuple(s for s in among if any(s.uid in ends for ends in found))
    cells = {ends: Cell(pair, compare(pair.first_errors)) for ends, pair in found.items()}
    rows = tuple((one, tuple(cells.get((one.uid, other.uid)) for other in shown)) for one in shown)
    return Matrix(shown, rows)


@dataclass(frozen=True, slots=True)
class Said:
    """One cell of the table of first errors. `one`, `other`: as filters of the list take them."""

    n: int
    one: str
    other: str
    same: bool


@dataclass(frozen=True, slots=True)
class Detail:
    """One pair in full."""

    pair: Pair
    first_errors: FirstErrorAgreement
    by_step: StepAgreement
    heads: tuple[str, ...]
    table: tuple[tuple[str, tuple[Said, ...]], ...]

    @property
    def step_heads(self) -> tuple[int, ...]:
        """Return the step labels that occur, right before wrong."""
        return self.by_step.table.categories[::-1]

    @property
    def steps(self) -> list[tuple[int, list[tuple[int, int]]]]:
        """Return how often each step label of the one meets each of the other."""
        cells = self.by_step.table.cells
        heads = self.step_heads
        return [(a, [(b, cells.get((a, b), 0)) for b in heads]) for a in heads]


def detail(project: Project, one: str, other: str, *, gold: bool) -> Detail | None:
    """Return one pair by its uids in either order; None where they have nothing in common."""
    among = sides(project, gold=gold)
    found = pairs(project, among)
    pair = found.get((one, other)) or found.get((other, one))
    if pair is None:
        return None
    by_step = steps(project, pair.one, pair.other)
    heads = _heads(pair)
    return Detail(
        pair=pair,
        first_errors=measured.first_errors(pair.first_errors, pair.refuted),
        by_step=measured.steps(by_step),
        heads=heads,
        table=_table(pair, heads),
    )


def _heads(pair: Pair) -> tuple[str, ...]:
    """Return what stands at the table's rows and columns, as the list's filters take it."""
    steps = [said for said in pair.first_errors.categories if said != NO_ERROR]
    shown = [str(said + 1) for said in steps if said < SHOWN_ERRORS]
    later = [f"{SHOWN_ERRORS + 1}+"] if len(shown) < len(steps) else []
    return ("none", *shown, *later)


def _head(first_error: int) -> str:
    if first_error == NO_ERROR:
        return "none"
    return str(first_error + 1) if first_error < SHOWN_ERRORS else f"{SHOWN_ERRORS + 1}+"


def _table(pair: Pair, heads: Sequence[str]) -> tuple[tuple[str, tuple[Said, ...]], ...]:
    counted: dict[tuple[str, str], int] = {}
    for (a, b), n in pair.first_errors.cells.items():
        ends = _head(a), _head(b)
        counted[ends] = counted.get(ends, 0) + n
    return tuple(
        (one, tuple(Said(counted.get((one, o), 0), one, o, one == o) for o in heads))
        for one in heads
    )


@dataclass(frozen=True, slots=True)
class Modeled:
    """One annotator by Dawid and Skene's model, and beside the majority.

    `confusion`: how often "error" and "no error" are said of what has one, then of what has none.
    """

    uid: str
    name: str
    votes: int
    accuracy: float
    with_majority: Proportion
    confusion: tuple[Statistic, Statistic, Statistic, Statistic]


@dataclass(frozen=True, slots=True)
class Differing:
    """Solutions with the same votes, of which the model says something else than the majority.

    `votes`: (name, has an error); `filter`: as the list of solutions takes them.
    """

    votes: tuple[tuple[str, int], ...]
    filter: str
    solutions: int
    majority: int
    label: int
    chance: float


@dataclass(frozen=True, slots=True)
class People:
    """The annotators among themselves. `model`: by annotator, or why there is none; `differing`:
    where the model says something else than the majority, most solutions first.
    """

    first_errors: GroupAgreement
    errors: GroupAgreement
    model: tuple[Modeled, ...] | Undefined
    differing: tuple[Differing, ...]

    @property
    def differ(self) -> int:
        """Return of how many solutions the model says something else than the majority."""
        return sum(row.solutions for row in self.differing)


def people(project: Project) -> People:
    """Return the agreement of annotators who labeled the same solutions."""
    by_first, by_error = votes(project, int), votes(project, has_error)
    after = 1 + max((said for v in by_first for _, said in v), default=NO_ERROR)
    model = measured.annotators(by_error)
    modeled: tuple[Modeled, ...] | Undefined
    differing: tuple[Differing, ...] = ()
    if isinstance(model, Undefined):
        modeled = model
    else:
        who = _annotators(project)
        modeled, differing = _modeled(who, model), _differing(who, model)
    return People(
        first_errors=measured.group(_profiles(by_first.items(), after)),
        errors=measured.group(_profiles(by_error.items())),
        model=modeled,
        differing=differing,
    )


def _annotators(project: Project) -> dict[str, tuple[str, str]]:
    rows = Labeler.objects.filter(project=project, kind=LabelerKind.HUMAN)
    return {str(pk): (uid, name) for pk, uid, name in rows.values_list("pk", "uid", "name")}


def _differing(who: Mapping[str, tuple[str, str]], model: AnnotatorModel) -> tuple[Differing, ...]:
    found = [
        Differing(
            votes=tuple((who[pk][1], said) for pk, said in item.votes),
            filter=" ".join(f"{who[pk][0]}={'error' if n else 'none'}" for pk, n in item.votes),
            solutions=item.items,
            majority=item.majority,
            label=item.label,
            chance=item.chance,
        )
        for item in model.items
        if item.majority not in (None, item.label) and all(pk in who for pk, _ in item.votes)
    ]
    return tuple(sorted(found, key=lambda row: -row.solutions))


def _four(
    chances: Mapping[tuple[int, int], Statistic],
) -> tuple[Statistic, Statistic, Statistic, Statistic]:
    a, b, c, d = (
        chances.get(cell, Undefined.NEVER_SEEN) for cell in ((1, 1), (1, 0), (0, 1), (0, 0))
    )
    return a, b, c, d


def _modeled(who: Mapping[str, tuple[str, str]], model: AnnotatorModel) -> tuple[Modeled, ...]:
    same, met = Counter[str](), Counter[str]()
    for item in model.items:
        for pk, said in item.votes if item.majority is not None else ():
            met[pk] += item.items
            same[pk] += item.items if said == item.majority else 0
    return tuple(
        Modeled(
            uid=who.get(row.name, ("", row.name))[0],
            name=who.get(row.name, ("", row.name))[1],
            votes=row.votes,
            accuracy=row.accuracy,
            with_majority=Proportion(same[row.name], met[row.name]),
            confusion=_four(row.confusion),
        )
        for row in model.annotators
    )


def _profiles(
    items: Iterable[tuple[tuple[tuple[str, int], ...], int]], none: int | None = None
) -> dict[tuple[int, ...], int]:
    """Return counts by sorted ratings; `none`: the rank that "no error" takes."""
    found: dict[tuple[int, ...], int] = {}
    for given, n in items:
        profile = tuple(sorted(none if none is not None and s == NO_ERROR else s for _, s in given))
        found[profile] = found.get(profile, 0) + n
    return found
