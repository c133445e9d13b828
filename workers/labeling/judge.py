"""Ask a judge about a solution, once or several times."""

from __future__ import annotations

from collections.abc import Sequence
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
from labeling.domain.seeds import sample_seed
from workers.engines.protocol import Completion, EngineRefused, Sample
from workers.labeling.asking import written
from workers.labeling.flow import Drawn, Talk


@dataclass(frozen=True, slots=True)
class JudgeTask:
    """One solution to judge."""

    solution_id: int
    statement: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JudgeConfig:
    """How to judge. With several `votes` the verdict that most of them name counts.

    `text` is the user's own wording; `reply` then names its reply form (ReplyForm).
    """

    template: str
    temperature: float
    max_tokens: int
    labeler_hash: str
    votes: int = 1
    text: str = ""
    reply: str = ""

    def judge(self) -> JudgeTemplate:
        """Return the template; raise UnknownTemplate or BadTemplate."""
        if self.text:
            return custom(self.text, ReplyForm(self.reply))
        return judge_template(self.template)


@dataclass(frozen=True, slots=True)
class JudgeResult:
    """One solution's verdict, or why there is none, with the reply of the vote it follows.

    `votes` are the readings of all replies. `completions` is 0 where the engine refused the
    request.
    """

    solution_id: int
    reading: Reading
    critique: str = ""
    finish_reason: str = "refused"
    completions: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    votes: tuple[Reading, ...] = ()


def judge(task: JudgeTask, template: JudgeTemplate, config: JudgeConfig) -> Talk[JudgeResult]:
    """Ask for all votes at once; return the result."""
    prompt = template.render(task.statement, task.steps)
    drawn = yield [
        Sample(
            prompt,
            sample_seed(config.labeler_hash, task.statement, written(prompt), vote),
            config.max_tokens,
            config.temperature,
            group=task.statement,
        )
        for vote in range(config.votes)
    ]
    refusal = next((d.answer for d in drawn if isinstance(d.answer, EngineRefused)), None)
    if refusal is not None:
        return JudgeResult(task.solution_id, Unparsed(f"the engine refused: {refusal}"))
    return _result(task, template, drawn)


def _result(task: JudgeTask, template: JudgeTemplate, drawn: Sequence[Drawn]) -> JudgeResult:
    replies = [one.answer for one in drawn if isinstance(one.answer, Completion)]
    votes = [_read(template, reply, len(task.steps)) for reply in replies]
    reading = majority(votes)
    shown = replies[votes.index(reading) if reading in votes else 0]
    paid = [reply for reply, one in zip(replies, drawn, strict=True) if one.fresh]
    return JudgeResult(
        solution_id=task.solution_id,
        reading=reading,
        critique=shown.text,
        finish_reason=shown.finish_reason,
        completions=len(replies),
        prompt_tokens=sum(reply.prompt_tokens for reply in paid),
        completion_tokens=sum(reply.completion_tokens for reply in paid),
        votes=tuple(votes),
    )


def _read(template: JudgeTemplate, completion: Completion, step_count: int) -> Reading:
    reading = template.parse(completion.text, step_count)
    if isinstance(reading, Unparsed) and completion.finish_reason == "length":
        return Unparsed(f"{reading.reason} (the reply was cut short)")
    return reading
