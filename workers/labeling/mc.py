"""Run Monte-Carlo estimation of many solutions at once: each round draws every one's next wave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from labeling.domain import monte_carlo
from labeling.domain.answers import final_answer
from labeling.domain.monte_carlo import Estimate, McMode, State, Wave, sample_seed
from labeling.domain.prompts import Prompt, completion_template, render
from workers.engines.protocol import Completion, CompletionRequest, Engine, EngineRefused
from workers.grading import Grade
from workers.labeling.asking import ask, by_prompt, written


class Grades(Protocol):
    """What compares a completion's answer with the gold one (workers.grading.Grader)."""

    def grade(self, gold: str, prediction: str | None) -> Grade: ...


@dataclass(frozen=True, slots=True)
class McTask:
    """One solution to estimate. `problem_id` is any stable name of the problem."""

    solution_id: int
    problem_id: str
    statement: str
    steps: tuple[str, ...]
    gaps: tuple[str, ...]
    gold: str
    own_answer_correct: bool


@dataclass(frozen=True, slots=True)
class McConfig:
    """How to estimate; `labeler_hash` makes the seeds of one configuration its own."""

    n: int
    mode: McMode
    template: str
    temperature: float
    max_tokens: int
    labeler_hash: str


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

    Tokens are what this solution's own requests took: a completion that was drawn for another
    solution already costs nothing, and a prompt counts once however many samples follow it.
    """

    solution_id: int
    estimate: Estimate | None
    rollouts: tuple[Rollout, ...]
    prompt_tokens: int
    completion_tokens: int
    reason: str = ""


@dataclass(slots=True)
class _Active:
    task: McTask
    state: State
    rollouts: list[Rollout] = field(default_factory=list)
    prompt_tokens: int = 0
    completion_tokens: int = 0


Drawn = dict[tuple[Prompt, int], Completion]
"""Every completion of this run by prompt and seed: solutions that share a prefix share it."""


def estimate_many(
    tasks: Sequence[McTask], engine: Engine, grader: Grades, config: McConfig
) -> Iterator[McResult]:
    """Yield each task's result as soon as it is complete, in any order.

    No solution waits for another: a round holds the next wave of every unfinished one, so the
    engine's batches stay full. Raise EngineUnavailable; what was yielded before stands.
    """
    drawn: Drawn = {}
    active = [_Active(task, _start(task, config)) for task in tasks]
    while active:
        unfinished = []
        for item in active:
            if monte_carlo.next_wave(item.state) is None:
                yield _result(item, monte_carlo.estimate(item.state))
            else:
                unfinished.append(item)
        refused = _draw(unfinished, engine, config, drawn)
        active = []
        for index, item in enumerate(unfinished):
            if index in refused:
                yield _result(item, None, str(refused[index]))
            else:
                _observe(item, grader, config, drawn)
                active.append(item)


def _start(task: McTask, config: McConfig) -> State:
    return monte_carlo.start(len(task.steps), config.n, config.mode, task.own_answer_correct)


def _draw(
    items: Sequence[_Active], engine: Engine, config: McConfig, drawn: Drawn
) -> dict[int, EngineRefused]:
    """Draw what the items' next waves lack; return the refusals by the items' places."""
    wanted = [_wanted(item, config) for item in items]
    missing = by_prompt(key for keys in wanted for key in keys if key not in drawn)
    stop = completion_template(config.template).stop
    requests = [
        CompletionRequest(prompt, seeds, config.max_tokens, config.temperature, stop)
        for prompt, seeds in missing.items()
    ]
    refused: dict[Prompt, EngineRefused] = {}
    fresh: set[tuple[Prompt, int]] = set()
    for request, answer in zip(requests, ask(engine, requests), strict=True):
        if isinstance(answer, EngineRefused):
            refused[request.prompt] = answer
            continue
        for seed, completion in zip(request.seeds, answer, strict=True):
            drawn[request.prompt, seed] = completion
            fresh.add((request.prompt, seed))
    for item, keys in zip(items, wanted, strict=True):
        _charge(item, keys, drawn, fresh)
    return {i: refused[keys[0][0]] for i, keys in enumerate(wanted) if keys[0][0] in refused}


def _charge(
    item: _Active, keys: Sequence[tuple[Prompt, int]], drawn: Drawn, fresh: set[tuple[Prompt, int]]
) -> None:
    """Add the fresh completions to the item's cost; who comes first pays for all who share."""
    mine = [drawn[key] for key in keys if key in fresh]
    fresh.difference_update(keys)
    if mine:
        item.prompt_tokens += mine[0].prompt_tokens
        item.completion_tokens += sum(completion.completion_tokens for completion in mine)


def _observe(item: _Active, grader: Grades, config: McConfig, drawn: Drawn) -> None:
    wave = _wave(item)
    completions = [drawn[key] for key in _wanted(item, config)]
    rollouts = [
        _rollout(item.task, wave.step, sample, completion, grader)
        for sample, completion in zip(wave.samples, completions, strict=True)
    ]
    item.rollouts += rollouts
    item.state = monte_carlo.observe(item.state, [rollout.correct for rollout in rollouts])


def _wanted(item: _Active, config: McConfig) -> list[tuple[Prompt, int]]:
    task, wave = item.task, _wave(item)
    count = wave.step + 1
    gaps = task.gaps[: count + 1] if task.gaps else None
    prompt = render(config.template, task.statement, task.steps[:count], gaps)
    return [
        (prompt, sample_seed(config.labeler_hash, task.problem_id, written(prompt), sample))
        for sample in wave.samples
    ]


def _wave(item: _Active) -> Wave:
    wave = monte_carlo.next_wave(item.state)
    if wave is None:
        raise ValueError("the estimate is complete")
    return wave


def _rollout(
    task: McTask, step: int, sample: int, completion: Completion, grader: Grades
) -> Rollout:
    answer = final_answer(completion.text)
    correct = grader.grade(task.gold, answer).correct
    return Rollout(step, sample, completion.text, answer, correct, completion.finish_reason)


def _result(item: _Active, estimate: Estimate | None, reason: str = "") -> McResult:
    return McResult(
        solution_id=item.task.solution_id,
        estimate=estimate,
        rollouts=tuple(item.rollouts),
        prompt_tokens=item.prompt_tokens,
        completion_tokens=item.completion_tokens,
        reason=reason,
    )
