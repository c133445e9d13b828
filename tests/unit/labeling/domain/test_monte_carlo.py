"""Early stopping finds what drawing everything finds, sample for sample."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.monte_carlo import (
    WAVES,
    Estimate,
    McMode,
    State,
    Wave,
    estimate,
    exhaustive_completions,
    next_wave,
    observe,
    sample_seed,
    start,
    waves,
)

Table = tuple[tuple[bool, ...], ...]


def run(table: Table, n: int, mode: McMode, own: bool) -> tuple[State, list[Wave]]:
    """Answer every wave from a table of outcomes[step][sample]."""
    state, asked = start(len(table) + 1, n, mode, own), []
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
def test_every_mode_gives_the_labels_of_the_exhaustive_one(
    drawn: tuple[Table, int], own: bool
) -> None:
    table, n = drawn
    by_mode = {mode: estimate(run(table, n, mode, own)[0]) for mode in McMode}
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
    assert WAVES == (1, 1, 2, 4)
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


def test_a_seed_depends_on_each_of_its_parts_and_on_their_borders() -> None:
    seeds = [
        sample_seed("l", "p", "text", 0),
        sample_seed("l", "p", "text", 1),
        sample_seed("l", "p", "text2", 0),
        sample_seed("l", "q", "text", 0),
        sample_seed("m", "p", "text", 0),
        sample_seed("lp", "", "text", 0),
    ]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)
    # Pinned: stored runs resume with these seeds.
    assert seeds[0] == 3359626409440934344
