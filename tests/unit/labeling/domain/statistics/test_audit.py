"""The precision of an export from its audits: by hand, at its borders, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.statistics.audit import Stratum, further_audits, precision, precision_by_class
from labeling.domain.statistics.intervals import Interval, wilson
from labeling.domain.statistics.undefined import Undefined

MANY = 10**12

strata = st.lists(
    st.builds(
        lambda label, source, waiting, audited, share: Stratum(
            label, source, waiting, audited, round(audited * share)
        ),
        st.sampled_from(["error", "none"]),
        st.sampled_from(["gsm8k", "math", "omni"]),
        st.integers(0, 3000),
        st.integers(0, 80),
        st.floats(0, 1),
    ),
    max_size=5,
    unique_by=lambda stratum: (stratum.label, stratum.source),
)


def test_one_endless_stratum_has_wilsons_interval():
    found = precision([Stratum("error", "math", MANY, audited=60, right=57)])
    assert found.value == pytest.approx(0.95)
    expected = wilson(57, 60)
    assert found.interval.low == pytest.approx(expected.low)
    assert found.interval.high == pytest.approx(expected.high)
    assert (found.audited, found.covered) == (60, 1)


def test_strata_weigh_by_what_waits_not_by_what_was_audited():
    # 3/4 wait in math with 18 of 20 right, 1/4 in gsm8k with 40 of 40
    found = precision(
        [Stratum("error", "math", 3000, 20, 18), Stratum("error", "gsm8k", 1000, 40, 40)]
    )
    assert found.value == pytest.approx(0.75 * 0.9 + 0.25)
    # effective audits: 1 / (9/16 (1/20 + 1/3000) + 1/16 (1/40 + 1/1000))
    effective = 1 / (9 / 16 * (1 / 20 + 1 / 3000) + 1 / 16 * (1 / 40 + 1 / 1000))
    expected = wilson(0.925 * effective, effective)
    assert found.interval == Interval(pytest.approx(expected.low), pytest.approx(expected.high))


def test_classes_are_combined_by_their_own_intervals():
    found = precision([Stratum("error", "", MANY, 50, 45), Stratum("none", "", MANY, 50, 50)])
    error, none = wilson(45, 50), wilson(50, 50)
    assert found.value == pytest.approx(0.95)
    below = (0.25 * (0.9 - error.low) ** 2 + 0.25 * (1 - none.low) ** 2) ** 0.5
    above = (0.25 * (error.high - 0.9) ** 2) ** 0.5
    assert found.interval == Interval(
        pytest.approx(0.95 - below), pytest.approx(min(1, 0.95 + above))
    )


def test_each_class_is_estimated_by_itself():
    error, none = Stratum("error", "", 900, 50, 45), Stratum("none", "", 500, 40, 40)
    found = precision_by_class([error, none], {"error": 100, "other": 7})
    assert found["error"] == precision([error], settled=100)
    assert found["none"] == precision([none])
    assert (found["other"].labels, found["other"].value) == (7, 1)


def test_settled_labels_are_right_and_narrow_the_interval():
    waiting = [Stratum("error", "", 900, 50, 45)]
    alone, settled = precision(waiting), precision(waiting, settled=100)
    # (900 * 0.9 + 100) / 1000
    assert settled.value == pytest.approx(0.91)
    assert settled.interval.width == pytest.approx(0.9 * alone.interval.width)
    assert (settled.labels, settled.settled) == (1000, 100)


def test_spotless_audits_keep_a_width():
    found = precision([Stratum("error", "", 900, 20, 20), Stratum("none", "", 900, 20, 20)])
    assert found.value == 1
    assert found.interval.low < 0.95
    assert found.interval.high == 1


def test_when_all_has_been_audited_nothing_is_uncertain():
    found = precision([Stratum("error", "", 0, 40, 30)], settled=40)
    assert (found.value, found.interval) == (1, Interval(1, 1))


def test_without_audits_the_precision_is_undefined():
    found = precision([Stratum("error", "", 900)], settled=100)
    assert found.value is Undefined.NOT_AUDITED
    assert found.interval is Undefined.NOT_AUDITED
    assert found.covered == 0
    assert precision([]).value is Undefined.NOT_AUDITED


def test_what_has_no_audits_is_left_out_and_said_so():
    found = precision([Stratum("error", "math", 750, 40, 36), Stratum("error", "omni", 250)])
    assert found.covered == pytest.approx(0.75)
    assert found.value == pytest.approx(0.9)


@given(strata, st.integers(0, 500))
def test_the_value_lies_within_its_interval(found, settled):
    result = precision(found, settled)
    if isinstance(result.interval, Interval):
        assert 0 <= result.interval.low <= result.value + 1e-9
        assert result.value <= result.interval.high + 1e-9 <= 1 + 2e-9


@given(strata, st.integers(0, 100), st.floats(0.02, 0.5))
def test_further_audits_never_exceed_what_waits(found, settled, width):
    more = further_audits(found, settled, width)
    waiting = sum(stratum.waiting for stratum in found)
    assert (more is Undefined.NOTHING_COMPARED) if not waiting else 0 <= more <= waiting


def test_further_audits_are_none_where_the_interval_is_narrow_enough():
    enough = [Stratum("error", "", 10_000, 400, 390)]
    assert precision(enough).interval.width < 0.035
    assert further_audits(enough, 0, 0.035) == 0


def test_further_audits_of_one_class_follow_wilson():
    # planned with (45 + 1.92) / (50 + 3.84) = 0.8715; endless, so Wilson's own number
    few = [Stratum("error", "", MANY, 50, 45)]
    more = further_audits(few, 0, 0.06)
    rate = (45 + 1.92073) / (50 + 3.84146)
    for audits, holds in ((more, True), (more - 1, False)):
        right = 45 + audits * rate
        assert (wilson(right, 50 + audits).width <= 0.06) is holds


def test_unaudited_strata_need_audits_however_narrow_the_rest():
    covered = [Stratum("error", "math", 500, 450, 450), Stratum("error", "omni", 10)]
    assert further_audits(covered, 0, 0.5) > 0


def test_wide_wishes_need_few_audits_and_narrow_ones_many():
    waiting = [Stratum("error", "", 5000, 10, 9), Stratum("none", "", 5000, 10, 10)]
    wanted = [further_audits(waiting, 0, width) for width in (0.3, 0.1, 0.05, 0.02)]
    assert wanted == sorted(wanted)
    assert wanted[-1] > 500


@pytest.mark.parametrize("audits", [(60, 60), (12, 50)])
def test_intervals_hold_the_truth_as_often_as_they_say(audits):
    # finite: 600 labels with an error, 85 % right; 900 without, 98 % right
    generator = np.random.default_rng(17)
    sizes, rates = (600, 900), (0.85, 0.98)
    held = 0
    for _ in range(1500):
        found, truth = [], 0
        for label, size, rate, n in zip(("error", "none"), sizes, rates, audits, strict=True):
            right = int(generator.hypergeometric(round(size * rate), size - round(size * rate), n))
            found.append(Stratum(label, "", size - n, n, right))
            truth += round(size * rate) - right  # right ones among the waiting
        result = precision(found, settled=sum(audits))
        ends = result.interval
        held += ends.low <= (truth + sum(audits)) / sum(sizes) <= ends.high
    assert 0.92 <= held / 1500 <= 0.985
