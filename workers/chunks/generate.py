"""Let a policy model write solutions to problems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from labeling.domain.steps import SplitKind, SplitRule
from labeling.models import Problem, Run, User
from labeling.services import samplings
from labeling.services.samplings import Drawn, NewSolution
from workers.grading import shared_grader
from workers.labeling.flow import Talk
from workers.labeling.generate import (
    GenerateConfig,
    GeneratedSolution,
    GenerateTask,
    generate,
)


class GenerateDesk:
    """Samples solutions of problems; see workers.chunks.desks."""

    def __init__(self, run: Run) -> None:
        self._run, self._config = run, _config(run)
        self._grader = shared_grader()
        self._graded_by: dict[int, str] = {}

    def talks(self, items: Sequence[int]) -> list[Talk[list[GeneratedSolution]]]:
        """Return a talk per problem."""
        problems = list(Problem.objects.filter(pk__in=items).order_by("pk"))
        self._graded_by |= {p.pk: p.answer for p in problems}
        tasks = (GenerateTask(p.pk, p.content_hash, p.statement, p.answer) for p in problems)
        return [generate(task, self._grader, self._config) for task in tasks]

    def store(self, results: Sequence[list[GeneratedSolution]], by: User) -> list[int]:
        """Store each problem's new solutions and what was drawn for it."""
        drawn = [self._drawn(samples) for samples in results]
        samplings.record(by=by, run=self._run, drawn=drawn)
        return [one.problem_id for one in drawn]

    def _drawn(self, samples: Sequence[GeneratedSolution]) -> Drawn:
        problem = samples[0].problem_id
        return replace(_drawn(problem, samples), against=self._graded_by.pop(problem, None))


def _config(run: Run) -> GenerateConfig:
    config = run.config
    return GenerateConfig(
        samples=config["samples"],
        template=config["template"],
        temperature=config["temperature"],
        max_tokens=config["max_tokens"],
        split_rule=SplitRule(
            SplitKind(config.get("split", "paragraphs")), config.get("pattern", "")
        ),
        labeler_hash=run.config_hash,
    )


def _drawn(problem_id: int, samples: Sequence[GeneratedSolution]) -> Drawn:
    usable = [sample for sample in samples if sample.steps]
    return Drawn(
        problem_id=problem_id,
        solutions=[
            NewSolution(
                steps=sample.steps,
                gaps=sample.gaps,
                final_answer=sample.final_answer,
                final_answer_correct=sample.correct,
                generator_config={"sample": sample.sample, "finish_reason": sample.finish_reason},
            )
            for sample in usable
        ],
        unusable=len(samples) - len(usable),
        reason=_reason(samples, len(usable)),
        prompt_tokens=sum(sample.prompt_tokens for sample in samples),
        completion_tokens=sum(sample.completion_tokens for sample in samples),
    )


def _reason(samples: Sequence[GeneratedSolution], usable: int) -> str:
    if usable == len(samples):
        return ""
    refused = any(sample.finish_reason == "refused" for sample in samples)
    return "the engine refused the prompt" if refused else "the model wrote no step"
