"""An estimate from what is there equals the one that drew it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from labeling.domain import monte_carlo
from labeling.domain.monte_carlo import McMode
from labeling.domain.regrading import replay

N = 4


@given(
    table=st.lists(st.lists(st.booleans(), min_size=N, max_size=N), min_size=0, max_size=5),
    mode=st.sampled_from(sorted(McMode)),
    own=st.booleans(),
    judged=st.integers(-1, 5),
    audited=st.booleans(),
)
def test_replaying_all_outcomes_gives_the_estimate_that_was_drawn(
    table, mode, own, judged, audited
):
    steps = len(table) + 1
    judged = min(judged, steps - 1)
    options = {"judged": judged, "audited": audited}
    state = monte_carlo.start(steps, N, mode, own, **options)
    while (wave := monte_carlo.next_wave(state)) is not None:
        state = monte_carlo.observe(state, [table[wave.step][s] for s in wave.samples])
    outcomes = {(t, s): right for t, row in enumerate(table) for s, right in enumerate(row)}
    assert replay(steps, N, mode, own, outcomes, **options) == monte_carlo.estimate(state)


def test_a_missing_sample_gives_no_estimate():
    # step 0 stopped at its first success; counted anew that sample fails, and the next is missing
    assert replay(2, N, McMode.HARD, True, {(0, 0): False}) is None
    found = replay(2, N, McMode.HARD, True, {(0, 0): True})
    assert (found.first_error, found.k, found.n) == (-1, (1, 1), (1, 1))
