"""What the list of solutions is narrowed to, as database conditions."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.expressions import Combinable

from labeling.domain.consensus import DecisionState
from labeling.domain.labels import NO_ERROR, LabelerKind, VerdictState
from labeling.domain.statistics.bands import length_of
from labeling.domain.statistics.diagnostics import ErrorKind
from labeling.models import Labeler, Project, Solution, Verdict

GROUPS = {"annotators": LabelerKind.HUMAN, "adjudicators": LabelerKind.ADJUDICATOR}
"""Names of all people of a kind, where otherwise a labeler's opaque id stands."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is narrowed to; empty strings narrow nothing. Steps count from 1."""

    state: str = ""
    mc: str = ""
    judge: str = ""
    relation: str = ""
    answer: str = ""
    split: str = ""
    gave_up: str = ""
    generator: str = ""
    source: str = ""
    length: str = ""
    one: str = ""
    one_says: str = ""
    other: str = ""
    other_says: str = ""
    stands: str = ""


def newest(project: Project) -> dict[str, Labeler]:
    """Return the newest active MC labeler and judge by kind: those that filters mean."""
    rows = Labeler.objects.filter(
        project=project, active=True, kind__in=[LabelerKind.MC, LabelerKind.JUDGE]
    )
    return {row.kind: row for row in rows.order_by("id")}


def narrowed(
    project: Project, filters: Filters, speakers: dict[str, Labeler]
) -> QuerySet[Solution]:
    """Return the project's solutions that fit the filters."""
    query = Solution.objects.filter(project=project)
    if filters.state == DecisionState.UNDECIDED:
        query = query.filter(Q(decision=None) | Q(decision__state=filters.state))
    elif filters.state:
        query = query.filter(decision__state=filters.state)
    for kind, wanted in (("mc", filters.mc), ("judge", filters.judge)):
        if wanted:
            query = query.filter(_says(speakers.get(kind), wanted))
    if filters.relation:
        query = query.filter(_related(speakers, filters.relation))
    if filters.answer:
        value = {"right": True, "wrong": False, "unknown": None}[filters.answer]
        query = query.filter(final_answer_correct=value)
    if filters.split:
        query = query.filter(problem__split=filters.split)
    if filters.gave_up:
        query = query.filter(decision__gave_up__gte={"some": 1, "more": 2}[filters.gave_up])
    if filters.generator:
        query = query.filter(generator=filters.generator)
    if filters.source:
        query = query.filter(problem__source=filters.source)
    if filters.length:
        low, high = length_of(filters.length)
        query = query.filter(steps__len__gte=low, steps__len__lte=high)
    for side, wanted in ((filters.one, filters.one_says), (filters.other, filters.other_says)):
        if side:
            query = query.filter(_said(_by(project, side), wanted or "scored"))
    if filters.one and filters.stands:
        query = query.filter(_stands(_by(project, filters.one), filters.stands))
    return query


def _by(project: Project, side: str) -> QuerySet[Verdict]:
    """Return the verdicts of one side of a dashboard (labeling.selectors.boards) on a solution."""
    said = Verdict.objects.filter(
        solution=OuterRef("pk"), labeler__project=project, labeler__active=True, informed=False
    )
    kind = GROUPS.get(side)
    return said.filter(labeler__kind=kind) if kind else said.filter(labeler__uid=side)


def _stands(said: QuerySet[Verdict], kind: str) -> Exists:
    """Return the condition that a verdict stands so to what people decided."""
    true = F("solution__decision__first_error")
    said = said.filter(state=VerdictState.SCORED, solution__decision__state="adjudicated")
    right, both = (
        Q(first_error=true),
        Q(first_error__gt=NO_ERROR) & ~Q(solution__decision__first_error=NO_ERROR),
    )
    conditions = {
        ErrorKind.RIGHT: right,
        ErrorKind.EARLY: both & Q(first_error__lt=true),
        ErrorKind.LATE: both & Q(first_error__gt=true),
        ErrorKind.MISSED: ~right & Q(first_error=NO_ERROR),
        ErrorKind.FALSE_ALARM: ~right & Q(solution__decision__first_error=NO_ERROR),
    }
    return Exists(said.filter(conditions[ErrorKind(kind)]))


def _says(labeler: Labeler | None, wanted: str) -> Combinable | Q:
    return _said(Verdict.objects.filter(solution=OuterRef("pk"), labeler=labeler), wanted)


def _said(verdicts: QuerySet[Verdict], wanted: str) -> Combinable | Q:
    match wanted:
        case "missing":
            return ~Exists(verdicts)
        case "unscored":
            return Exists(verdicts.filter(state=VerdictState.UNSCORED))
        case "refuted":
            return Exists(verdicts.filter(state=VerdictState.REFUTED))
        case "scored":
            return Exists(verdicts.filter(state=VerdictState.SCORED))
        case "error":
            return Exists(verdicts.filter(first_error__gt=NO_ERROR))
        case "none":
            return Exists(verdicts.filter(first_error=NO_ERROR))
    if wanted.endswith("+"):
        return Exists(verdicts.filter(first_error__gte=int(wanted[:-1]) - 1))
    return Exists(verdicts.filter(first_error=int(wanted) - 1))


def _related(speakers: dict[str, Labeler], relation: str) -> Exists:
    pairs = Verdict.objects.filter(
        solution=OuterRef("pk"),
        labeler=speakers.get("mc"),
        state=VerdictState.SCORED,
        solution__verdicts__labeler=speakers.get("judge"),
        solution__verdicts__state=VerdictState.SCORED,
    ).annotate(other=F("solution__verdicts__first_error"))
    wrong, other_wrong = Q(first_error__gt=NO_ERROR), Q(other__gt=NO_ERROR)
    same = Q(first_error=F("other"))
    conditions = {
        "compared": Q(),
        "both_right": same & ~wrong,
        "same_error": same & wrong,
        "different_error": ~same & wrong & other_wrong,
        "only_first": wrong & ~other_wrong,
        "only_second": ~wrong & other_wrong,
    }
    return Exists(pairs.filter(conditions[relation]))
