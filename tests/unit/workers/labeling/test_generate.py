"""Sampled solutions come split, graded and countable."""

from __future__ import annotations

from labeling.domain.steps import SplitKind, SplitRule
from tests.engines import ScriptedEngine
from tests.unit.workers.labeling.talking import held
from tests.unit.workers.labeling.test_mc import ExactGrader
from workers.labeling.generate import GenerateConfig, GeneratedSolution, GenerateTask, generate

CONFIG = GenerateConfig(3, "plain-v1", 1.0, 80, SplitRule(), "h")


def write(prompt: str, seed: int) -> str:
    if "blank" in prompt:
        return " \n"
    return f"Step 1: think {seed % 2}\n\nAnswer: 7\n\nProblem: another one"


def generated(*tasks: GenerateTask, config: GenerateConfig = CONFIG) -> list[GeneratedSolution]:
    return drawn(ScriptedEngine(write, context=200), *tasks, config=config)


def drawn(
    engine: ScriptedEngine, *tasks: GenerateTask, config: GenerateConfig
) -> list[GeneratedSolution]:
    found = held(engine, [generate(task, ExactGrader(), config) for task in tasks])
    return sorted((s for some in found for s in some), key=lambda s: (s.problem_id, s.sample))


def test_samples_are_split_and_graded_and_end_before_an_invented_problem() -> None:
    first, second, third = generated(GenerateTask(1, "k", "P", "7"))
    assert first.steps[1:] == ("Answer: 7",)
    assert first.gaps == ("", "\n\n", "\n\n")
    assert (first.final_answer, first.correct, first.finish_reason) == ("7", True, "stop")
    assert [s.sample for s in (first, second, third)] == [0, 1, 2]
    assert [s.prompt_tokens for s in (first, second, third)] == [len("Problem: P\n\n")] * 3


def test_a_problem_without_a_reference_answer_is_not_graded() -> None:
    assert [s.correct for s in generated(GenerateTask(1, "k", "P"))] == [None] * 3


def test_a_wrong_answer_is_seen() -> None:
    assert not any(s.correct for s in generated(GenerateTask(1, "k", "P", "8")))


def test_a_blank_text_has_no_steps() -> None:
    assert [s.steps for s in generated(GenerateTask(1, "k", "blank", "7"))] == [()] * 3


def test_a_text_that_is_too_slow_for_the_pattern_does_not_stop_the_run() -> None:
    slow = SplitRule(SplitKind.PATTERN, "(a|aa)+$")
    config = GenerateConfig(1, "plain-v1", 1.0, 9_000, slow, "h")
    engine = ScriptedEngine(lambda prompt, seed: "a" * 5_000 + "!")
    (solution,) = drawn(engine, GenerateTask(1, "k", "P", "7"), config=config)
    assert solution.steps == ()


def test_a_refused_problem_says_so_and_the_others_are_solved() -> None:
    results = generated(GenerateTask(1, "k", "x" * 300, "7"), GenerateTask(2, "m", "P", "7"))
    assert [s.finish_reason for s in results] == ["refused"] * 3 + ["stop"] * 3
    assert [s.problem_id for s in results] == [1, 1, 1, 2, 2, 2]
