"""Expected completions in closed form, against the published simulation and the real method."""

from __future__ import annotations

from random import Random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.draws import (
    COMPLETERS,
    JUDGE_OF_WRONG,
    JUDGE_RIGHT_OF_CORRECT,
    LONGEST,
    LUCKY,
    TYPICAL,
    Completer,
    expected,
)
from labeling.domain.labels import NO_ERROR
from labeling.domain.monte_carlo import (
    McMode,
    estimate,
    exhaustive_completions,
    next_wave,
    observe,
    start,
)

LENGTHS = range(4, 16)


def ratio(mode: McMode, completer: Completer, n: int = 8) -> float:
    everything = sum(exhaustive_completions(k, n) for k in LENGTHS)
    return everything / sum(expected(mode, k, n, completer).total for k in LENGTHS)


def test_misses_are_the_published_ones():
    # right prefix, Beta(4, 1): E[(1-p)^8] = 4! 8! / 12! = 24 / 11880; wrong: 0.7 + 0.3 · 6 / 14
    assert TYPICAL.misses(8, right=True) == pytest.approx(24 / 11880)
    assert TYPICAL.misses(8, right=False) == pytest.approx(0.7 + 0.3 * 6 / 14)


@pytest.mark.parametrize(
    ("mode", "typical", "low", "high"),
    [
        # 20,000 simulated solutions in each of eight scenarios: 5.42 (4.2 to 5.7), 7.06 (5.2 to
        # 8.0, two of the scenarios are not among ours), 9.99 and 1.24 for the typical completer
        (McMode.HARD, 5.42, 4.2, 5.7),
        (McMode.CONSENSUS, 7.06, 5.2, 7.6),
        (McMode.BISECT, 9.99, 6.2, 24.8),
        (McMode.SOFT, 1.24, 1.09, 2.4),
        (McMode.EXHAUSTIVE, 1.0, 1.0, 1.0),
    ],
)
def test_the_closed_form_gives_what_the_published_simulation_measured(mode, typical, low, high):
    assert ratio(mode, TYPICAL) == pytest.approx(typical, rel=0.01)
    found = [ratio(mode, completer) for completer in COMPLETERS]
    assert min(found) == pytest.approx(low, rel=0.02)
    assert max(found) == pytest.approx(high, rel=0.02)


def test_three_in_ten_judgments_are_refuted_as_simulated():
    shares = [expected(McMode.CONSENSUS, k, 8).refuted for k in LENGTHS]
    assert mean(shares) == pytest.approx(0.30, abs=0.005)


@pytest.mark.parametrize("mode", list(McMode))
@pytest.mark.parametrize("completer", [TYPICAL, Completer(a=1.0, b=2.0, hopeless=0.3, errors=0.8)])
def test_the_closed_form_is_the_mean_of_the_real_method(mode, completer):
    chance = Random(f"{mode} {completer}")
    steps, n, times = 7, 5, 4000
    found = [simulated(chance, mode, completer, steps, n) for _ in range(times)]
    wanted = expected(mode, steps, n, completer)
    # the standard error of the mean is at most 9 / sqrt(4000) = 0.14 completions
    assert mean(e.completions for e in found) == pytest.approx(wanted.total, abs=0.5)
    refuted = mean(e.refuted_at is not None for e in found)
    assert refuted == pytest.approx(wanted.refuted, abs=0.03)


def simulated(chance: Random, mode: McMode, completer: Completer, steps: int, n: int):
    """Run the real method on one solution drawn from the model."""
    wrong = chance.random() < completer.errors
    first_error = chance.randrange(steps) if wrong else NO_ERROR
    answer = not wrong or chance.random() < LUCKY
    judged = judgment(chance, first_error, steps) if mode is McMode.CONSENSUS else None
    state = start(steps, n, mode, answer, judged=judged)
    succeeds: dict[int, float] = {}
    while wave := next_wave(state):
        if wave.step not in succeeds:
            succeeds[wave.step] = probability(chance, completer, wave.step, first_error)
        state = observe(state, [chance.random() < succeeds[wave.step] for _ in wave.samples])
    return estimate(state)


def probability(chance: Random, completer: Completer, step: int, first_error: int) -> float:
    if first_error == NO_ERROR or step < first_error:
        return chance.betavariate(completer.a, completer.b)
    return 0.0 if chance.random() < completer.hopeless else chance.betavariate(1, 6)


def judgment(chance: Random, first_error: int, steps: int) -> int:
    if first_error == NO_ERROR:
        right = chance.random() < JUDGE_RIGHT_OF_CORRECT
        return NO_ERROR if right else chance.randrange(steps)
    draw = chance.random()
    for distance, share in JUDGE_OF_WRONG:
        if draw < share:
            return min(max(first_error + distance, 0), steps - 1)
        draw -= share
    return NO_ERROR


@given(
    st.sampled_from(list(McMode)),
    st.integers(1, LONGEST + 8),
    st.integers(1, 40),
    st.sampled_from(COMPLETERS),
)
def test_no_mode_is_expected_to_draw_more_than_everything(mode, steps, n, completer):
    found = expected(mode, steps, n, completer)
    assert len(found.per_step) == steps - 1
    assert all(-1e-9 <= mean_of_step <= n + 1e-9 for mean_of_step in found.per_step)
    assert 0 <= found.refuted <= 1
    if mode is McMode.EXHAUSTIVE:
        assert found.total == pytest.approx(n * (steps - 1))
