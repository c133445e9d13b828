"""Dry runs of judges: what came of them, as this user may see it, and what they wait for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.http import Http404

from labeling.domain.attention import FRESH
from labeling.domain.consensus import DECIDED
from labeling.domain.consensus import Decision as Outcome
from labeling.domain.labels import VerdictState
from labeling.domain.roles import Role
from labeling.models import JudgeTrial, Project, QueuePresence, Solution, User
from labeling.models.judging import TrialState
from labeling.models.runs import RunKind
from labeling.selectors.solutions import kinds_for, outcome_of
from labeling.selectors.voices import Voice, voices

LISTED = 20
"""Trials on a wording's page."""

UNTAKEN = 30.0
"""Seconds after which the page says that no worker took a trial."""

LOCKS = 0x6A747269
"""The class of the advisory locks that workers hold on trials (labeling.services.judging)."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the judge said of one solution. `first_error` None: unscored, with the reason.

    `votes` are the single votes' first errors. `seconds` passed from the trial's begin.
    """

    first_error: int | None
    reason: str
    text: str
    cut_short: bool
    votes: tuple[int | None, ...]
    prompt_tokens: int
    completion_tokens: int
    seconds: float

    @property
    def state(self) -> VerdictState:
        """Whether there is a verdict."""
        return VerdictState.UNSCORED if self.first_error is None else VerdictState.SCORED

    @property
    def tally(self) -> list[tuple[int | None, int]]:
        """How many votes name each first error (None: unscored), the most named first."""
        return Counter(self.votes).most_common()


@dataclass(frozen=True, slots=True)
class Tried:
    """One solution of a trial. No `reply`: not answered yet.

    `hidden`: the viewer is labeling it blindly now, so neither the reply nor anyone's verdict on
    it may reach them.
    """

    solution: Solution
    reply: Reply | None
    hidden: bool
    decided: Outcome
    voices: tuple[Voice, ...]

    @property
    def agrees(self) -> bool | None:
        """Whether the reply says what is decided; None where either is open or hidden."""
        if self.hidden or self.reply is None or self.reply.first_error is None:
            return None
        if self.decided.state not in DECIDED:
            return None
        return self.reply.first_error == self.decided.first_error


@dataclass(frozen=True, slots=True)
class TrialRow:
    """A trial in short. `seconds` passed until its last reply."""

    uid: str
    template: str
    engine: str
    state: TrialState
    reason: str
    asked: int
    answered: int
    scored: int
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    config: dict[str, Any]
    by: str
    at: datetime

    @property
    def tokens(self) -> int:
        """Tokens read and written."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def waiting(self) -> bool:
        """Whether replies may still come."""
        return self.state is TrialState.WAITING


@dataclass(frozen=True, slots=True)
class Agreed:
    """Of the replies on solutions that are decided, how many say the same."""

    same: int
    decided: int


@dataclass(frozen=True, slots=True)
class Wait:
    """What a waiting trial waits for. `seconds` since it was asked for."""

    seconds: float
    taken: bool
    workers: int

    @property
    def untaken(self) -> bool:
        """Whether it should have been taken by now."""
        return not self.taken and self.seconds > UNTAKEN


def trial_for(project: Project, uid: str) -> JudgeTrial:
    """Return the project's trial or raise Http404."""
    found = _trials(project).filter(uid=uid).first()
    if found is None:
        raise Http404("no such trial")
    return found


def trials_of(project: Project, template: str = "") -> list[TrialRow]:
    """Return the newest trials, of one wording or of all."""
    rows = _trials(project).order_by("-pk")
    if template:
        rows = rows.filter(config__template=template)
    return [row_of(trial) for trial in rows[:LISTED]]


def row_of(trial: JudgeTrial) -> TrialRow:
    """Return a trial in short."""
    results = trial.results
    return TrialRow(
        uid=trial.uid,
        template=trial.config["template"],
        engine=trial.engine.name,
        state=TrialState(trial.state),
        reason=trial.reason,
        asked=len(trial.solutions),
        answered=len(results),
        scored=sum(result["first_error"] is not None for result in results),
        prompt_tokens=sum(result["prompt_tokens"] for result in results),
        completion_tokens=sum(result["completion_tokens"] for result in results),
        seconds=max((result["seconds"] for result in results), default=0.0),
        config=trial.config,
        by=trial.created_by.username,
        at=trial.created_at,
    )


def wait_of(trial: JudgeTrial, now: datetime) -> Wait:
    """Return what the trial waits for, and how many workers serve its queue."""
    present = QueuePresence.objects.filter(
        queue=RunKind.JUDGE, seen_at__gt=now - timedelta(seconds=FRESH)
    ).first()
    return Wait(
        seconds=(now - trial.created_at).total_seconds(),
        taken=is_taken(trial),
        workers=present.workers if present else 0,
    )


def is_taken(trial: JudgeTrial) -> bool:
    """Say whether a live worker holds the trial's lock now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
            "WHERE d.datname = current_database() AND l.locktype = 'advisory' "
            "AND l.classid = %s AND l.objid = %s AND l.objsubid = 2 AND l.granted)",
            [LOCKS, trial.pk],
        )
        return bool(cursor.fetchone()[0])


def a_trial_waits() -> bool:
    """Say whether there is a trial that no worker holds."""
    waiting = JudgeTrial.objects.filter(state=TrialState.WAITING)
    return any(not is_taken(trial) for trial in waiting)


def tried(trial: JudgeTrial, user: User, role: Role | None) -> list[Tried]:
    """Return the trial's solutions, in its order, with what the user may see of each."""
    results = {result["solution"]: result for result in trial.results}
    rows = Solution.objects.filter(project=trial.project, uid__in=trial.solutions)
    found = {row.uid: row for row in rows.select_related("problem", "decision", "project")}
    return [
        _tried(found[uid], results.get(uid), user, role) for uid in trial.solutions if uid in found
    ]


def agreed(found: Sequence[Tried]) -> Agreed:
    """Count what agrees with decisions that the user may see."""
    said = [one.agrees for one in found if one.agrees is not None]
    return Agreed(same=sum(said), decided=len(said))


def _trials(project: Project) -> QuerySet[JudgeTrial]:
    return JudgeTrial.objects.filter(project=project).select_related(
        "engine", "project", "created_by"
    )


def _tried(
    solution: Solution, result: dict[str, Any] | None, user: User, role: Role | None
) -> Tried:
    kinds = kinds_for(user, role, solution)
    return Tried(
        solution=solution,
        reply=_reply(result) if result and kinds else None,
        hidden=not kinds,
        decided=outcome_of(solution),
        voices=voices(solution, kinds),
    )


def _reply(result: dict[str, Any]) -> Reply:
    return Reply(
        first_error=result["first_error"],
        reason=result["reason"],
        text=result["reply"],
        cut_short=result["finish_reason"] == "length",
        votes=tuple(result["votes"]),
        prompt_tokens=result["prompt_tokens"],
        completion_tokens=result["completion_tokens"],
        seconds=result["seconds"],
    )
