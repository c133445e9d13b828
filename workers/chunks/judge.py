"""Label solutions by an LLM judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labeling.domain.judging import Parsed
from labeling.domain.labels import VerdictState
from labeling.models import Run, Solution, User
from labeling.services import verdicts
from labeling.services.verdicts import NewVerdict
from workers.labeling.flow import Talk
from workers.labeling.judge import JudgeConfig, JudgeResult, JudgeTask, judge


class JudgeDesk:
    """Judges solutions; see workers.chunks.desks.

    An answer that cannot be read is stored as an unscored verdict with the reason and the text.
    """

    def __init__(self, run: Run) -> None:
        self._run, self._config = run, judge_config(run.config, run.config_hash)
        self._template = self._config.judge()

    def talks(self, items: Sequence[int]) -> list[Talk[JudgeResult]]:
        """Return a talk per solution."""
        solutions = Solution.objects.filter(pk__in=items).select_related("problem")
        return [
            judge(
                JudgeTask(s.pk, s.problem.statement, tuple(s.steps)), self._template, self._config
            )
            for s in solutions.order_by("problem", "pk")
        ]

    def store(self, results: Sequence[JudgeResult], by: User) -> list[int]:
        """Store verdicts with their critiques."""
        labeler = self._run.labeler
        assert labeler is not None  # noqa: S101 - constraint run_labels_by_a_labeler
        new = [_verdict(result) for result in results]
        verdicts.record(by=by, labeler=labeler, verdicts=new, run=self._run)
        return [result.solution_id for result in results]


def judge_config(config: Mapping[str, Any], labeler_hash: str) -> JudgeConfig:
    """Return how a run's (or trial's) configuration wants to judge."""
    return JudgeConfig(
        template=config["template"],
        temperature=config["temperature"],
        max_tokens=config["max_tokens"],
        labeler_hash=labeler_hash,
        votes=config.get("votes", 1),
        text=config.get("text", ""),
        reply=config.get("reply", ""),
    )


def _verdict(result: JudgeResult) -> NewVerdict:
    reading = result.reading
    fields = {
        "critique": result.critique,
        "completions": result.completions,
        "prompt_tokens": result.prompt_tokens,
        "completion_tokens": result.completion_tokens,
    }
    if not isinstance(reading, Parsed):
        return NewVerdict(
            result.solution_id, VerdictState.UNSCORED, reason=reading.reason, fields=fields
        )
    return NewVerdict(
        result.solution_id,
        VerdictState.SCORED,
        reading.first_error,
        reading.step_labels,
        fields=fields,
    )
