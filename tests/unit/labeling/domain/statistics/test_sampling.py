"""Which solutions are audited: members of each stratum by hash."""

from __future__ import annotations

import random

from labeling.domain.statistics.sampling import audit_order, chosen

SOLUTIONS = [("error" if n % 3 else "none", f"hash-{n}") for n in range(300)]


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
