"""Label a chunk of solutions by Monte-Carlo estimation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from labeling.domain.labels import VerdictState
from labeling.domain.monte_carlo import McMode
from labeling.models import Run, Solution, User
from labeling.services import verdicts
from labeling.services.verdicts import NewRollout, NewVerdict
from workers.chunks.batches import in_batches
from workers.chunks.models import engine_of
from workers.grading import Grader, shared_grader
from workers.labeling.mc import McConfig, McResult, McTask, estimate_many


def label(run: Run, ids: Sequence[int], by: User) -> Iterator[int]:
    """Estimate the solutions; yield the number of verdicts after each transaction.

    A problem without a reference answer cannot be estimated: its verdict is unscored and says so.
    """
    labeler = run.labeler
    if labeler is None:
        raise ValueError("an mc run has a labeler")
    solutions = list(Solution.objects.filter(pk__in=ids).select_related("problem").order_by("pk"))
    ready = [s for s in solutions if s.problem.answer]
    bare = [_without_answer(s) for s in solutions if not s.problem.answer]
    if bare:
        yield verdicts.record(by=by, labeler=labeler, verdicts=bare, run=run)
    if not ready:
        return
    engine, grader = engine_of(run.config), shared_grader()
    tasks = [_task(s, grader) for s in ready]
    results = estimate_many(tasks, engine, grader, _config(run))
    for batch in in_batches(results):
        new = [_verdict(result) for result in batch]
        yield verdicts.record(by=by, labeler=labeler, verdicts=new, run=run)


def _config(run: Run) -> McConfig:
    config = run.config
    return McConfig(
        n=config["n"],
        mode=McMode(config["mode"]),
        template=config["template"],
        temperature=config["temperature"],
        max_tokens=config["max_tokens"],
        labeler_hash=run.config_hash,
    )


def _task(solution: Solution, grader: Grader) -> McTask:
    problem = solution.problem
    correct = solution.final_answer_correct
    if correct is None:
        answer = solution.final_answer
        correct = answer is not None and grader.grade(problem.answer, answer).correct
    return McTask(
        solution_id=solution.pk,
        problem_id=problem.content_hash,
        statement=problem.statement,
        steps=tuple(solution.steps),
        gaps=tuple(solution.gaps),
        gold=problem.answer,
        own_answer_correct=correct,
    )


def _without_answer(solution: Solution) -> NewVerdict:
    reason = "the problem has no reference answer to check completions against"
    return NewVerdict(solution.pk, VerdictState.UNSCORED, reason=reason)


def _verdict(result: McResult) -> NewVerdict:
    estimate = result.estimate
    if estimate is None:
        reason = f"the engine refused: {result.reason}"
        return NewVerdict(result.solution_id, VerdictState.UNSCORED, reason=reason)
    return NewVerdict(
        solution_id=result.solution_id,
        state=VerdictState.SCORED,
        first_error=estimate.first_error,
        step_labels=estimate.step_labels,
        fields={
            "mc_k": list(estimate.k),
            "mc_n": list(estimate.n),
            "completions": estimate.completions,
            "exhaustive_completions": estimate.exhaustive_completions,
            "prompt_tokens": result.prompt_tokens,
            "completion_tokens": result.completion_tokens,
        },
        rollouts=[
            NewRollout(r.step, r.sample, r.text, r.answer, r.correct, r.finish_reason)
            for r in result.rollouts
        ],
    )
