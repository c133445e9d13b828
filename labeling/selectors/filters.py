"""What the list of solutions is narrowed to, as database conditions.

Every cell of a dashboard leads to the list by these filters: the solutions behind it.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet, Sum

from labeling.domain.cells import Between
from labeling.domain.consensus import DecisionState
from labeling.domain.labels import NO_ERROR, LabelerKind
from labeling.domain.statistics.bands import length_of
from labeling.models import Labeler, Project, Solution, Verdict
from labeling.selectors import solution_conditions as solution
from labeling.selectors import verdict_conditions as verdict
from labeling.selectors.sides import GROUPS, labelers_of
from labeling.selectors.verdict_pairs import joined, paired

_ALONE = frozenset({"missing", "unscored", "rejected", "verdict", "any"})
"""What a side says that is compared with nobody's verdict."""

_ALSO_INFORMED = _ALONE | {"refuted"}
"""Of which verdicts that a person gave after seeing others' are a part."""


_RARE = frozenset({"missing", "unscored", "rejected", "refuted"})
"""What a machine often says of no solution."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is narrowed to; empty strings narrow nothing. Steps count from 1.

    From `source` on they are what cells of dashboards lead to (labeling.domain.cells): `one` and
    `other` are sides (labeling.selectors.sides), and what follows speaks of their verdicts.
    """

    state: str = ""
    mc: str = ""
    judge: str = ""
    relation: str = ""
    answer: str = ""
    split: str = ""
    gave_up: str = ""
    generator: str = ""
    source: str = ""
    label: str = ""
    length: str = ""
    difficulty: str = ""
    audit: str = ""
    audited_as: str = ""
    people: str = ""
    votes: str = ""
    one: str = ""
    one_says: str = ""
    other: str = ""
    other_says: str = ""
    between: str = ""
    steps: str = ""
    stands: str = ""
    position: str = ""
    minimum: str = ""
    came: str = ""
    like: str = ""


@dataclass(frozen=True, slots=True)
class Behind:
    """What a cell counted, where it is not solutions: pairs or verdicts of several people, steps.

    `counts` says which of them; `rows` has one row for each, or a sum of `steps`.
    """

    counts: str
    rows: QuerySet[Verdict]


def newest(project: Project) -> dict[str, Labeler]:
    """Return the newest active MC labeler and judge by kind: those that filters mean."""
    rows = Labeler.objects.filter(
        project=project, active=True, kind__in=[LabelerKind.MC, LabelerKind.JUDGE]
    )
    return {row.kind: row for row in rows.order_by("id")}


def narrowed(
    project: Project, filters: Filters, speakers: dict[str, Labeler], *, gold: bool = False
) -> QuerySet[Solution]:
    """Return the project's solutions that fit the filters; `gold`: also those that speak of it."""
    query = _by_decision(Solution.objects.filter(project=project), project, filters)
    for kind, wanted in (("mc", filters.mc), ("judge", filters.judge)):
        if wanted:
            query = _by_machine(query, project, speakers.get(kind), wanted)
    if filters.relation:
        query = query.filter(_related(speakers, filters.relation))
    query = _by_itself(query, filters)
    if filters.difficulty:
        query = query.filter(solution.difficulty(project, filters.difficulty))
    if filters.audit:
        query = query.filter(solution.audited(filters.audit, filters.audited_as))
    if filters.people:
        query = query.filter(solution.labeled_by_people(project, filters.people))
    if filters.votes:
        query = query.filter(solution.voted(project, filters.votes))
    for condition in _spoken(project, filters, gold=gold):
        query = query.filter(condition)
    return query


def behind(project: Project, filters: Filters, *, gold: bool = False) -> Behind | None:
    """Return what the cell that leads here counted, where that is not solutions."""
    one = labelers_of(project, filters.one, gold=gold) if filters.one else []
    if _is_pair(filters):
        other = labelers_of(project, filters.other, gold=gold)
        says = (filters.one_says, filters.other_says)
        rows = joined(one, other, says, filters.between, filters.steps)
        if filters.steps:
            return Behind("steps", rows)
        return Behind("pairs", rows) if {filters.one, filters.other} & GROUPS.keys() else None
    if filters.one and filters.position:
        return Behind("steps", _said(_of(one), filters))
    if filters.one in GROUPS:
        return Behind("verdicts", _said(_of(one), filters))
    return None


_RELATIONS = {
    "compared": (("", ""), Between.SCORED),
    "both_right": (("", ""), Between.BOTH_NONE),
    "same_error": (("error", ""), Between.SAME),
    "different_error": (("error", "error"), Between.DIFFER),
    "only_first": (("", ""), Between.ONLY_FIRST),
    "only_second": (("", ""), Between.ONLY_SECOND),
}


