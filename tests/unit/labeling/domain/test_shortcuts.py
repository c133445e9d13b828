"""Preferences of the annotate page: known actions, plain keys, no key twice."""

from __future__ import annotations

import pytest

from labeling.domain.shortcuts import (
    NAMED_KEYS,
    SIDES,
    USUAL_ADJUDICATION_KEYS,
    USUAL_KEYS,
    Preferences,
    ShortcutError,
    read_preferences,
    stored_preferences,
)


def test_the_usual_keys_are_distinct_and_could_be_chosen():
    assert read_preferences({"keys": dict(USUAL_KEYS)}) == Preferences()
    assert read_preferences({"adjudication": dict(USUAL_ADJUDICATION_KEYS)}) == Preferences()
    for usual in (USUAL_KEYS, USUAL_ADJUDICATION_KEYS):
        assert len(set(usual.values())) == len(usual)


def test_every_side_has_a_key_of_its_own_digit():
    keys = [USUAL_ADJUDICATION_KEYS[f"side_{number}"] for number in range(1, SIDES + 1)]
    assert keys == list("123456789")


def test_the_keys_of_one_place_are_free_in_the_other():
    chosen = read_preferences({"keys": {"correct": "c"}, "adjudication": {"discard": "n"}})
    assert (chosen.keys["correct"], chosen.adjudication["correct_answer"]) == ("c", "c")
    assert (chosen.keys["note"], chosen.adjudication["discard"]) == ("n", "n")


def test_an_action_of_the_other_place_is_refused():
    with pytest.raises(ShortcutError, match="no action"):
        read_preferences({"adjudication": {"unsure": "y"}})
    with pytest.raises(ShortcutError, match="no action"):
        read_preferences({"keys": {"side_1": "y"}})


def test_no_two_actions_of_the_adjudication_stand_on_one_key():
    with pytest.raises(ShortcutError, match="cannot mean both"):
        read_preferences({"adjudication": {"discard": "1"}})


def test_what_is_kept_and_no_longer_possible_gives_way_to_the_usual_ways():
    assert stored_preferences({"adjudication": {"gone": "1"}, "off": True}) == Preferences()
    assert stored_preferences({"off": True}).off is True


def test_what_is_missing_takes_its_usual_value():
    chosen = read_preferences({"keys": {"correct": "c"}})
    assert chosen.keys["correct"] == "c"
    assert chosen.keys["wrong"] == "3"
    assert (chosen.off, chosen.evidence) == (False, True)


def test_two_actions_may_change_keys():
    chosen = read_preferences({"keys": {"correct": "3", "wrong": "1"}})
    assert (chosen.keys["correct"], chosen.keys["wrong"]) == ("3", "1")


@pytest.mark.parametrize("key", [*sorted(NAMED_KEYS), "c", "C", "<", "&", "~", "!"])
def test_signs_and_some_named_keys_can_be_chosen(key):
    usual = [action for action, usual in USUAL_KEYS.items() if usual == key]
    action = usual[0] if usual else "correct"
    assert read_preferences({"keys": {action: key}}).keys[action] == key


@pytest.mark.parametrize(
    "key",
    ["", " ", "cc", "<script>", "Escape", "Tab", "F5", "ArrowDown", "é", "\x00", 1, None, ["c"]],
)
def test_any_other_key_is_refused(key):
    with pytest.raises(ShortcutError, match="no key"):
        read_preferences({"keys": {"correct": key}})


@pytest.mark.parametrize("action", ["__proto__", "constructor", "<b>", "", "Correct"])
def test_an_unknown_action_is_refused(action):
    with pytest.raises(ShortcutError, match="no action"):
        read_preferences({"keys": {action: "c"}})


def test_no_two_actions_stand_on_one_key():
    with pytest.raises(ShortcutError, match="cannot mean both"):
        read_preferences({"keys": {"correct": "3"}})


@pytest.mark.parametrize(
    "values",
    [
        {"keys": []},
        {"keys": "1"},
        {"off": "no"},
        {"off": 1},
        {"evidence": None},
        {"adjudication": 1},
    ],
)
def test_other_shapes_are_refused(values):
    with pytest.raises(ShortcutError):
        read_preferences(values)
