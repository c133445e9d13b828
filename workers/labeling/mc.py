"""Estimate a solution's first error by Monte-Carlo: a talk with the engine, wave by wave."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from labeling.domain import monte_carlo
from labeling.domain.answers import final_answer
from labeling.domain.monte_carlo import Estimate, McMode, Wave
from labeling.domain.prompts import completion_template, render
from labeling.domain.seeds import sample_seed
from workers.engines.protocol import Completion, EngineRefused, Sample
from workers.grading import Grade
from workers.labeling.asking import written
from workers.labeling.flow import Drawn, Talk


class Grades(Protocol):
    """What compares a completion's answer with the gold one (workers.grading.Grader)."""

    def grade(self, gold: str, prediction: str | None) -> Grade: ...


@dataclass(frozen=True, slots=True)
class McTask:
    """One solution to estimate. `problem_id` is any stable name of the problem.

    `judged` is the judge's first error (mode CONSENSUS); `audited`: see monte_carlo.State.
    """

    solution_id: int
    problem_id: str
    statement: str
    steps: tuple[str, ...]
    gaps: tuple[str, ...]
    gold: str
    own_answer_correct: bool
    judged: int | None = None
    audited: bool = False


@dataclass(frozen=True, slots=True)
class McConfig:
    """How to estimate; `completer` (seeds.completer_hash) makes a sampler's seeds its own."""

    n: int
    mode: McMode
    template: str
    temperature: float
    max_tokens: int
    completer: str


@dataclass(frozen=True, slots=True)
class Rollout:
    """One completion after step `step` (0-based); `answer` is None where it wrote none."""

    step: int
    sample: int
    text: str
    answer: str | None
    correct: bool
    finish_reason: str


@dataclass(frozen=True, slots=True)
class McResult:
    """One solution's estimate with its evidence; None and a reason where the engine refused it.

    Tokens are what this solution's own requests took, each with its whole prompt, as a provider
    counts them; a completion that was drawn for another solution already costs nothing.
    """

    solution_id: int
    estimate: Estimate | None
    rollouts: tuple[Rollout, ...] = ()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    reason: str = ""
    against: str | None = None
    """The reference answer that the completions were counted against."""


Known = Mapping[Sample, Completion]
"""Completions of a problem that were drawn before: they are not drawn again."""


def estimate(
    task: McTask, grader: Grades, config: McConfig, known: Known = MappingProxyType({})
) -> Talk[McResult]:
    """Draw the waves that the mode asks for, as far as they are not known; return the result."""
    state = monte_carlo.start(
        len(task.steps),
        config.n,
        config.mode,
        task.own_answer_correct,
        judged=task.judged,
        audited=task.audited,
    )
    evidence = _Evidence()
    while (wave := monte_carlo.next_wave(state)) is not None:
        drawn = yield from _draw(samples_of(task, wave, config), known)
        refusal = next((d.answer for d in drawn if isinstance(d.answer, EngineRefused)), None)
        if refusal is not None:
            return McResult(
                task.solution_id, None, reason=f"the engine refused: {refusal}", against=task.gold
            )
        state = monte_carlo.observe(state, evidence.add(task, wave, drawn, grader))
    return McResult(
        task.solution_id,
        monte_carlo.estimate(state),
        tuple(evidence.rollouts),
        evidence.prompt_tokens,
        evidence.completion_tokens,
        against=task.gold,
    )


def _draw(
    samples: Sequence[Sample], known: Known
) -> Generator[Sequence[Sample], Sequence[Drawn], list[Drawn]]:
    missing = [sample for sample in samples if sample not in known]
    fresh = dict(zip(missing, (yield missing) if missing else (), strict=True))
    return [fresh.get(s) or Drawn(known[s], fresh=False) for s in samples]


def samples_of(task: McTask, wave: Wave, config: McConfig) -> list[Sample]:
    """Return the samples of a wave."""
    count = wave.step + 1
    steps, gaps = task.steps[:count], task.gaps[: count + 1]
    return [
        sample_of(task.problem_id, task.statement, steps, gaps, number, config)
        for number in wave.samples
    ]


def sample_of(
    problem_id: str,
    statement: str,
    steps: Sequence[str],
    gaps: Sequence[str],
    number: int,
    config: McConfig,
) -> Sample:
    """Return a prefix's sample of this number; solutions that share the prefix share it."""
    prompt = render(config.template, statement, steps, gaps or None)
    return Sample(
        prompt,
        sample_seed(config.completer, problem_id, written(prompt), number),
        config.max_tokens,
        config.temperature,
        completion_template(config.template).stop,
        problem_id,
    )


@dataclass(slots=True)
class _Evidence:
    rollouts: list[Rollout] = field(default_factory=list)
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def add(self, task: McTask, wave: Wave, drawn: Sequence[Drawn], grader: Grades) -> list[bool]:
        """Note a wave's completions; return which of them reach the reference answer."""
        outcomes = []
        for number, one in zip(wave.samples, drawn, strict=True):
            completion = one.answer
            assert isinstance(completion, Completion)  # noqa: S101 - refusals ended the talk
            answer = final_answer(completion.text)
            correct = grader.grade(task.gold, answer).correct
            self.rollouts.append(
                Rollout(
                    wave.step, number, completion.text, answer, correct, completion.finish_reason
                )
            )
            if one.fresh:
                self.prompt_tokens += completion.prompt_tokens
                self.completion_tokens += completion.completion_tokens
            outcomes.append(correct)
        return outcomes
