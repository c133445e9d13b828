"""The draw of an item's purpose keeps the policy's shares."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from labeling.domain.assignments import Purpose
from labeling.domain.policy import Policy
from labeling.domain.purposes import drawn, fraction

DRAWS = 4000
# five standard deviations of a share among DRAWS draws: sqrt(0.25 / 4000) * 5
TOLERANCE = 0.04

shares = st.tuples(st.floats(0, 0.5), st.floats(0, 1))


def rates(policy: Policy, person: str) -> dict[Purpose, float]:
    counts = Counter(drawn(policy, person, number) for number in range(DRAWS))
    return {purpose: counts[purpose] / DRAWS for purpose in Purpose}


@settings(max_examples=40)
@given(shares, st.text())
def test_the_draws_of_a_person_keep_the_shares(shares, person):
    gold, audit = shares
    found = rates(Policy(gold_share=gold, audit_share=audit), person)
    assert abs(found[Purpose.GOLD] - gold) < TOLERANCE
    assert abs(found[Purpose.AUDIT] - min(audit, 1 - gold)) < TOLERANCE
    assert found[Purpose.EXAM] == 0


@given(st.text(), st.integers(0))
def test_without_shares_everything_is_labeled(person, number):
    assert drawn(Policy(), person, number) is Purpose.LABEL


@given(shares, st.text(), st.integers(0))
def test_the_same_draw_comes_out_the_same(shares, person, number):
    policy = Policy(gold_share=shares[0], audit_share=shares[1])
    assert drawn(policy, person, number) is drawn(policy, person, number)


def test_people_draw_independently():
    """Of two people's draws as many agree as chance says: 0.5 * 0.5 + 0.5 * 0.5 = 0.5."""
    policy = Policy(gold_share=0.5)
    same = sum(drawn(policy, "a", n) is drawn(policy, "b", n) for n in range(DRAWS))
    assert abs(same / DRAWS - 0.5) < TOLERANCE


@given(st.lists(st.text()))
def test_a_fraction_is_below_one(parts):
    assert 0 <= fraction(*parts) < 1
