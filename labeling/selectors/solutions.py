"""The filterable list of solutions, by keyset, and the detail of one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet, Sum
from django.http import Http404

from labeling.domain.consensus import Decision as Outcome
from labeling.domain.consensus import DecisionState
from labeling.domain.labels import LabelerKind, VerdictState
from labeling.domain.roles import Role
from labeling.domain.visibility import visible_kinds
from labeling.models import Assignment, Labeler, Project, Solution, User, Verdict
from labeling.selectors.filters import Filters, behind, narrowed, newest

PAGE = 50
COUNTED = 1000
"""A filtered list is counted up to here; beyond it the page says "more than"."""


@dataclass(frozen=True, slots=True)
class Said:
    """A verdict in short."""

    kind: LabelerKind
    state: VerdictState
    first_error: int | None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    uid: str
    statement: str
    steps: int
    generator: str
    split: str
    answer_correct: bool | None
    state: DecisionState
    first_error: int | None
    mc: Said | None
    judge: Said | None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the list. `before` and `after` are the cursors of the neighboring pages.

    `cell`: what the cell that led here counted where that is not solutions: how many "pairs" or
    "verdicts" of people, or "steps".
    """

    rows: tuple[Row, ...]
    total: int
    cell: tuple[str, int] | None
    before: str | None
    after: str | None
    withheld: bool

    @property
    def more_than_counted(self) -> bool:
        """Whether there are more than `total`."""
        return self.total >= COUNTED


def listed(
    project: Project,
    user: User,
    filters: Filters,
    *,
    after: str | None = None,
    before: str | None = None,
    gold: bool = False,
) -> Page:
    """Return one page of the project's solutions.

    In a blind project the solution that the user is labeling is left out altogether: its row, or
    its absence under a filter, would tell what the machines say of it. `gold`: filters may speak
    of the gold key.
    """
    speakers = newest(project)
    query, withheld = _not_held(narrowed(project, filters, speakers, gold=gold), project, user)
    total = query[:COUNTED].count()
    found, previous, following = _cut(query, project, after, before)
    said = _said(found, speakers)
    rows = tuple(_row(s, said.get((s.pk, "mc")), said.get((s.pk, "judge"))) for s in found)
    cell = _counted(project, filters, query, gold) if 0 < total < COUNTED else None
    return Page(rows, total, cell, previous, following, withheld)


def _counted(
    project: Project, filters: Filters, query: QuerySet[Solution], gold: bool
) -> tuple[str, int] | None:
    found = behind(project, filters, gold=gold)
    if found is None:
        return None
    rows = found.rows.filter(solution__in=query.order_by().values("pk"))
    if found.counts == "steps":
        return "steps", rows.aggregate(n=Sum("steps"))["n"] or 0
    return found.counts, rows.count()


def solution_for(project: Project, uid: str) -> Solution:
    """Return the project's solution or raise Http404."""
    found = (
        Solution.objects.filter(project=project, uid=uid)
        .select_related("problem", "decision", "project")
        .first()
    )
    if found is None:
        raise Http404("no such solution")
    return found


def outcome_of(solution: Solution) -> Outcome:
    """Return the solution's decision; undecided while it has no row."""
    row = getattr(solution, "decision", None)
    if row is None:
        return Outcome(DecisionState.UNDECIDED)
    return Outcome(DecisionState(row.state), row.first_error, tuple(row.follows_from))


def kinds_for(user: User, role: Role | None, solution: Solution) -> frozenset[LabelerKind]:
    """Return the kinds of labelers that the user may see on the solution's page."""
    held = Assignment.objects.filter(
        solution=solution, user=user, submitted_at=None, skipped_at=None
    ).exists()
    return visible_kinds(role, solution.project.policy, labeling=held, submitted=False)


def _not_held(
    query: QuerySet[Solution], project: Project, user: User
) -> tuple[QuerySet[Solution], bool]:
    if not project.policy.blind:
        return query, False
    held = Assignment.objects.filter(
        project=project, user=user, submitted_at=None, skipped_at=None
    ).values_list("solution_id", flat=True)
    ids = list(held)
    return (query.exclude(pk__in=ids), True) if ids else (query, False)


def _cut(
    query: QuerySet[Solution], project: Project, after: str | None, before: str | None
) -> tuple[list[Solution], str | None, str | None]:
    """Return a page's solutions with the cursors before and after it (None: no such page)."""
    backwards = before is not None
    cursor = before or after
    if cursor:
        border = Solution.objects.filter(project=project, uid=cursor).values("pk")[:1]
        query = query.filter(pk__lt=border) if backwards else query.filter(pk__gt=border)
    ordered = query.order_by("-pk" if backwards else "pk")
    # first which, then all of them: joined at once, the plan walks the other projects' decisions
    found = list(ordered.values_list("pk", flat=True)[: PAGE + 1])
    more, found = len(found) > PAGE, sorted(found[:PAGE])
    shown = Solution.objects.filter(pk__in=found).select_related("problem", "decision")
    rows = list(shown.order_by("pk"))
    if not rows:
        return [], None, None
    has_before = more if backwards else cursor is not None
    has_after = True if backwards else more
    return rows, rows[0].uid if has_before else None, rows[-1].uid if has_after else None


def _said(found: Iterable[Solution], speakers: dict[str, Labeler]) -> dict[tuple[int, str], Said]:
    rows = Verdict.objects.filter(
        solution__in=[s.pk for s in found], labeler__in=[s.pk for s in speakers.values()]
    ).values_list("solution_id", "labeler__kind", "state", "first_error")
    return {
        (pk, kind): Said(LabelerKind(kind), VerdictState(state), first_error)
        for pk, kind, state, first_error in rows
    }


def _row(solution: Solution, mc: Said | None, judge: Said | None) -> Row:
    decided = outcome_of(solution)
    return Row(
        uid=solution.uid,
        statement=solution.problem.statement,
        steps=len(solution.steps),
        generator=solution.generator,
        split=solution.problem.split,
        answer_correct=solution.final_answer_correct,
        state=decided.state,
        first_error=decided.first_error,
        mc=mc,
        judge=judge,
    )
