"""Keep every solution's decision equal to what its verdicts and the policy imply."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, Greatest
from django.db.models.lookups import Exact

from labeling import dispatch
from labeling.domain.adjudication import cause_of
from labeling.domain.consensus import decide
from labeling.domain.labels import LabelerKind, VerdictState, VerdictView
from labeling.domain.ordering import SPOKEN, place, places
from labeling.domain.policy import Policy
from labeling.models import PRM, Assignment, Decision, Project, Solution, User, Verdict
from labeling.models.compiled import Compiled, among, given
from labeling.services import events

CHUNK = 2000

BELL_LASTS = 20.0
"""Seconds after which a bell that no worker heard is dropped: the sweeper rings again."""


def lock(solution_ids: Iterable[int]) -> list[Solution]:
    """Lock the solutions' rows in id order, before their verdicts are written.

    The MC worker and the judge's worker may finish the same solution at once. Without the lock
    each would decide without seeing the other's uncommitted verdict, and the solution would stay
    undecided for good; with it the second waits and sees both.
    """
    return _locked(ids=list(solution_ids))


@Compiled
def _locked() -> QuerySet[Solution]:
    rows = Solution.objects.filter(among("pk", "ids")).order_by("pk")
    return rows.select_for_update(no_key=True, of=("self",))


def refresh(*, project: Project, solutions: Sequence[Solution]) -> None:
    """Recompute and store the decisions of these (locked) solutions."""
    verdicts = defaultdict(list)
    scores: dict[int, Sequence[float | None]] = {}
    for row in _said(solutions=[s.pk for s in solutions], project=project.pk):
        kind, state = LabelerKind(row[2]), VerdictState(row[3])
        verdicts[row[0]].append(VerdictView(row[1], kind, state, row[4], row[5] is not None))
        if row[6]:
            scores[row[0]] = row[6]
    policy, version = project.policy, project.policy_version
    rows = [
        _row(solution, verdicts[solution.pk], scores.get(solution.pk, ()), policy, version)
        for solution in solutions
    ]
    Decision.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["solution"],
        update_fields=[
            "state", "first_error", "follows_from", "policy_version", "priority", "places",
            "cause", "updated_at",
        ],
    )  # fmt: skip


@Compiled
def _said() -> QuerySet[Verdict, tuple[Any, ...]]:
    verdicts = Verdict.objects.filter(among("solution_id", "solutions"), labeler__active=True)
    return verdicts.values_list(
        "solution_id", "id", "labeler__kind", "state", "first_error", "labeler__user",
        _champion_scores(given("project")),
    )  # fmt: skip


def recompute(*, by: User, project: Project) -> int:
    """Recompute every decision of the project from its verdicts; return how many changed state."""
    ids = list(Solution.objects.filter(project=project).order_by("pk").values_list("pk", flat=True))
    chunks = (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))
    return sum(_again(by, project, chunk) for chunk in chunks)


def ring(*, project: Project) -> None:
    """Have a worker make the decisions again that an older policy made."""
    dispatch.ring("workers.decide", project.pk, queue="export", expires=BELL_LASTS)


def catch_up(*, by: User, project: Project) -> int:
    """Make the decisions again that are older than the policy they follow from; return how many.

    It may be broken off and called again: what is done stays done.
    """
    done = 0
    old = Solution.objects.filter(
        project=project, decision__policy_version__lt=project.decided_from
    )
    while ids := list(old.order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        project.refresh_from_db()
        _again(by, project, ids)
        done += len(ids)
    # a change of the policy meanwhile has set a newer version, which stays
    Project.objects.filter(pk=project.pk, decided_from=project.decided_from).update(decided_from=1)
    return done


@transaction.atomic
def _again(by: User, project: Project, ids: Sequence[int]) -> int:
    """Make these decisions again; return how many changed state.

    Each chunk leaves its event: a snapshot that goes on after a kill knows other labels by them.
    """
    solutions = lock(ids)
    rows = Decision.objects.filter(solution__in=ids).values_list("solution_id", "state")
    before = dict(rows)
    refresh(project=project, solutions=solutions)
    changed = sum(before.get(pk) != state for pk, state in rows.all())
    events.record(
        by=by,
        action="decisions recomputed",
        project=project,
        solutions=len(ids),
        changed=changed,
    )
    return changed


def count_places(*, project: Project) -> None:
    """Make the places of what people hold or have labeled follow a changed overlap at once.

    What the change means for a decision's state is left to `catch_up`; nobody has labeled the other
    solutions: they have a place as before.
    """
    given = Assignment.objects.filter(project=project).values("solution")
    rows = Decision.objects.filter(project=project, solution__in=given)
    # a row that another request holds (a lease, a submit) is left to `catch_up`: waiting for it,
    # while that request waits for a row of ours, would be a deadlock
    ids = list(rows.select_for_update(skip_locked=True).values_list("pk", flat=True))
    said = Verdict.objects.filter(
        solution=OuterRef("solution"), labeler__active=True, state__in=SPOKEN
    )
    decided = said.filter(labeler__kind=LabelerKind.ADJUDICATOR)
    people = said.filter(labeler__kind=LabelerKind.HUMAN, labeler__user__isnull=False)
    count = Subquery(people.order_by().values("solution").annotate(n=Count("pk")).values("n"))
    left = Greatest(0, project.policy.human_overlap - Coalesce(count, 0))
    Decision.objects.filter(~Exists(decided), pk__in=ids).update(places=left)


def attend() -> None:
    """Ring again for projects whose decisions are behind and no worker heard it."""
    behind = Decision.objects.filter(policy_version__lt=F("project__decided_from"))
    changed = Project.objects.filter(decided_from__gt=1)
    for project in changed.filter(Exists(behind.filter(project=OuterRef("pk")))):
        ring(project=project)


def _champion_scores(project: Any) -> Case:
    """Return the step scores where they are the champion PRM's, else null."""
    champion = PRM.objects.filter(project=project, champion=True).values("uid")
    model = KeyTextTransform("prm", "labeler__config")
    is_champion = Q(labeler__kind=LabelerKind.PRM) & Q(Exact(model, Subquery(champion)))
    return Case(When(is_champion, then="step_scores"))


def _row(
    solution: Solution,
    views: Sequence[VerdictView],
    scores: Sequence[float | None],
    policy: Policy,
    version: int,
) -> Decision:
    decision = decide(views, policy)
    return Decision(
        solution=solution,
        project_id=solution.project_id,
        state=decision.state,
        first_error=decision.first_error,
        follows_from=list(decision.follows_from),
        policy_version=version,
        priority=place(decision.state, views, solution.final_answer_correct, scores),
        places=places(views, policy.human_overlap),
        cause=cause_of(views) or "",
    )
