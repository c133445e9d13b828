"""Messages with their values beside them."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from labeling.domain.labels import LabelError
from labeling.domain.phrases import Phrase, phrase_of
from labeling.domain.refusals import Invalid
from labeling.domain.setting_checks import BadSetting


def test_a_phrase_is_its_english_text():
    said = Phrase("{count:,} of {what} wait", count=1200, what=Phrase("solutions"))
    assert said == "1,200 of solutions wait"
    assert json.dumps(said) == '"1,200 of solutions wait"'


def test_a_phrase_remembers_its_message_and_values():
    said = Phrase("{name} is off", name="mc")
    assert (said.message, said.values) == ("{name} is off", {"name": "mc"})


@pytest.mark.parametrize("again", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])
def test_a_copy_remembers_as_well(again):
    said = again(Phrase("{name} is off", name="mc"))
    assert (str(said), said.message) == ("mc is off", "{name} is off")


def test_braces_of_a_message_without_values_stay():
    assert Phrase("Nothing follows {solution}") == "Nothing follows {solution}"


def test_braces_of_a_value_stay():
    assert Phrase("no {name}", name="{x}") == "no {x}"


def test_an_exception_among_the_values_becomes_its_phrase():
    inner = LabelError("{count} labels", count=3)
    outer = Invalid("labels: {error}", error=inner)
    assert str(outer) == "labels: 3 labels"
    assert outer.phrase.values["error"].message == "{count} labels"


def test_a_refusal_made_of_a_phrase_keeps_it():
    inner = LabelError("{count} labels", count=3)
    assert Invalid(phrase_of(inner)).phrase is inner.phrase


def test_the_phrase_of_any_other_exception_is_its_text():
    assert phrase_of(TypeError("no {field}")) == "no {field}"


def test_a_bad_setting_names_its_field_before_its_words():
    error = BadSetting("n", "{value} is not a number", value="x")
    assert (str(error), error.field, error.words) == (
        "n: x is not a number",
        "n",
        "x is not a number",
    )
