"""Tokens of runs by kind: from lengths, from measurements, within the limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain import judging
from labeling.domain.costs import NOTHING, Range
from labeling.domain.draws import COMPLETERS, TYPICAL, expected
from labeling.domain.mc_workload import mc
from labeling.domain.monte_carlo import McMode
from labeling.domain.run_settings import GenerateSettings, JudgeSettings, McSettings
from labeling.domain.workloads import (
    MEASURED_FROM,
    TAG_CHARACTERS,
    Characters,
    Measured,
    Sample,
    Shape,
    generate,
    judge,
    score,
    template_characters,
)


def ends(found: Range):
    """Return both ends, to compare with about these values."""
    return (found.low, found.high)


def about(low: float, high: float):
    return (pytest.approx(low), pytest.approx(high))


ONE_TO_FOUR = Characters(Range.exactly(4.0), texts=10)
SHAPE = Shape(statement=100, steps=(40, 40, 80))
SAMPLE = Sample(items=500, shapes=[SHAPE, SHAPE])
MEASURED = Measured(
    what="verdicts of MC of 8 · m",
    verdicts=400,
    completions=2_000,
    exhaustive=8_000,
    prompt_tokens=100_000,
    completion_tokens=40_000,
    same_model=True,
)


def test_exhaustive_estimation_is_known_up_to_lengths():
    settings = McSettings(model="m", template="plain-v1", mode=McMode.EXHAUSTIVE)
    work = mc(SAMPLE, settings, None, ONE_TO_FOUR)
    # 8 completions after two of three steps of 500 solutions
    assert work.completions == Range.exactly(8_000)
    assert work.exhaustive == 8_000
    # "Problem: " and a blank line are 11; prompts of 100 + 11 + 40 and + 80 characters, 4,000 each
    assert template_characters("plain-v1") == 11
    assert work.prompt_tokens.low == pytest.approx(4_000 * (151 + 191) / 4)
    # what remains: 120 and 80 characters, ± 25 %
    assert work.completion_tokens.low == pytest.approx(0.75 * 4_000 * (120 + 80) / 4)
    assert work.completion_tokens.high == pytest.approx(1.25 * 4_000 * (120 + 80) / 4)


@pytest.mark.parametrize("mode", [McMode.HARD, McMode.SOFT, McMode.BISECT])
def test_unmeasured_modes_range_over_the_simulated_completers(mode):
    work = mc(SAMPLE, McSettings(model="m", mode=mode), None, ONE_TO_FOUR)
    totals = [500 * expected(mode, 3, 8, completer).total for completer in COMPLETERS]
    assert work.completions.low == pytest.approx(min(totals))
    assert work.completions.high == pytest.approx(max(totals))
    assert "simulated" in work.assumptions[1]


def test_the_audit_draws_the_rest_for_its_share_of_the_refuted():
    plain, audited = (
        mc(
            Sample(500, [SHAPE]),
            McSettings(model="m", mode=McMode.CONSENSUS, judge="j", audit_share=share),
            None,
            ONE_TO_FOUR,
        ).completions.low
        for share in (0.0, 1.0)
    )
    found = min(
        (expected(McMode.CONSENSUS, 3, 8, c) for c in COMPLETERS),
        key=lambda e: e.total + e.refuted * (16 - e.total),
    )
    assert plain == pytest.approx(500 * expected(McMode.CONSENSUS, 3, 8, TYPICAL).total, rel=0.5)
    assert audited == pytest.approx(500 * (found.total + found.refuted * (16 - found.total)))


def test_a_like_labeler_replaces_the_simulation_and_its_tokens_the_lengths():
    work = mc(SAMPLE, McSettings(model="m"), MEASURED, ONE_TO_FOUR)
    # a quarter of 8,000, ± 2 / sqrt(400) = 10 %; 50 and 20 tokens each
    assert ends(work.completions) == about(1_800, 2_200)
    assert ends(work.prompt_tokens) == about(90_000, 110_000)
    assert ends(work.completion_tokens) == about(36_000, 44_000)
    assert "measured on 400 verdicts of MC of 8 · m, ± 10 %" in work.assumptions[1]


def test_another_models_measurement_counts_for_completions_alone():
    other = Measured("x", 400, 2_000, 8_000, 1, 1, same_model=False)
    work = mc(SAMPLE, McSettings(model="m"), other, ONE_TO_FOUR)
    assert work.completions.low == pytest.approx(1_800)
    assert work.completion_tokens.low > 1_800 * 5
    assert "as long as the rest" in work.assumptions[2]


@given(st.integers(MEASURED_FROM, 10**7), st.integers(1, 9))
def test_more_verdicts_make_a_narrower_range_down_to_a_twentieth(verdicts, times):
    more = Measured("x", times * verdicts, 1, 1, 1, 1, same_model=True)
    less = Measured("x", verdicts, 1, 1, 1, 1, same_model=True)
    assert 0.05 <= more.share <= less.share <= 0.5


def test_four_times_the_verdicts_halve_the_range():
    assert Measured("x", 100, 1, 1, 1, 1, same_model=True).share == pytest.approx(0.2)
    assert Measured("x", 400, 1, 1, 1, 1, same_model=True).share == pytest.approx(0.1)


def test_completions_are_never_longer_than_allowed():
    long = Sample(10, [Shape(10, (10, 100_000))])
    settings = McSettings(model="m", mode=McMode.EXHAUSTIVE, max_tokens=16)
    work = mc(long, settings, None, ONE_TO_FOUR)
    assert work.completion_tokens == Range.exactly(10 * 8 * 16)


def test_a_solution_of_one_step_takes_nothing():
    work = mc(Sample(7, [Shape(10, (30,))]), McSettings(model="m"), None, ONE_TO_FOUR)
    assert (work.completions, work.completion_tokens, work.exhaustive) == (NOTHING, NOTHING, 0)


def test_a_judge_reads_the_template_with_the_solution_and_writes_up_to_its_limit():
    settings = JudgeSettings(model="m", votes=3, temperature=0.5, max_tokens=1000)
    work = judge(SAMPLE, settings, None, ONE_TO_FOUR)
    text = len(judging.judge_template("paper-v1").text)
    read = text + 100 + 160 + 3 * TAG_CHARACTERS
    assert work.completions == Range.exactly(1500)
    assert work.prompt_tokens.low == pytest.approx(1500 * read / 4)
    # at least the solution's 160 characters, at most the limit
    assert ends(work.completion_tokens) == about(1500 * 40, 1_500_000)


def test_a_measured_judge_takes_what_it_took():
    settings = JudgeSettings(model="m", votes=2, temperature=0.5)
    like = Measured("paper-v1 · m", 100, 200, 0, 60_000, 20_000, same_model=True)
    work = judge(SAMPLE, settings, like, ONE_TO_FOUR)
    # 1,000 votes of 300 and 100 tokens, ± 20 %
    assert ends(work.prompt_tokens) == about(240_000, 360_000)
    assert ends(work.completion_tokens) == about(80_000, 120_000)


def test_generation_writes_as_much_as_the_projects_solutions_or_up_to_its_limit():
    settings = GenerateSettings(model="m", template="plain-v1", samples=2, max_tokens=100)
    problems = Sample(50, [Shape(89)])
    known = generate(problems, settings, [160, 240], None, ONE_TO_FOUR)
    # 50 problems, 2 samples: prompts of 89 + 11 characters, texts of 200 ± 25 %
    assert known.completions == Range.exactly(100)
    assert known.prompt_tokens == Range.exactly(2_500)
    assert ends(known.completion_tokens) == about(3_750, 6_250)
    unknown = generate(problems, settings, [], None, ONE_TO_FOUR)
    assert unknown.completion_tokens == Range(1_000, 10_000)


def test_scoring_reads_each_solution_once():
    work = score(SAMPLE, ONE_TO_FOUR)
    assert work.prompt_tokens == Range.exactly(500 * 260 / 4)
    assert work.completion_tokens == NOTHING


def test_nothing_that_waits_takes_nothing():
    none = Sample(0, [])
    assert mc(none, McSettings(model="m"), None, ONE_TO_FOUR).completions == NOTHING
    assert judge(none, JudgeSettings(model="m"), None, ONE_TO_FOUR).prompt_tokens == NOTHING
    assert generate(none, GenerateSettings(model="m"), [], None, ONE_TO_FOUR).completions == NOTHING
