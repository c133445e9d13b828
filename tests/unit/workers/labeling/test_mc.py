"""Many solutions are estimated at once, with the labels that each would get alone."""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b

import pytest

from labeling.domain.answers import final_answer
from labeling.domain.monte_carlo import McMode
from labeling.domain.prompts import render
from labeling.domain.seeds import sample_seed
from tests.engines import ScriptedEngine
from tests.unit.workers.labeling.talking import held
from workers.engines.protocol import Completion
from workers.grading import Grade
from workers.labeling.mc import McConfig, McResult, McTask, estimate, sample_of

CONFIG = McConfig(8, McMode.HARD, "plain-v1", temperature=1.0, max_tokens=50, completer="h")


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
    results = held(engine, [estimate(task, ExactGrader(), config) for task in tasks])
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


@pytest.mark.parametrize("judged", [-1, 0, 1, 2, None])
def test_with_a_judge_only_as_much_is_drawn_as_the_consensus_needs(judged: int | None) -> None:
    mode = replace(CONFIG, mode=McMode.CONSENSUS)
    long = [t for t in TASKS if len(t.steps) > 2]
    alone, together = ScriptedEngine(lucky), ScriptedEngine(lucky)
    hard = estimates(alone, long)
    results = estimates(together, [replace(t, judged=judged) for t in long], mode)
    for full, result in zip(hard, results, strict=True):
        assert full.estimate is not None
        assert result.estimate is not None
        if judged is None or full.estimate.first_error == judged:
            assert result.estimate == full.estimate
            assert {(r.step, r.sample, r.text) for r in result.rollouts} == {
                (r.step, r.sample, r.text) for r in full.rollouts
            }
        else:
            assert result.estimate.first_error is None
            assert result.estimate.refuted_at is not None


def test_completions_that_are_known_are_not_drawn_and_cost_nothing() -> None:
    first = ScriptedEngine(lucky)
    (result,) = estimates(first, TASKS[:1])
    known = {
        sample_of("p", "statement of p", TASKS[0].steps[: r.step + 1], (), r.sample, CONFIG):
            Completion(r.text, "stop", 0, 0)
        for r in result.rollouts
        if r.step != 1
    }  # fmt: skip
    again = ScriptedEngine(lucky)
    (same,) = held(again, [estimate(TASKS[0], ExactGrader(), CONFIG, known)])
    assert same.estimate == result.estimate
    assert {"\n\nc\n" in prompt for prompt, _ in again.samples} == {False}
    assert len(again.samples) == sum(r.step == 1 for r in result.rollouts)
    assert same.completion_tokens == sum(len(lucky(*asked)) for asked in again.samples)


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
    assert sum(r.prompt_tokens for r in results) == sum(len(prompt) for prompt, _ in engine.samples)


def test_samples_are_seeded_by_completer_problem_prefix_and_number_alone() -> None:
    engine = ScriptedEngine(lambda prompt, seed: "Answer: 8")
    estimates(engine, [task(1, "a", "Answer: 7")])
    prompt = render("plain-v1", "statement of p", ["a"])
    assert engine.samples == [(prompt, sample_seed("h", "p", str(prompt), s)) for s in range(8)]


def test_results_come_as_soon_as_they_are_complete() -> None:
    tasks = [task(1, "a", "b", "Answer: 7"), task(2, "a", "Answer: 7"), task(3, "Answer: 7")]
    engine = ScriptedEngine(lambda prompt, seed: "Answer: 7", slots=3, batch=1)
    results = held(engine, [estimate(task, ExactGrader(), CONFIG) for task in tasks])
    assert [result.solution_id for result in results] == [3, 2, 1]


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
