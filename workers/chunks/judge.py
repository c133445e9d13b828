"""Label a chunk of solutions by an LLM judge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from labeling.domain.judging import Parsed
from labeling.domain.labels import VerdictState
from labeling.models import Run, Solution, User
from labeling.services import verdicts
from labeling.services.verdicts import NewVerdict
from workers.chunks.batches import in_batches
from workers.chunks.models import engine_of
from workers.labeling.judge import JudgeConfig, JudgeResult, JudgeTask, judge_many


def label(run: Run, ids: Sequence[int], by: User) -> Iterator[int]:
    """Judge the solutions; yield the number of verdicts after each transaction.

    An answer that cannot be read is stored as an unscored verdict with the reason and the text.
    """
    labeler = run.labeler
    if labeler is None:
        raise ValueError("a judge run has a labeler")
    solutions = Solution.objects.filter(pk__in=ids).select_related("problem").order_by("pk")
    tasks = [JudgeTask(s.pk, s.problem.statement, tuple(s.steps)) for s in solutions]
    results = judge_many(tasks, engine_of(run.config), _config(run))
    for batch in in_batches(results):
        new = [_verdict(result) for result in batch]
        yield verdicts.record(by=by, labeler=labeler, verdicts=new, run=run)


def _config(run: Run) -> JudgeConfig:
    config = run.config
    return JudgeConfig(
        template=config["template"],
        temperature=config["temperature"],
        max_tokens=config["max_tokens"],
        labeler_hash=run.config_hash,
    )


def _verdict(result: JudgeResult) -> NewVerdict:
    reading, fields = (
        result.reading,
        {
            "critique": result.critique,
            "completions": result.completions,
            "prompt_tokens": result.prompt_tokens,
            "completion_tokens": result.completion_tokens,
        },
    )
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
