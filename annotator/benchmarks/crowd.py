"""People's labels in a made-up project: annotators on disputes, audits, an adjudicator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from random import Random

from django.utils import timezone

from annotator.benchmarks.filling import DAYS
from labeling.domain.assignments import Purpose
from labeling.domain.consensus import DecisionState
from labeling.domain.labels import LabelerKind, VerdictState, labels_up_to
from labeling.models import Assignment, Decision, Labeler, Project, Solution, User, Verdict
from labeling.services import decisions, labelers

SHARE = 13
"""One solution of so many, a dispute, is labeled by every annotator: three of them give 75,000
labels each on a million solutions."""

AUDITED = 200
"""One solution of so many is a consensus that an annotator audits."""

ADJUDICATED = 10
"""One dispute of so many labeled ones goes to the adjudicator as well."""

AT_ONCE = 1000


def label(project: Project, people: Sequence[User], adjudicator: User, seed: int) -> None:
    """Let people label disputes, nine tenths of them alike, and audit some of the consensus."""
    draw = Random(seed)  # noqa: S311 - made-up labels
    size = Solution.objects.filter(project=project).count()
    crowd = [labelers.person(by=user, project=project, kind=LabelerKind.HUMAN) for user in people]
    judge = labelers.person(by=adjudicator, project=project, kind=LabelerKind.ADJUDICATOR)
    for rows in _chosen(project, DecisionState.DISPUTED, size // SHARE):
        truth = [(row.solution, draw.randint(-1, len(row.solution.steps) - 1)) for row in rows]
        given = [(who, *said) for said in truth for who in crowd]
        _write(project, given, Purpose.LABEL, draw)
        _write(project, [(judge, *said) for said in truth[::ADJUDICATED]], None, draw)
        decisions.refresh(project=project, solutions=[solution for solution, _ in truth])
    for rows in _chosen(project, DecisionState.CONSENSUS, size // AUDITED):
        audits = [(crowd[0], r.solution, r.first_error) for r in rows if r.first_error is not None]
        _write(project, audits, Purpose.AUDIT, draw)
        decisions.refresh(project=project, solutions=[row.solution for row in rows])


def _chosen(project: Project, state: DecisionState, count: int) -> Iterator[Sequence[Decision]]:
    rows = Decision.objects.filter(project=project, state=state).order_by("solution")
    chosen = list(rows.values_list("pk", flat=True)[:count])
    for start in range(0, len(chosen), AT_ONCE):
        some = chosen[start : start + AT_ONCE]
        yield list(Decision.objects.filter(pk__in=some).select_related("solution"))


def _write(
    project: Project,
    given: Sequence[tuple[Labeler, Solution, int]],
    purpose: Purpose | None,
    draw: Random,
) -> None:
    said = [_verdict(who, solution, first, draw) for who, solution, first in given]
    Verdict.objects.bulk_create(said)
    if purpose is None:
        return
    Assignment.objects.bulk_create(
        [_assignment(project, verdict, purpose, draw) for verdict in said]
    )


def _verdict(who: Labeler, solution: Solution, first: int, draw: Random) -> Verdict:
    steps = len(solution.steps)
    own = first if draw.random() < 0.9 else draw.randint(-1, steps - 1)
    return Verdict(
        labeler=who, solution=solution, state=VerdictState.SCORED, first_error=own,
        step_labels=list(labels_up_to(own, steps)), seconds=20 * steps,
    )  # fmt: skip


def _assignment(project: Project, verdict: Verdict, purpose: Purpose, draw: Random) -> Assignment:
    at = timezone.now() - timedelta(minutes=draw.randrange(DAYS * 24 * 60))
    return Assignment(
        solution=verdict.solution, project=project, user=verdict.labeler.user, purpose=purpose,
        submitted_at=at, expires_at=at, active_seconds=draw.uniform(1, 40),
    )  # fmt: skip