def _related(speakers: dict[str, Labeler], relation: str) -> Q:
    """Return the condition that the newest MC labeler and judge stand so to each other."""
    says, between = _RELATIONS[relation]
    one, other = ([speakers[kind].pk] if kind in speakers else [] for kind in ("mc", "judge"))
    return Q(pk__in=paired(one, other, says, between).values("solution"))


def _by_decision(
    query: QuerySet[Solution], project: Project, filters: Filters
) -> QuerySet[Solution]:
    if filters.label or filters.state not in ("", DecisionState.UNDECIDED):
        # the plan may walk all decisions by solution: it must not begin with other projects'
        ids = query.order_by("pk").values_list("pk", flat=True)
        query = query.filter(decision__project=project, decision__solution__gte=ids.first() or 0)
    if filters.state == DecisionState.UNDECIDED:
        query = query.filter(Q(decision=None) | Q(decision__state=filters.state))
    elif filters.state:
        query = query.filter(decision__state=filters.state)
    labels = {
        "none": Q(decision__first_error=NO_ERROR),
        "error": Q(decision__first_error__gt=NO_ERROR),
        "decided": Q(decision__first_error__isnull=False),
    }
    return query.filter(labels[filters.label]) if filters.label else query


def _by_itself(query: QuerySet[Solution], filters: Filters) -> QuerySet[Solution]:
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
    return query


def _by_machine(
    query: QuerySet[Solution], project: Project, speaker: Labeler | None, wanted: str
) -> QuerySet[Solution]:
    """Return the solutions of which the newest labeler of a kind says so."""
    if speaker is not None and _of_none(project, speaker, wanted):
        return query.none()
    return query.filter(_says(_of([speaker.pk] if speaker else []), wanted))


def _of_none(project: Project, speaker: Labeler, wanted: str) -> bool:
    """Say whether the sums tell at once that the machine says so of no solution.

    To look for what is nowhere takes a look at every solution.
    """
    if wanted not in _RARE:
        return False
    states = {} if wanted == "missing" else {"state": wanted}
    said = speaker.tallies.filter(**states).aggregate(n=Sum("verdicts"))["n"] or 0
    if states:
        return said == 0
    return said >= (project.tallies.aggregate(n=Sum("solutions"))["n"] or 0)


def _of(labelers: list[int]) -> QuerySet[Verdict]:
    return Verdict.objects.filter(labeler__in=labelers)


def _says(verdicts: QuerySet[Verdict], wanted: str) -> Q:
    if wanted == "missing":
        return ~Q(solution.on(verdicts))
    return Q(solution.on(verdict.says(verdicts, wanted)))


def _is_pair(filters: Filters) -> bool:
    return bool(
        filters.one and filters.other and not {filters.one_says, filters.other_says} & _ALONE
    )


def _spoken(project: Project, filters: Filters, *, gold: bool) -> list[Q]:
    """Return the conditions on what the sides say."""
    if not filters.one:
        return []
    one = labelers_of(project, filters.one, gold=gold)
    if _is_pair(filters):
        other = labelers_of(project, filters.other, gold=gold)
        says = (filters.one_says, filters.other_says)
        found = paired(one, other, says, filters.between, filters.steps)
        return [Q(pk__in=found.values("solution"))]
    if filters.one_says == "missing":
        return [~Q(solution.on(_of(one)))]
    return [Q(pk__in=_said(_of(one), filters).values("solution"))]


def _said(verdicts: QuerySet[Verdict], filters: Filters) -> QuerySet[Verdict]:
    """Return the verdicts of one side that the filters mean."""
    wanted = filters.one_says or ("any" if filters.came or filters.minimum else "scored")
    if wanted not in _ALSO_INFORMED:
        verdicts = verdicts.filter(informed=False)
    verdicts = verdict.says(verdicts, wanted)
    if filters.stands:
        # of a step it is the step's label that is wrong, not the first error
        verdicts = verdict.stands(verdicts, "any" if filters.position else filters.stands)
    if filters.minimum:
        verdicts = verdict.lowest(verdicts, filters.minimum)
    if filters.came:
        verdicts = verdict.came(verdicts, filters.came)
    if filters.like:
        like = verdicts.filter(solution__uid=filters.like).order_by().values("reason")[:1]
        verdicts = verdicts.filter(reason=like)
    if filters.position:
        steps = verdict.steps_at(filters.position, wrong=filters.stands == "wrong")
        verdicts = verdicts.annotate(steps=steps).filter(steps__gt=0)
    return verdicts
