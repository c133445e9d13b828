"""Label solutions by Monte-Carlo estimation."""

from __future__ import annotations

from collections.abc import Sequence

from labeling.domain.labels import VerdictState
from labeling.domain.monte_carlo import McMode
from labeling.domain.seeds import completer_hash, is_audited
from labeling.models import Run, Solution, User, Verdict
from labeling.selectors.rollouts import StoredRollout, drawn_before
from labeling.services import verdicts
from labeling.services.verdicts import NewRollout, NewVerdict
from workers.engines.protocol import Completion, Sample
from workers.grading import Grader, shared_grader
from workers.labeling.flow import Talk
from workers.labeling.mc import Known, McConfig, McResult, McTask, estimate, sample_of


class McDesk:
    """Estimates solutions; see workers.chunks.desks.

    A problem without a reference answer cannot be estimated: its verdict is unscored and says so.
    """

    def __init__(self, run: Run) -> None:
        self._run, self._config = run, _config(run)
        self._grader = shared_grader()

    def talks(self, items: Sequence[int]) -> list[Talk[McResult]]:
        """Return a talk per solution."""
        solutions = list(
            Solution.objects.filter(pk__in=items)
            .select_related("problem")
            .order_by("problem", "pk")
        )
        judged = self._judged(items)
        known = self._known(solutions)
        return [
            estimate(
                self._task(s, judged.get(s.pk)), self._grader, self._config, known[s.problem_id]
            )
            if s.problem.answer
            else _unanswerable(s)
            for s in solutions
        ]

    def store(self, results: Sequence[McResult], by: User) -> list[int]:
        """Store verdicts with their rollouts."""
        labeler = self._run.labeler
        assert labeler is not None  # noqa: S101 - constraint run_labels_by_a_labeler
        new = [_verdict(result) for result in results]
        verdicts.record(by=by, labeler=labeler, verdicts=new, run=self._run)
        return [result.solution_id for result in results]

    def _judged(self, items: Sequence[int]) -> dict[int, int | None]:
        """Return the judge's first errors (mode consensus); None where it said nothing."""
        judge = self._run.config.get("judge")
        if not judge:
            return {}
        rows = Verdict.objects.filter(labeler__uid=judge, solution__in=items)
        return dict(rows.values_list("solution", "first_error"))

    def _known(self, solutions: Sequence[Solution]) -> dict[int, Known]:
        """Return per problem what labelers with the same completer have drawn already."""
        stored = drawn_before(self._run.project, self._config.completer, solutions)
        problems = {s.problem_id: s.problem for s in solutions}
        return {
            pk: dict(
                _known_one(problem.content_hash, problem.statement, row, self._config)
                for row in stored.get(pk, ())
            )
            for pk, problem in problems.items()
        }

    def _task(self, solution: Solution, judged: int | None) -> McTask:
        problem = solution.problem
        return McTask(
            solution_id=solution.pk,
            problem_id=problem.content_hash,
            statement=problem.statement,
            steps=tuple(solution.steps),
            gaps=tuple(solution.gaps),
            gold=problem.answer,
            own_answer_correct=_own_answer_correct(solution, self._grader),
            judged=judged,
            audited=is_audited(
                solution.content_hash,
                self._config.completer,
                self._run.config.get("audit_share", 0.0),
            ),
        )


def _config(run: Run) -> McConfig:
    config = run.config
    return McConfig(
        n=config["n"],
        mode=McMode(config["mode"]),
        template=config["template"],
        temperature=config["temperature"],
        max_tokens=config["max_tokens"],
        completer=completer_hash(config),
    )


def _own_answer_correct(solution: Solution, grader: Grader) -> bool:
    if solution.final_answer_correct is not None:
        return solution.final_answer_correct
    answer = solution.final_answer
    return answer is not None and grader.grade(solution.problem.answer, answer).correct


def _known_one(
    problem_id: str, statement: str, row: StoredRollout, config: McConfig
) -> tuple[Sample, Completion]:
    sample = sample_of(problem_id, statement, row.steps, row.gaps, row.sample, config)
    return sample, Completion(row.text, "length" if row.finish_reason == "length" else "stop", 0, 0)


def _unanswerable(solution: Solution) -> Talk[McResult]:
    yield from ()
    reason = "the problem has no reference answer to check completions against"
    return McResult(solution.pk, None, reason=reason, against="")


def _verdict(result: McResult) -> NewVerdict:
    found = result.estimate
    if found is None:
        return NewVerdict(
            result.solution_id, VerdictState.UNSCORED, reason=result.reason, against=result.against
        )
    refuted = found.refuted_at
    return NewVerdict(
        solution_id=result.solution_id,
        state=VerdictState.SCORED if refuted is None else VerdictState.REFUTED,
        first_error=found.first_error,
        step_labels=found.step_labels,
        reason="" if refuted is None else f"refutes the judge at step {refuted + 1}",
        against=result.against,
        fields={
            "mc_k": list(found.k),
            "mc_n": list(found.n),
            "refuted_at": refuted,
            "completions": found.completions,
            "exhaustive_completions": found.exhaustive_completions,
            "prompt_tokens": result.prompt_tokens,
            "completion_tokens": result.completion_tokens,
        },
        rollouts=[
            NewRollout(r.step, r.sample, r.text, r.answer, r.correct, r.finish_reason)
            for r in result.rollouts
        ],
    )
