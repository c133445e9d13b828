from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.drafts import DraftError, read_draft
from labeling.domain.hashing import config_hash, content_hash, split_of
from labeling.domain.labels import LabelError, first_error_of, labels_up_to
from labeling.domain.ordering import priority
from labeling.domain.policy import Policy, PolicyError
from labeling.domain.releases import (
    AfterError,
    Rule,
    RuleError,
    Target,
    neutral_steps,
    statement_key,
    targets,
)


@given(st.integers(1, 30).flatmap(lambda n: st.tuples(st.just(n), st.integers(-1, n - 1))))
def test_labels_from_a_first_error_give_it_back(case):
    count, first_error = case
    labels = labels_up_to(first_error, count)
    assert len(labels) == count
    assert first_error_of(labels) == first_error


@pytest.mark.parametrize(
    ("labels", "expected"),
    [((1, 1), -1), ((1, -1, None), 1), ((1, None, -1), None), ((None,), None), ((0, 0), -1)],
)
def test_the_first_error_is_unknown_while_an_earlier_step_is_not_judged(labels, expected):
    assert first_error_of(labels) == expected


@pytest.mark.parametrize("first_error", [-2, 3])
def test_a_first_error_outside_the_steps_is_refused(first_error):
    with pytest.raises(LabelError, match="outside the 3 steps"):
        labels_up_to(first_error, 3)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"labels": [1]}, "1 labels for 2 steps"),
        ({"labels": [1, 7]}, "step 1"),
        ({"labels": [True, 1]}, "labels"),
        ({"labels": "1,1"}, "labels"),
        ({"labels": [1, 1], "notes": {"2": "x"}}, "not a step"),
        ({"labels": [1, 1], "notes": {"0": 3}}, "not a text"),
        ({"labels": [1, 1], "note": "x" * 10_001}, "10000 characters"),
    ],
)
def test_a_draft_that_does_not_fit_is_refused_with_the_place(values, message):
    with pytest.raises(DraftError, match=message):
        read_draft(values, 2)


def test_a_draft_round_trips():
    values = {"labels": [1, -1], "notes": {"1": "no carry"}, "note": "see step 2"}
    assert read_draft(values, 2).to_dict() == values


def test_what_no_database_takes_does_not_cost_the_rest_of_a_note():
    """A lone surrogate is half of a character, as a cut through an emoji leaves it."""
    draft = read_draft({"notes": {"0": "a\ud83d b\x00c"}, "note": "whole \U0001f600"}, 1)
    assert draft.notes == (("0", "a\ufffd bc"),)
    assert draft.note == "whole \U0001f600"


def test_a_flawed_process_that_mc_passes_is_worth_most():
    assert priority(True, -1, 2) > priority(False, 3, 2) > priority(False, 3, -1)
    assert priority(True, None, None) < priority(False, 3, -1)


def test_training_targets_stop_at_the_first_error():
    # steps 0 right, 1 neutral, 2 wrong, 3 after the error
    assert targets((1, 0, -1, 1), 2, neutral_as=1) == (1, 1, 0, None)
    assert targets((1, 0, -1, 1), 2, neutral_as=None) == (1, None, 0, None)
    assert targets((1, 1), -1, neutral_as=1) == (1, 1)


@pytest.mark.parametrize(
    "values",
    [
        {"states": ["disputed"]},
        {"limit": 0},
        {"neutral_as": 2},
        {"colour": "red"},
        {"after_error": "keep"},
        {"target": "medium"},
        {"dedup": "yes"},
        {"critiques": 1},
        {"without": "source:MATH"},
        {"without": ["MATH"]},
        {"without": [7]},
    ],
)
def test_a_rule_that_means_nothing_is_refused(values):
    with pytest.raises(RuleError):
        Rule.from_dict(values)


def test_a_rule_round_trips():
    rule = Rule(
        labeler="abc",
        limit=7,
        neutral_as=None,
        after_error=AfterError.SAID,
        target=Target.SOFT,
        dedup=True,
        without=("source:MATH", "project:abc"),
        critiques=True,
    )
    assert Rule.from_dict(rule.to_dict()).to_dict() == rule.to_dict()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("What is $1 + 1$ ?", "what is 1+1", True),
        ("\\left( x \\right)^2", "(x)^2", True),
        ("\uff11\uff0b\uff11 \u7b49\u4e8e\u51e0\uff1f", "1+1\u7b49\u4e8e\u51e0", True),
        ("1.5 apples.", "1.5 apples", True),
        ("1.5 apples", "15 apples", False),
        ("1 - 1", "1 + 1", False),
        ("x < y", "x > y", False),
        ("???", "!!!", False),
    ],
)
def test_statements_are_compared_by_letters_digits_and_operators(one, other, same):
    assert (statement_key(one) == statement_key(other)) is same


@pytest.mark.parametrize("values", [{"human_overlap": 0}, {"colour": 1}, {"label_mode": "x"}])
def test_a_policy_that_means_nothing_is_refused(values):
    with pytest.raises(PolicyError):
        Policy.from_dict(values)


def test_a_policy_round_trips():
    assert Policy.from_dict(Policy(retrain_after=50).to_dict()) == Policy(retrain_after=50)


def test_content_hashes_stay_what_they_were():
    # stored ones must be found again: each part in UTF-8 after its length in eight bytes
    framed = b"\0\0\0\0\0\0\0\x02\xc3\xa9" + b"\0\0\0\0\0\0\0\0"
    assert content_hash(["é", ""]) == hashlib.blake2b(framed, digest_size=16).hexdigest()
    assert content_hash([]) == hashlib.blake2b(b"", digest_size=16).hexdigest()


@given(st.lists(st.text(max_size=4), max_size=4), st.lists(st.text(max_size=4), max_size=4))
def test_content_hashes_differ_wherever_the_parts_do(one, other):
    assert (content_hash(one) == content_hash(other)) == (one == other)


def test_a_configuration_hashes_alike_whatever_the_order_of_its_keys():
    assert config_hash({"a": 1, "b": 2}) == config_hash({"b": 2, "a": 1})


def test_the_split_by_problem_has_about_the_wanted_share():
    share = sum(split_of(str(n), 0.25) == "test" for n in range(4000)) / 4000
    assert 0.22 < share < 0.28  # 4 standard deviations of a binomial share at n = 4000


def test_neutral_steps_are_named_up_to_the_first_error() -> None:
    assert neutral_steps((1, 0, 0, -1, 0), 3) == [1, 2]
    assert neutral_steps((0, None, 1), -1) == [0]
    assert neutral_steps((1, -1), 1) == []
