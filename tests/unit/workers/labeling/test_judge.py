"""Every solution gets one result: a verdict, or the reason why there is none."""

from __future__ import annotations

import pytest

from labeling.domain.judging import BadTemplate, Parsed, Unparsed
from labeling.domain.prompts import UnknownTemplate
from tests.engines import ScriptedEngine
from tests.unit.workers.labeling.talking import held
from workers.labeling.judge import JudgeConfig, JudgeResult, JudgeTask, judge

CONFIG = JudgeConfig("check-v1", temperature=0.0, max_tokens=60, labeler_hash="h")


def judge_many(
    tasks: list[JudgeTask], engine: ScriptedEngine, config: JudgeConfig
) -> list[JudgeResult]:
    results = held(engine, [judge(task, config.judge(), config) for task in tasks])
    return sorted(results, key=lambda result: result.solution_id)


def reply(prompt: str, seed: int) -> str:
    if "silent" in prompt:
        return "hm"
    if "endless" in prompt:
        return "Step 1: ok " + "and so on " * 20
    return f" Step 1: {'wrong' if 'bad' in prompt else 'ok'} Answer: ok"


def test_replies_become_verdicts_in_the_order_of_the_tasks() -> None:
    tasks = [JudgeTask(k, "P", (text, "Answer: 1")) for k, text in enumerate(
        ["fine", "bad", "silent", "endless"] )]  # fmt: skip
    results = judge_many(tasks, ScriptedEngine(reply), CONFIG)
    assert [result.solution_id for result in results] == [0, 1, 2, 3]
    assert [result.reading for result in results] == [
        Parsed(-1, (1, 1)),
        Parsed(0, (-1, None)),
        Unparsed("fewer verdicts than steps"),
        Unparsed("fewer verdicts than steps (the reply was cut short)"),
    ]
    assert results[1].critique == " Step 1: wrong Answer: ok"
    assert results[1].completion_tokens == len(results[1].critique)


def test_a_refused_solution_is_unscored_with_the_reason() -> None:
    tasks = [JudgeTask(1, "P", ("x" * 500,)), JudgeTask(2, "P", ("bad", "Answer: 1"))]
    refused, judged = judge_many(tasks, ScriptedEngine(reply, context=300), CONFIG)
    assert isinstance(refused.reading, Unparsed)
    assert "too long" in refused.reading.reason
    assert refused.completions == 0
    assert judged.reading == Parsed(0, (-1, None))


def test_votes_are_seeded_apart_and_the_majority_counts() -> None:
    def torn(prompt: str, seed: int) -> str:
        return " Step 1: ok Answer: wrong" if seed % 3 else " Step 1: wrong Answer: ok"

    config = JudgeConfig("check-v1", 1.0, 60, "h", votes=9)
    engine = ScriptedEngine(torn)
    (result,) = judge_many([JudgeTask(1, "P", ("a", "Answer: 1"))], engine, config)
    seeds = [seed for _, seed in engine.samples]
    assert len(set(seeds)) == 9
    wrong_at_0 = sum(seed % 3 == 0 for seed in seeds)
    expected = 0 if wrong_at_0 > 9 - wrong_at_0 else 1
    assert isinstance(result.reading, Parsed)
    assert result.reading.first_error == expected
    assert result.completions == 9
    assert result.critique == torn("", 0 if expected == 0 else 1)


def test_a_users_own_wording_is_asked() -> None:
    engine = ScriptedEngine(lambda prompt, seed: r"\boxed{0}")
    text = "Mind units! {problem} {solution}"
    own = JudgeConfig("strict-v2", 0.0, 60, "h", text=text, reply="boxed")
    (result,) = judge_many([JudgeTask(1, "P", ("a", "b"))], engine, own)
    assert engine.samples[0][0].startswith("Mind units! P <paragraph_0>")
    assert result.reading == Parsed(0, (-1, None))


def test_an_unusable_template_is_refused_before_the_engine_is_asked() -> None:
    engine, task = ScriptedEngine(reply), JudgeTask(1, "P", ("a", "b"))
    with pytest.raises(UnknownTemplate):
        judge_many([task], engine, JudgeConfig("nonsense", 0.0, 60, "h"))
    with pytest.raises(BadTemplate):
        judge_many([task], engine, JudgeConfig("own", 0.0, 60, "h", text="no", reply="boxed"))
    assert engine.asked == []
