"""Ask a judge about many solutions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from labeling.domain.judging import (
    JudgeTemplate,
    Reading,
    ReplyForm,
    Unparsed,
    custom,
    judge_template,
    majority,
)
from labeling.domain.monte_carlo import sample_seed
from workers.engines.protocol import Completion, CompletionRequest, Engine, EngineRefused
from workers.labeling.asking import Answer, ask, written

AT_ONCE = 64
"""Solutions in one call of the engine: enough for a full batch, few to do again after a crash."""


@dataclass(frozen=True, slots=True)
class JudgeTask:
    """One solution to judge."""

    solution_id: int
    statement: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JudgeConfig:
    """How to judge. With several `votes` the verdict that most of them name counts.

    `text` is the user's own wording; `template` then names its reply form (ReplyForm).
    """

    template: str
    temperature: float
    max_tokens: int
    labeler_hash: str
    votes: int = 1
    text: str = ""

    def judge(self) -> JudgeTemplate:
        """Return the template; raise UnknownTemplate or BadTemplate."""
        if self.text:
            return custom(self.text, ReplyForm(self.template))
        return judge_template(self.template)


@dataclass(frozen=True, slots=True)
class JudgeResult:
    """One solution's verdict, or why there is none, with the reply of the vote it follows.

    `completions` is 0 where the engine refused the request.
    """

    solution_id: int
    reading: Reading
    critique: str
    finish_reason: str
    completions: int
    prompt_tokens: int
    completion_tokens: int


def judge_many(
    tasks: Sequence[JudgeTask], engine: Engine, config: JudgeConfig
) -> Iterator[JudgeResult]:
    """Yield each task's result, in order. Raise EngineUnavailable; what was yielded stands."""
    template = config.judge()
    for begin in range(0, len(tasks), AT_ONCE):
        some = tasks[begin : begin + AT_ONCE]
        requests = [_request(task, template, config) for task in some]
        for task, answer in zip(some, ask(engine, requests), strict=True):
            yield _result(task, template, answer)


def _request(task: JudgeTask, template: JudgeTemplate, config: JudgeConfig) -> CompletionRequest:
    prompt = template.render(task.statement, task.steps)
    seeds = (
        sample_seed(config.labeler_hash, task.statement, written(prompt), vote)
        for vote in range(config.votes)
    )
    return CompletionRequest(prompt, tuple(seeds), config.max_tokens, config.temperature)


def _result(task: JudgeTask, template: JudgeTemplate, answer: Answer) -> JudgeResult:
    if isinstance(answer, EngineRefused):
        refused = Unparsed(f"the engine refused: {answer}")
        return JudgeResult(task.solution_id, refused, "", "refused", 0, 0, 0)
    votes = [_read(template, completion, len(task.steps)) for completion in answer]
    reading = majority(votes)
    shown = answer[votes.index(reading) if reading in votes else 0]
    return JudgeResult(
        solution_id=task.solution_id,
        reading=reading,
        critique=shown.text,
        finish_reason=shown.finish_reason,
        completions=len(answer),
        prompt_tokens=answer[0].prompt_tokens,
        completion_tokens=sum(completion.completion_tokens for completion in answer),
    )


def _read(template: JudgeTemplate, completion: Completion, step_count: int) -> Reading:
    reading = template.parse(completion.text, step_count)
    if isinstance(reading, Unparsed) and completion.finish_reason == "length":
        return Unparsed(f"{reading.reason} (the reply was cut short)")
    return reading
