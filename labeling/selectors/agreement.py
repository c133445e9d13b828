"""The agreement pages: every pair of labelers at a glance, one pair in full, the annotators."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from labeling.domain.labels import NO_ERROR, LabelerKind
from labeling.domain.statistics.agreement import Agreement, compare
from labeling.domain.statistics.annotators import AnnotatorModel, dawid_skene
from labeling.domain.statistics.bootstrap import Resampling
from labeling.domain.statistics.confusion import has_error
from labeling.domain.statistics.intervals import Proportion
from labeling.domain.statistics.measures import (
    FirstErrorAgreement,
    GroupAgreement,
    StepAgreement,
    first_error_agreement,
    group_agreement,
    step_agreement,
)
from labeling.domain.statistics.ratings import Ratings
from labeling.domain.statistics.undefined import Statistic, Undefined
from labeling.models import Labeler, Project
from labeling.selectors.boards import Pair, Side, pairs, sides, steps, votes

HOW = Resampling(seed=2501_07301)
"""One seed: the same counts give the same intervals on every view."""

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
        first_errors=first_error_agreement(pair.first_errors, HOW, pair.refuted),
        by_step=step_agreement(by_step, HOW),
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
    """One annotator by Dawid and Skene's model. `finds`: says "error" of what has one, `passes`:
    "no error" of what has none.
    """

    name: str
    votes: int
    accuracy: float
    finds: Statistic
    passes: Statistic


@dataclass(frozen=True, slots=True)
class People:
    """The annotators among themselves. `model`: by annotator, or why there is none; `differ`:
    solutions of which the model says something else than the majority.
    """

    first_errors: GroupAgreement
    errors: GroupAgreement
    model: tuple[Modeled, ...] | Undefined
    differ: int


def people(project: Project) -> People:
    """Return the agreement of annotators who labeled the same solutions."""
    by_first, by_error = votes(project, int), votes(project, has_error)
    after = 1 + max((said for v in by_first for _, said in v), default=NO_ERROR)
    ranked = Ratings(_profiles(by_first.items(), after))
    model = dawid_skene(by_error)
    return People(
        first_errors=group_agreement(ranked, HOW),
        errors=group_agreement(Ratings(_profiles(by_error.items())), HOW),
        model=model if isinstance(model, Undefined) else _modeled(project, model),
        differ=0 if isinstance(model, Undefined) else _differ(model),
    )


def _differ(model: AnnotatorModel) -> int:
    return sum(one.items for one in model.items if one.majority not in (None, one.label))


def _modeled(project: Project, model: AnnotatorModel) -> tuple[Modeled, ...]:
    rows = Labeler.objects.filter(project=project, kind=LabelerKind.HUMAN)
    names = {str(pk): name for pk, name in rows.values_list("pk", "name")}
    return tuple(
        Modeled(
            name=names.get(row.name, row.name),
            votes=row.votes,
            accuracy=row.accuracy,
            finds=row.confusion.get((1, 1), Undefined.NEVER_SEEN),
            passes=row.confusion.get((0, 0), Undefined.NEVER_SEEN),
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
