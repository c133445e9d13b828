"""Early stopping finds what drawing everything finds, sample for sample."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.monte_carlo import (
    Estimate,
    McMode,
    State,
    Wave,
    estimate,
    exhaustive_completions,
    next_wave,
    observe,
    start,
    waves,
)

Table = tuple[tuple[bool, ...], ...]


FULL = (McMode.HARD, McMode.SOFT, McMode.EXHAUSTIVE)
"""Modes that find every solution's first error by themselves."""


def run(
    table: Table,
    n: int,
    mode: McMode,
    own: bool,
    judged: int | None = None,
    audited: bool = False,
) -> tuple[State, list[Wave]]:
    """Answer every wave from a table of outcomes[step][sample]."""
    state = start(len(table) + 1, n, mode, own, judged=judged, audited=audited)
    asked = []
    while (wave := next_wave(state)) is not None:
        asked.append(wave)
        state = observe(state, [table[wave.step][sample] for sample in wave.samples])
    return state, asked


@st.composite
def tables(draw: st.DrawFn) -> tuple[Table, int]:
    n = draw(st.integers(1, 16))
    share = draw(st.sampled_from([1, 3, 10]))
    row = st.tuples(*[st.integers(0, share).map(lambda x: x == 1)] * n)
    return tuple(draw(st.lists(row, max_size=6))), n


@given(tables(), st.booleans())
def test_every_full_mode_gives_the_labels_of_the_exhaustive_one(
    drawn: tuple[Table, int], own: bool
) -> None:
    table, n = drawn
    by_mode = {mode: estimate(run(table, n, mode, own)[0]) for mode in FULL}
    exhaustive = by_mode[McMode.EXHAUSTIVE]
    for result in by_mode.values():
        assert result.first_error == exhaustive.first_error
        assert result.step_labels == exhaustive.step_labels
        assert result.exhaustive_completions == exhaustive.completions
    assert by_mode[McMode.SOFT].k == exhaustive.k
    assert by_mode[McMode.SOFT].n == exhaustive.n
    costs = [by_mode[mode].completions for mode in (McMode.HARD, McMode.SOFT, McMode.EXHAUSTIVE)]
    assert costs == sorted(costs)


@given(tables(), st.booleans())
def test_hard_draws_a_prefix_of_each_steps_samples(drawn: tuple[Table, int], own: bool) -> None:
    table, n = drawn
    state, _ = run(table, n, McMode.HARD, own)
    for known, full in zip(state.outcomes, table, strict=True):
        assert known == full[: len(known)]


@given(tables(), st.booleans())
def test_hard_never_draws_after_a_success_or_after_the_first_wrong_step(
    drawn: tuple[Table, int], own: bool
) -> None:
    table, n = drawn
    _, asked = run(table, n, McMode.HARD, own)
    failed = next((t for t, row in enumerate(table) if not any(row)), len(table))
    for wave in asked:
        assert not any(table[wave.step][: wave.samples.start])
        assert wave.step <= failed


def test_hard_counts_what_was_drawn() -> None:
    # Step 0 succeeds at its first sample; step 1 fails twice, then in the wave of 2 once; step 2
    # fails 8 times. Drawn: 1 + (1 + 1 + 2) + 8 = 13 of 8 * 4 = 32.
    table = ((True,) * 8, (False, False, True, False) + (True,) * 4, (False,) * 8, (True,) * 8)
    state, asked = run(table, 8, McMode.HARD, own=True)
    assert estimate(state) == Estimate(
        first_error=2,
        k=(1, 1, 0, None, None),
        n=(1, 4, 8, None, None),
        step_labels=(1, 1, -1, None, None),
        completions=13,
        exhaustive_completions=32,
    )
    assert [(w.step, *w.samples) for w in asked[:4]] == [(0, 0), (1, 0), (1, 1), (1, 2, 3)]


@pytest.mark.parametrize(("own", "first_error", "k"), [(True, -1, 1), (False, 1, 0)])
def test_the_last_step_is_labeled_by_the_own_answer_without_a_completion(
    own: bool, first_error: int, k: int
) -> None:
    state, asked = run(((True,),), 1, McMode.HARD, own)
    result = estimate(state)
    assert (result.first_error, result.k, result.n) == (first_error, (1, k), (1, 1))
    assert len(asked) == result.completions == 1


def test_a_solution_of_one_step_costs_nothing() -> None:
    state = start(1, 8, McMode.EXHAUSTIVE, own_answer_correct=False)
    assert next_wave(state) is None
    assert estimate(state) == Estimate(0, (0,), (1,), (-1,), 0, 0)


def test_exhaustive_sampling_goes_on_after_the_first_wrong_step_but_does_not_label_it() -> None:
    state, asked = run(((False, False), (True, True)), 2, McMode.EXHAUSTIVE, own=True)
    assert [wave.step for wave in asked] == [0, 1]
    assert estimate(state).k == (0, None, None)


def test_waves_double_and_add_up() -> None:
    assert waves(8) == (1, 1, 2, 4)
    assert waves(5) == (1, 1, 2, 1)
    assert all(sum(waves(n)) == n for n in range(1, 200))
    with pytest.raises(ValueError, match="too few"):
        waves(0)


@pytest.mark.parametrize("n", [1, 5, 8, 16])
def test_a_step_that_never_succeeds_is_drawn_in_these_waves(n: int) -> None:
    _, asked = run(((False,) * n,), n, McMode.HARD, own=True)
    assert tuple(len(wave.samples) for wave in asked) == waves(n)
    assert list(itertools.chain.from_iterable(w.samples for w in asked)) == list(range(n))


