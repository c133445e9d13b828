"""Which solutions are audited: quotas by size, members by hash."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.statistics.sampling import allocate, audit_order, chosen

sizes = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 500), max_size=8)
SOLUTIONS = [("error" if n % 3 else "none", f"hash-{n}") for n in range(300)]


def test_audits_follow_the_sizes_by_largest_remainders():
    # 10 * 50/90 = 5.56, 10 * 30/90 = 3.33, 10 * 10/90 = 1.11: the one left goes to the first
    assert allocate(10, {"math": 50, "gsm8k": 30, "omni": 10}) == {
        "math": 6, "gsm8k": 3, "omni": 1,
    }  # fmt: skip


def test_small_strata_get_their_least_first():
    assert allocate(4, {"big": 1000, "small": 2, "empty": 0}, at_least=2) == {
        "big": 2, "small": 2, "empty": 0,
    }  # fmt: skip
    # where the total does not reach, the largest come first
    assert allocate(1, {"small": 2, "big": 9}, at_least=1) == {"small": 0, "big": 1}


@given(sizes, st.integers(0, 3000), st.integers(0, 3))
def test_plans_are_never_larger_than_wanted_or_than_what_there_is(strata, total, at_least):
    plan = allocate(total, strata, at_least)
    assert sum(plan.values()) == min(total, sum(strata.values()))
    assert all(0 <= plan[key] <= strata[key] for key in strata)
    assert plan == allocate(total, strata, at_least)


def test_the_choice_does_not_depend_on_the_order_of_solutions():
    shuffled = random.Random(3).sample(SOLUTIONS, len(SOLUTIONS))
    quotas = {"error": 20, "none": 5}
    assert chosen(SOLUTIONS, quotas, "plan 1") == chosen(shuffled, quotas, "plan 1")


def test_a_larger_sample_contains_the_smaller_one():
    small = chosen(SOLUTIONS, {"error": 20, "none": 5}, "plan 1")
    large = chosen(SOLUTIONS, {"error": 60, "none": 5}, "plan 1")
    assert large["error"][:20] == small["error"]
    assert large["none"] == small["none"]


def test_the_lowest_of_a_stratum_are_chosen_in_their_order():
    of_class = [content for label, content in SOLUTIONS if label == "none"]
    lowest = sorted(of_class, key=lambda content: audit_order(content, "plan 1"))[:7]
    assert chosen(SOLUTIONS, {"none": 7}, "plan 1") == {"none": lowest}


def test_another_plan_chooses_others():
    quotas = {"error": 20, "none": 0}
    first, second = (chosen(SOLUTIONS, quotas, plan) for plan in ("plan 1", "plan 2"))
    assert first["error"] != second["error"]
    assert first["none"] == []


def test_strata_without_a_quota_are_not_sampled():
    assert chosen(SOLUTIONS, {"none": 400}, "p").keys() == {"none"}
    assert len(chosen(SOLUTIONS, {"none": 400}, "p")["none"]) == 100


def test_each_solution_is_as_likely_as_any_other():
    # the 30 lowest of 300, over 200 plans: each 20 times, standard deviation √(200 * .1 * .9) = 4.2
    times = dict.fromkeys((content for _, content in SOLUTIONS), 0)
    for plan in range(200):
        for content in chosen([("x", c) for c in times], {"x": 30}, str(plan))["x"]:
            times[content] += 1
    assert 20 - 5 * 4.25 < min(times.values()) <= max(times.values()) < 20 + 5 * 4.25


def test_order_is_a_number_that_sql_can_hold():
    assert 0 <= audit_order("x", "p") < 2**60
