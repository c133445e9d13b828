"""Let a policy model write solutions to a problem, split them into steps and grade them."""

from __future__ import annotations

from dataclasses import dataclass

from labeling.domain.answers import final_answer
from labeling.domain.prompts import completion_template, render
from labeling.domain.refusals import Invalid
from labeling.domain.seeds import sample_seed
from labeling.domain.steps import SplitRule, Steps, split
from workers.engines.protocol import Completion, EngineRefused, Sample
from workers.labeling.asking import written
from workers.labeling.flow import Talk
from workers.labeling.mc import Grades


@dataclass(frozen=True, slots=True)
class GenerateTask:
    """One problem to solve. `key` is its stable name for the seeds; no gold = not graded."""

    problem_id: int
    key: str
    statement: str
    gold: str = ""


@dataclass(frozen=True, slots=True)
class GenerateConfig:
    """How to sample; `labeler_hash` makes the seeds of one configuration its own."""

    samples: int
    template: str
    temperature: float
    max_tokens: int
    split_rule: SplitRule
    labeler_hash: str


@dataclass(frozen=True, slots=True)
class GeneratedSolution:
    """One sampled solution. No steps = nothing usable was written.

    `correct` is None where the problem has no reference answer.
    """

    problem_id: int
    sample: int
    text: str
    steps: tuple[str, ...]
    gaps: tuple[str, ...]
    final_answer: str | None
    correct: bool | None
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


def generate(
    task: GenerateTask, grader: Grades, config: GenerateConfig
) -> Talk[list[GeneratedSolution]]:
    """Draw `config.samples` solutions; return them in the order of their sample numbers.

    A problem that the engine refuses gives samples without text whose finish reason is "refused".
    """
    drawn = yield _samples(task, config)
    return [
        _refused(task, number)
        if isinstance(one.answer, EngineRefused)
        else _solution(task, number, one.answer, grader, config.split_rule)
        for number, one in enumerate(drawn)
    ]


def _samples(task: GenerateTask, config: GenerateConfig) -> list[Sample]:
    prompt = render(config.template, task.statement, ())
    stop = completion_template(config.template).stop
    return [
        Sample(
            prompt,
            sample_seed(config.labeler_hash, task.key, written(prompt), number),
            config.max_tokens,
            config.temperature,
            stop,
            task.key,
        )
        for number in range(config.samples)
    ]


def _solution(
    task: GenerateTask, sample: int, completion: Completion, grader: Grades, rule: SplitRule
) -> GeneratedSolution:
    answer = final_answer(completion.text)
    steps = _steps(completion.text, rule)
    return GeneratedSolution(
        problem_id=task.problem_id,
        sample=sample,
        text=completion.text,
        steps=steps.parts,
        gaps=steps.gaps,
        final_answer=answer,
        correct=grader.grade(task.gold, answer).correct if task.gold else None,
        finish_reason=completion.finish_reason,
        prompt_tokens=completion.prompt_tokens,
        completion_tokens=completion.completion_tokens,
    )


def _steps(text: str, rule: SplitRule) -> Steps:
    try:
        return split(text, rule)
    except Invalid:  # blank, or too slow for the user's pattern: one text must not stop the run
        return Steps((), (text,))


def _refused(task: GenerateTask, sample: int) -> GeneratedSolution:
    return GeneratedSolution(task.problem_id, sample, "", (), ("",), None, None, "refused", 0, 0)
