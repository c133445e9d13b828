"""Write judges' wordings, and their trials: ask for one, take it, finish or fail it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, connection, transaction

from labeling import dispatch
from labeling.domain.judging import JUDGE_TEMPLATES, ReplyForm
from labeling.domain.run_settings import RunSettings
from labeling.domain.setting_checks import BadSetting, own_wording
from labeling.models import Engine, JudgePrompt, JudgeTrial, Project, Solution, User
from labeling.models.engines import EngineKind
from labeling.models.judging import TrialState
from labeling.selectors.judge_trials import LOCKS, is_taken
from labeling.services import events

BELL_LASTS = 20.0
"""Seconds after which a bell that no worker heard is dropped: the sweeper rings again."""

GIVE_UP_AFTER = timedelta(minutes=15)
"""A trial that no worker holds after this time fails: its author has gone on."""


@transaction.atomic
def save_wording(
    *, by: User, project: Project, name: str, text: str, reply: ReplyForm
) -> tuple[JudgePrompt, bool]:
    """Store a new version of a wording and return it with True; raise BadSetting.

    What is said already by the newest version is returned as that one, with False.
    """
    # Two managers may save at once: the project's row decides who is first.
    Project.objects.select_for_update().get(pk=project.pk)
    newest = JudgePrompt.objects.filter(project=project, name=name).order_by("-version").first()
    if newest is not None and (newest.text, newest.reply) == (text, reply):
        return newest, False
    version = newest.version + 1 if newest else 1
    if any(built_in.rpartition("-v")[0] == name for built_in in JUDGE_TEMPLATES):
        raise BadSetting("name", "“{name}” is a built-in wording's: choose another one", name=name)
    own_wording(f"{name}-v{version}", text, reply)
    prompt = JudgePrompt.objects.create(
        project=project, name=name, version=version, text=text, reply=reply, created_by=by
    )
    events.record(by=by, action="judge wording saved", project=project, subject=str(prompt)[:60])
    return prompt, True


@transaction.atomic
def request_trial(
    *,
    by: User,
    project: Project,
    engine: Engine | None,
    settings: RunSettings,
    solutions: Sequence[Solution],
) -> JudgeTrial:
    """Ask for a dry run on these solutions. It labels nothing. Raise BadSetting."""
    if engine is None or not engine.active or engine.kind == EngineKind.POOLING:
        raise BadSetting("engine", "choose one that writes texts and is not switched off")
    if not solutions:
        raise BadSetting("solutions", "the project has none yet: import or generate some first")
    trial = JudgeTrial.objects.create(
        project=project,
        engine=engine,
        config=settings.config(),
        solutions=[solution.uid for solution in solutions],
        created_by=by,
    )
    events.record(
        by=by, action="judge trial requested", project=project, subject=trial.uid, **trial.config
    )
    ring(trial=trial)
    return trial


def ring(*, trial: JudgeTrial) -> None:
    """Wake a worker for the trial."""
    dispatch.ring("workers.try_judge", trial.uid, queue="judge", expires=BELL_LASTS)


def attend(*, by: User, now: datetime) -> None:
    """Ring for the trials that wait and that no worker holds; fail those that waited too long."""
    for trial in JudgeTrial.objects.filter(state=TrialState.WAITING).order_by("pk"):
        if is_taken(trial):
            continue
        if now - trial.created_at > GIVE_UP_AFTER:
            minutes = GIVE_UP_AFTER.total_seconds() / 60
            reason = f"No worker of queue judge finished it within {minutes:.0f} minutes."
            fail(by=by, trial=trial, reason=reason, now=now)
        else:
            ring(trial=trial)


@contextmanager
def taken(*, uid: str) -> Iterator[JudgeTrial | None]:
    """Hold a trial that waits; None where there is none, or another worker holds it.

    The lock is the database session's: a killed worker's is free at once, whoever it was.
    """
    trial = JudgeTrial.objects.select_related("engine", "project").filter(uid=uid).first()
    if trial is None or not _ask("pg_try_advisory_lock", trial):
        yield None
        return
    try:
        # another worker may have finished it between the two reads
        trial.refresh_from_db(fields=["state"])
        yield trial if trial.state == TrialState.WAITING else None
    finally:
        with suppress(DatabaseError):  # without its session the lock is gone anyway
            _ask("pg_advisory_unlock", trial)


def progressed(*, trial: JudgeTrial, results: Sequence[dict[str, Any]]) -> None:
    """Show what has been answered so far."""
    JudgeTrial.objects.filter(pk=trial.pk, state=TrialState.WAITING).update(results=list(results))


def finish(
    *, by: User, trial: JudgeTrial, results: Sequence[dict[str, Any]], now: datetime
) -> bool:
    """End a trial with its results; False, and nothing stored, where it is over already."""
    return _end(by, trial, TrialState.DONE, now, results=list(results))


def fail(*, by: User, trial: JudgeTrial, reason: str, now: datetime) -> bool:
    """End a trial that cannot succeed, with its reason; False where it is over already."""
    said = reason[:2000] or "no reason given"
    return _end(by, trial, TrialState.FAILED, now, reason=said)


@transaction.atomic
def _end(by: User, trial: JudgeTrial, state: TrialState, now: datetime, **fields: Any) -> bool:
    # A worker that lost its session may deliver after another one: the first end stands.
    ended = JudgeTrial.objects.filter(pk=trial.pk, state=TrialState.WAITING).update(
        state=state, finished_at=now, **fields
    )
    if ended:
        reason = {"reason": fields["reason"][:500]} if "reason" in fields else {}
        events.record(
            by=by,
            action=f"judge trial {state}",
            project=trial.project,
            subject=trial.uid,
            **reason,
        )
    return bool(ended)


def _ask(function: str, trial: JudgeTrial) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s, %s)", [LOCKS, trial.pk])
        return bool(cursor.fetchone()[0])