def test_results_of_another_size_than_asked_are_refused() -> None:
    state = start(3, 8, McMode.HARD, own_answer_correct=True)
    with pytest.raises(ValueError, match="2 outcomes where 1 were asked for"):
        observe(state, [True, False])
    with pytest.raises(ValueError, match="not complete"):
        estimate(state)


def test_no_estimate_without_steps_or_completions() -> None:
    for step_count, n in ((0, 8), (3, 0)):
        with pytest.raises(ValueError, match="cannot be estimated"):
            start(step_count, n, McMode.HARD, own_answer_correct=True)


def test_exhaustive_completions_leave_out_the_last_step() -> None:
    assert exhaustive_completions(5, 8) == 32
    assert exhaustive_completions(1, 8) == 0


@st.composite
def judged_tables(draw: st.DrawFn) -> tuple[Table, int, int]:
    table, n = draw(tables())
    return table, n, draw(st.integers(-1, len(table)))


@given(judged_tables(), st.booleans())
def test_consensus_is_what_the_exhaustive_labels_and_the_judge_would_agree_on(
    drawn: tuple[Table, int, int], own: bool
) -> None:
    table, n, judged = drawn
    result = estimate(run(table, n, McMode.CONSENSUS, own, judged)[0])
    full = estimate(run(table, n, McMode.EXHAUSTIVE, own)[0])
    hard = estimate(run(table, n, McMode.HARD, own)[0])
    agreed = full.first_error == judged
    assert result.first_error == (judged if agreed else None)
    assert (result.refuted_at is None) == agreed
    if agreed:
        assert (result.k, result.n, result.step_labels) == (hard.k, hard.n, hard.step_labels)
        assert result.completions == hard.completions
    else:
        assert set(result.step_labels) == {None}
        assert result.completions <= n * len(table)


@given(judged_tables(), st.booleans())
def test_an_audited_solution_that_is_refuted_gets_the_exhaustive_estimate(
    drawn: tuple[Table, int, int], own: bool
) -> None:
    table, n, judged = drawn
    result = estimate(run(table, n, McMode.CONSENSUS, own, judged, audited=True)[0])
    full = estimate(run(table, n, McMode.EXHAUSTIVE, own)[0])
    assert (result.first_error, result.step_labels) == (full.first_error, full.step_labels)
    assert result.refuted_at is None
    if full.first_error != judged:
        assert result == full


@given(tables(), st.booleans())
def test_without_a_judgment_consensus_mode_is_hard_mode(
    drawn: tuple[Table, int], own: bool
) -> None:
    table, n = drawn
    alone = estimate(run(table, n, McMode.CONSENSUS, own, None)[0])
    assert alone == estimate(run(table, n, McMode.HARD, own)[0])


@pytest.mark.parametrize(("judged", "own", "at"), [(-1, False, 2), (2, True, 2)])
def test_the_own_answer_alone_refutes_some_judgments(judged: int, own: bool, at: int) -> None:
    # "no error" although the answer is wrong; "the last step is wrong" although it is right.
    state, asked = run(((True,) * 8,) * 2, 8, McMode.CONSENSUS, own, judged)
    result = estimate(state)
    assert (result.refuted_at, result.completions, asked) == (at, 0, [])


def test_the_judges_step_is_sampled_first_and_then_the_steps_before_it() -> None:
    # Step 2 fails 8 times as the judge says; step 1 succeeds at once, step 0 never: its error is
    # earlier. 8 + 1 + 8 completions, none at step 3.
    table = ((False,) * 8, (True,) * 8, (False,) * 8, (True,) * 8)
    state, asked = run(table, 8, McMode.CONSENSUS, own=False, judged=2)
    result = estimate(state)
    assert [wave.step for wave in asked] == [2, 2, 2, 2, 1, 0, 0, 0, 0]
    assert (result.refuted_at, result.first_error) == (0, None)
    assert (result.k, result.n) == ((0, 1, 0, None, 0), (8, 1, 8, None, 1))
    assert result.completions == 17


@given(st.integers(0, 9), st.integers(1, 10), st.integers(1, 9))
def test_bisection_finds_the_first_error_where_no_completion_recovers(
    wrong: int, steps: int, n: int
) -> None:
    wrong = min(wrong, steps - 1)
    table = tuple((t < wrong,) * n for t in range(steps - 1))
    state, asked = run(table, n, McMode.BISECT, own=False)
    result = estimate(state)
    assert result.first_error == wrong
    assert len({wave.step for wave in asked}) <= (steps - 1).bit_length()


def test_bisection_takes_a_right_answer_as_right_steps_and_may_miss_a_recovery() -> None:
    table = ((False,) * 8, (True,) * 8, (True,) * 8)
    right = estimate(run(table, 8, McMode.BISECT, own=True)[0])
    assert (right.first_error, right.completions) == (-1, 0)
    # Steps 0 to 3, the last one wrong: step 1 succeeds, so the error is sought after it. The
    # exhaustive first error is 0.
    recovered = estimate(run(table, 8, McMode.BISECT, own=False)[0])
    assert (recovered.first_error, recovered.k) == (3, (None, 1, 1, 0))
    assert not McMode.BISECT.exact


@pytest.mark.parametrize("judged", [-2, 3])
def test_a_judgment_outside_the_solution_is_refused(judged: int) -> None:
    with pytest.raises(ValueError, match="no step of 3"):
        start(3, 8, McMode.CONSENSUS, own_answer_correct=True, judged=judged)
