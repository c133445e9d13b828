"""Many solutions are estimated at once, with the labels that each would get alone."""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b

import pytest

from labeling.domain.answers import final_answer
from labeling.domain.monte_carlo import McMode, sample_seed
from labeling.domain.prompts import render
from tests.engines import ScriptedEngine
from workers.engines.protocol import EngineUnavailable
from workers.grading import Grade
from workers.labeling.mc import McConfig, McResult, McTask, estimate_many

CONFIG = McConfig(8, McMode.HARD, "plain-v1", temperature=1.0, max_tokens=50, labeler_hash="h")


class ExactGrader:
    """Equality of texts: these tests are not about grading."""

    def grade(self, gold: str, prediction: str | None) -> Grade:
        return Grade(gold == prediction, "exact")


def lucky(prompt: str, seed: int) -> str:
    """Succeed in a third of the draws, unless a step of the prefix says "wrong"."""
    chance = blake2b(f"{prompt}{seed}".encode(), digest_size=1).digest()[0]
    right = "wrong" not in prompt and chance < 85
    return f"Step: goes on\n\nAnswer: {7 if right else 8}"


def task(solution_id: int, *steps: str, own: bool = True, problem: str = "p") -> McTask:
    return McTask(solution_id, problem, f"statement of {problem}", steps, (), "7", own)


def estimates(engine: ScriptedEngine, tasks: list[McTask], config: McConfig = CONFIG) -> list:
    results = list(estimate_many(tasks, engine, ExactGrader(), config))
    return sorted(results, key=lambda result: result.solution_id)


TASKS = [
    task(1, "a", "b", "c", "Answer: 7"),
    task(2, "a", "wrong", "c", "Answer: 7"),
    task(3, "a", "b", "wrong", "Answer: 8", own=False),
    task(4, "Answer: 8", own=False),
    task(5, "a", "b", "c", "Answer: 9", own=False, problem="q"),
]


def labels(results: list[McResult]) -> list[tuple[int, int | None]]:
    return [(r.solution_id, r.estimate.first_error if r.estimate else None) for r in results]


def test_solutions_get_the_labels_that_their_steps_deserve() -> None:
    # P(8 failures of a right prefix) = (2/3)^8 = .04; pinned seeds keep it from happening here.
    assert labels(estimates(ScriptedEngine(lucky), TASKS)) == [
        (1, -1), (2, 1), (3, 2), (4, 0), (5, 3),
    ]  # fmt: skip


def test_together_or_alone_a_solution_has_the_same_labels_and_rollouts() -> None:
    together = estimates(ScriptedEngine(lucky), TASKS)
    for given, result in zip(TASKS, together, strict=True):
        (alone,) = estimates(ScriptedEngine(lucky), [given])
        assert alone.estimate == result.estimate
        assert alone.rollouts == result.rollouts


def test_hard_and_exhaustive_agree_on_the_labels() -> None:
    exhaustive = replace(CONFIG, mode=McMode.EXHAUSTIVE)
    hard_engine, full_engine = ScriptedEngine(lucky), ScriptedEngine(lucky)
    hard = estimates(hard_engine, TASKS)
    assert labels(hard) == labels(estimates(full_engine, TASKS, exhaustive))
    assert set(hard_engine.samples) < set(full_engine.samples)


def test_each_round_is_one_call_for_all_solutions() -> None:
    engine = ScriptedEngine(lambda prompt, seed: "Answer: 8")
    estimates(engine, [task(k, f"a{k}", "b", "Answer: 7") for k in range(10)])
    # All fail at their first step: waves of 1, 1, 2, 4.
    assert [sum(len(r.seeds) for r in call) for call in engine.calls] == [10, 10, 20, 40]


def test_no_sample_is_ever_drawn_twice() -> None:
    twins = [*TASKS, *(replace(t, solution_id=t.solution_id + 100) for t in TASKS)]
    engine, alone = ScriptedEngine(lucky), ScriptedEngine(lucky)
    results = estimates(engine, twins)
    estimates(alone, TASKS)
    assert len(set(engine.samples)) == len(engine.samples)
    assert sorted(engine.samples) == sorted(alone.samples)
    assert [r.estimate for r in results[:5]] == [r.estimate for r in results[5:]]


def test_costs_add_up_to_what_the_engine_was_asked() -> None:
    engine = ScriptedEngine(lucky)
    results = estimates(engine, [*TASKS, replace(TASKS[0], solution_id=9)])
    written = sum(len(lucky(prompt, seed)) for prompt, seed in engine.samples)
    assert sum(r.completion_tokens for r in results) == written
    prompts = sum(len(request.prompt) for call in engine.calls for request in call)
    assert sum(r.prompt_tokens for r in results) == prompts


def test_samples_are_seeded_by_labeler_problem_prefix_and_number_alone() -> None:
    engine = ScriptedEngine(lambda prompt, seed: "Answer: 8")
    estimates(engine, [task(1, "a", "Answer: 7")])
    prompt = render("plain-v1", "statement of p", ["a"])
    assert engine.samples == [(prompt, sample_seed("h", "p", str(prompt), s)) for s in range(8)]


def test_results_come_as_soon_as_they_are_complete() -> None:
    def dies_late(prompt: str, seed: int) -> str:
        if "\n\nb\n" in prompt:
            raise EngineUnavailable("gone")
        return "Answer: 7"

    results = estimate_many(
        [task(1, "a", "b", "Answer: 7"), task(2, "a", "Answer: 7"), task(3, "Answer: 7")],
        ScriptedEngine(dies_late),
        ExactGrader(),
        CONFIG,
    )
    assert [next(results).solution_id, next(results).solution_id] == [3, 2]
    with pytest.raises(EngineUnavailable):
        next(results)


def test_a_completion_without_an_answer_is_incorrect_and_kept() -> None:
    engine = ScriptedEngine(lambda prompt, seed: "and so on " * 20)
    (result,) = estimates(engine, [task(1, "a", "Answer: 7")])
    assert result.estimate is not None
    assert result.estimate.first_error == 0
    assert len(result.rollouts) == 8
    for rollout in result.rollouts:
        assert (rollout.answer, rollout.correct, rollout.finish_reason) == (None, False, "length")
        assert final_answer(rollout.text) is None


def test_a_refused_solution_says_why_and_its_neighbors_are_estimated() -> None:
    tasks = [TASKS[0], task(7, "x" * 500, "Answer: 7"), TASKS[1]]
    results = estimates(ScriptedEngine(lucky, context=300), tasks)
    assert labels(results) == [(1, -1), (2, 1), (7, None)]
    assert "too long" in results[2].reason


def test_gaps_reach_the_prompt_of_a_chat() -> None:
    engine = ScriptedEngine(lambda prompt, seed: r"\boxed{7}")
    chat = replace(CONFIG, template="boxed-chat-v1")
    estimates(engine, [replace(task(1, "a", "b", "c"), gaps=("", "\n", "\n\n\n", ""))], chat)
    assert [prompt for prompt, _ in engine.samples] == ["a\n", "a\nb\n\n\n"]
