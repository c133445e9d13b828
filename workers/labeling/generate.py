"""Let a policy model write solutions, split them into steps and grade them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from labeling.domain.answers import final_answer
from labeling.domain.monte_carlo import sample_seed
from labeling.domain.prompts import completion_template, render
from labeling.domain.refusals import Invalid
from labeling.domain.steps import SplitRule, Steps, split
from workers.engines.protocol import Completion, CompletionRequest, Engine, EngineRefused
from workers.labeling.asking import ask, written
from workers.labeling.mc import Grades

AT_ONCE = 32
"""Problems in one call of the engine."""


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

    `correct` is None where the problem has no reference answer. `prompt_tokens` stand at the
    first sample of a problem: the prompt counts once.
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


def generate_many(
    tasks: Sequence[GenerateTask], engine: Engine, grader: Grades, config: GenerateConfig
) -> Iterator[GeneratedSolution]:
    """Yield `config.samples` solutions per task, task by task.

    A problem that the engine refuses gives samples without text whose finish reason is "refused".
    Raise EngineUnavailable; what was yielded before stands.
    """
    for begin in range(0, len(tasks), AT_ONCE):
        some = tasks[begin : begin + AT_ONCE]
        answers = ask(engine, [_request(task, config) for task in some])
        for task, answer in zip(some, answers, strict=True):
            for sample in range(config.samples):
                if isinstance(answer, EngineRefused):
                    yield _refused(task, sample)
                else:
                    yield _solution(task, sample, answer[sample], grader, config.split_rule)


def _request(task: GenerateTask, config: GenerateConfig) -> CompletionRequest:
    prompt = render(config.template, task.statement, ())
    seeds = tuple(
        sample_seed(config.labeler_hash, task.key, written(prompt), sample)
        for sample in range(config.samples)
    )
    stop = completion_template(config.template).stop
    return CompletionRequest(prompt, seeds, config.max_tokens, config.temperature, stop)


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
        prompt_tokens=completion.prompt_tokens if sample == 0 else 0,
        completion_tokens=completion.completion_tokens,
    )


def _steps(text: str, rule: SplitRule) -> Steps:
    try:
        return split(text, rule)
    except Invalid:  # blank, or too slow for the user's pattern: one text must not stop the run
        return Steps((), (text,))


def _refused(task: GenerateTask, sample: int) -> GeneratedSolution:
    return GeneratedSolution(task.problem_id, sample, "", (), ("",), None, None, "refused", 0, 0)
