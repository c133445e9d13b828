"""Let a policy model write solutions to a chunk of problems."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from labeling.domain.steps import SplitKind, SplitRule
from labeling.models import Problem, Run, User
from labeling.services import samplings
from labeling.services.samplings import Drawn, NewSolution
from workers.chunks.models import engine_of
from workers.grading import shared_grader
from workers.labeling.generate import (
    GenerateConfig,
    GeneratedSolution,
    GenerateTask,
    generate_many,
)


def draw(run: Run, ids: Sequence[int], by: User) -> Iterator[int]:
    """Sample solutions; yield the number of problems done."""
    problems = list(Problem.objects.filter(pk__in=ids).order_by("pk"))
    tasks = [GenerateTask(p.pk, p.content_hash, p.statement, p.answer) for p in problems]
    engine = engine_of(run.config)
    found: dict[int, list[GeneratedSolution]] = defaultdict(list)
    for sample in generate_many(tasks, engine, shared_grader(), _config(run)):
        found[sample.problem_id].append(sample)
    drawn = [_drawn(problem.pk, found[problem.pk]) for problem in problems]
    samplings.record(by=by, run=run, drawn=drawn)
    yield len(drawn)


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
