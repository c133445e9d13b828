"""Preferences of the annotate page: known actions, plain keys, no key twice."""

from __future__ import annotations

import pytest

from labeling.domain.shortcuts import (
    NAMED_KEYS,
    USUAL_KEYS,
    Preferences,
    ShortcutError,
    read_preferences,
)


def test_the_usual_keys_are_distinct_and_could_be_chosen():
    assert read_preferences({"keys": dict(USUAL_KEYS)}) == Preferences()
    assert len(set(USUAL_KEYS.values())) == len(USUAL_KEYS)


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
    "values", [{"keys": []}, {"keys": "1"}, {"off": "no"}, {"off": 1}, {"evidence": None}]
)
def test_other_shapes_are_refused(values):
    with pytest.raises(ShortcutError):
        read_preferences(values)
