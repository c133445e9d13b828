"""Carry out a judge's dry run: a handful of solutions, shown and labeled by nobody."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import OperationalError
from django.utils import timezone

from labeling.domain.hashing import config_hash
from labeling.domain.judging import Parsed, Reading
from labeling.domain.refusals import Refusal
from labeling.models import JudgeTrial, Solution, User
from labeling.services import judging
from workers.chunks.judge import judge_config
from workers.chunks.models import engine_of
from workers.engines.protocol import EngineError
from workers.labeling.flow import Talk, converse
from workers.labeling.judge import JudgeResult, JudgeTask, judge

log = logging.getLogger("workers")


def carry_out(*, by: User, uid: str) -> None:
    """Try the judge, if the trial still waits and no other worker does; end it either way.

    Without a database it goes on waiting: the sweeper rings again.
    """
    with judging.taken(uid=uid) as trial:
        if trial is None:
            return
        try:
            _carry_out(by, trial)
        except OperationalError:
            log.exception("trial %s: no database", uid)
        except (EngineError, Refusal) as error:
            _fail(by, trial, str(error))
        except Exception as error:
            log.exception("trial %s failed", uid)
            _fail(by, trial, f"{type(error).__name__}: {error}")


def _carry_out(by: User, trial: JudgeTrial) -> None:
    answered: dict[str, dict[str, Any]] = {}
    results: list[dict[str, Any]] = []
    for some in _answers(trial):
        answered |= some
        results = [answered[uid] for uid in trial.solutions if uid in answered]
        judging.progressed(trial=trial, results=results)
    judging.finish(by=by, trial=trial, results=results, now=timezone.now())


def _fail(by: User, trial: JudgeTrial, reason: str) -> None:
    log.warning("trial %s: %s", trial.uid, reason)
    judging.fail(by=by, trial=trial, reason=reason, now=timezone.now())


def _answers(trial: JudgeTrial) -> Iterator[dict[str, dict[str, Any]]]:
    """Yield results by the solutions' uids as they come.

    The seeds are those of a run with this configuration: it would draw the same replies.
    """
    config = judge_config(trial.config, config_hash(trial.config))
    template = config.judge()
    rows = Solution.objects.filter(project=trial.project, uid__in=trial.solutions)
    solutions = {row.pk: row for row in rows.select_related("problem").order_by("pk")}
    tasks = [JudgeTask(s.pk, s.problem.statement, tuple(s.steps)) for s in solutions.values()]
    waiting = [judge(task, template, config) for task in tasks]

    def pull(room: int) -> Sequence[Talk[JudgeResult]]:
        some, waiting[:] = waiting[:room], waiting[room:]
        return some

    engine = engine_of(trial)  # may load a model, which is no time of the replies
    begin = time.monotonic()
    for results in converse(engine, pull):
        seconds = time.monotonic() - begin
        if results:
            uids = (solutions[result.solution_id].uid for result in results)
            yield {
                uid: _shown(uid, result, seconds) for uid, result in zip(uids, results, strict=True)
            }


def _shown(uid: str, result: JudgeResult, seconds: float) -> dict[str, Any]:
    reading = result.reading
    return {
        "solution": uid,
        "first_error": _first_error(reading),
        "reason": "" if isinstance(reading, Parsed) else reading.reason,
        "reply": result.critique.replace("\x00", "\N{REPLACEMENT CHARACTER}"),  # JSON holds no NUL
        "finish_reason": result.finish_reason,
        "votes": [_first_error(vote) for vote in result.votes],
        "prompt_tokens": result.prompt_tokens,
        "completion_tokens": result.completion_tokens,
        "seconds": round(seconds, 2),
    }


def _first_error(reading: Reading) -> int | None:
    return reading.first_error if isinstance(reading, Parsed) else None
