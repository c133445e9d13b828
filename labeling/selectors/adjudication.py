"""What waits for an adjudicator, and which verdicts an adjudicator had before them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Left

from labeling.domain.adjudication import GIVEN_UP, Cause
from labeling.domain.labels import LabelerKind
from labeling.models import (
    AdjudicationLease,
    Assignment,
    Decision,
    Project,
    Solution,
    User,
    Verdict,
)
from labeling.selectors.voices import Voice

SHOWN = 50
STATEMENT_SHOWN = 160
"""Characters of a statement in the list."""

HIDDEN_KINDS = frozenset({LabelerKind.GOLD})
"""Keys of gold items are no side in a dispute."""

_OPEN = Q(cause__gt="") | Q(gave_up__gte=GIVEN_UP, state__in=["disputed", "undecided"])


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the queue an adjudicator wants; empty: all."""

    cause: str = ""
    source: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One solution that waits. `held_by`: who decides it just now, if not the viewer."""

    uid: str
    statement: str
    source: str
    cause: Cause
    own: bool
    held_by: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Queue:
    """The first solutions that wait, and how many wait for which cause, whatever is filtered."""

    rows: tuple[Row, ...]
    total: int
    counts: tuple[tuple[Cause, int], ...]
    sources: tuple[str, ...]


def waiting(project: Project, user: User, wanted: Wanted) -> QuerySet[Decision]:
    """Return the decisions that need an adjudicator, the most valuable first.

    Reports come first (a wrong reference answer spoils other solutions too), then disagreements,
    then what several people gave up; what the user has labeled themselves comes after what they
    have not. In a blind project what the user is labeling is left out.
    """
    own = Verdict.objects.filter(solution=OuterRef("pk"), labeler__user=user, labeler__kind="human")
    found = Decision.objects.filter(_OPEN, project=project).annotate(own=Exists(own))
    if project.policy.blind:
        held = Assignment.objects.filter(
            project=project, user=user, submitted_at=None, skipped_at=None
        )
        found = found.exclude(pk__in=held.values("solution"))
    if wanted.cause:
        found = found.filter(cause="" if wanted.cause == Cause.GIVEN_UP else wanted.cause)
    if wanted.source:
        found = found.filter(solution__problem__source=wanted.source)
    if wanted.problem:
        found = found.filter(solution__problem__uid=wanted.problem)
    return found.order_by("own", "-cause", "-priority", "pk")


def queue(project: Project, user: User, wanted: Wanted, now: datetime) -> Queue:
    """Return the beginning of the queue with its counts."""
    found = waiting(project, user, wanted)
    lease = AdjudicationLease.objects.filter(solution=OuterRef("pk"), expires_at__gt=now)
    rows = found.annotate(
        statement=Left("solution__problem__statement", STATEMENT_SHOWN),
        held=Exists(lease.exclude(user=user)),
    ).values_list(
        "solution__uid", "statement", "solution__problem__source", "cause", "own",
        "solution__adjudication_lease__user__username", "held", "updated_at",
    )[:SHOWN]  # fmt: skip
    everything = waiting(project, user, Wanted())
    counts = Counter(
        Cause(cause or Cause.GIVEN_UP) for cause in everything.values_list("cause", flat=True)
    )
    sources = everything.order_by().values_list("solution__problem__source", flat=True).distinct()
    return Queue(
        rows=tuple(
            Row(r[0], r[1], r[2], Cause(r[3] or Cause.GIVEN_UP), r[4], r[5] if r[6] else None, r[7])
            for r in rows
        ),
        total=found.count(),
        counts=tuple((cause, counts[cause]) for cause in Cause),
        sources=tuple(sorted(source for source in sources[:SHOWN] if source)),
    )


def count(project: Project, user: User, wanted: Wanted) -> int:
    """Return how many solutions wait."""
    return waiting(project, user, wanted).count()


def held_by_another(solution: Solution, user: User, now: datetime) -> str | None:
    """Return the name of whoever else decides the solution just now."""
    lease = AdjudicationLease.objects.filter(solution=solution, expires_at__gt=now)
    return lease.exclude(user=user).values_list("user__username", flat=True).first()


def is_labeling(solution: Solution, user: User) -> bool:
    """Say whether the user is to label the solution blind: nobody adjudicates what they label."""
    held = Assignment.objects.filter(
        solution=solution, user=user, submitted_at=None, skipped_at=None
    )
    return solution.project.policy.blind and held.exists()


@dataclass(frozen=True, slots=True)
class Standing:
    """The adjudicator's verdict that decides."""

    user_id: int | None
    name: str
    reason: str
    at: datetime


def standing(solution: Solution) -> Standing | None:
    """Return the verdict of an adjudicator of this project that decides the solution."""
    said = Verdict.objects.filter(
        solution=solution,
        labeler__kind=LabelerKind.ADJUDICATOR,
        labeler__active=True,
        labeler__user__isnull=False,
    ).order_by("-id")
    row = said.values_list("labeler__user", "labeler__name", "reason", "updated_at").first()
    return Standing(*row) if row else None


def seen(solution: Solution) -> str:
    """Return what a verdict on the solution rests on: every side's last word and the reference.

    The page sends it back with the adjudicator's verdict; if it differs by then, something new
    came in that the adjudicator has not seen.
    """
    rows = (
        Verdict.objects.filter(solution=solution, labeler__active=True)
        .exclude(labeler__kind__in=HIDDEN_KINDS)
        .order_by("labeler_id")
        .values_list("labeler_id", "id", "updated_at")
    )
    said = [f"{labeler}.{pk}.{int(at.timestamp() * 1e6)}" for labeler, pk, at in rows]
    answer = Solution.objects.filter(pk=solution.pk).values_list("problem__answer", flat=True)[0]
    return ",".join([blake2b(answer.encode(), digest_size=6).hexdigest(), *said])


def unseen(before: str, now: str, voices: tuple[Voice, ...]) -> frozenset[int]:
    """Return the labelers, of these voices, whose word is in `now` and not `before`."""
    known = set(before.split(","))
    new = {int(part.split(".")[0]) for part in now.split(",")[1:] if part not in known}
    return frozenset(voice.labeler_id for voice in voices if voice.labeler_id in new)
