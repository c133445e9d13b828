"""Settings of runs: what is refused, by name; and that equal settings make one configuration."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.hashing import config_hash
from labeling.domain.judging import JUDGE_TEMPLATES, ReplyForm
from labeling.domain.monte_carlo import McMode
from labeling.domain.prm_formats import PRM_FORMATS
from labeling.domain.prompts import COMPLETION_TEMPLATES
from labeling.domain.run_settings import (
    SETTINGS,
    GenerateSettings,
    JudgeSettings,
    McSettings,
    ScoreSettings,
    read,
)
from labeling.domain.setting_checks import LIMITS, BadSetting
from trainer.formats import FORMATS

models = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=60)
templates = st.sampled_from(sorted(COMPLETION_TEMPLATES))
warm = st.floats(0.01, 2.0)


def count(name):
    low, high = LIMITS[name]
    return st.integers(int(low), int(high))


@st.composite
def mc_settings(draw):
    mode = draw(st.sampled_from(list(McMode)))
    judged = mode is McMode.CONSENSUS
    return McSettings(
        model=draw(models),
        weights=draw(st.sampled_from(["", "a1b2"])),
        template=draw(templates),
        n=draw(count("n")),
        mode=mode,
        temperature=draw(warm),
        max_tokens=draw(count("max_tokens")),
        judge="some-judge" if judged else "",
        audit_share=draw(st.floats(0, 1)) if judged else None,
    )


@st.composite
def judge_settings(draw):
    own = draw(st.booleans())
    return JudgeSettings(
        model=draw(models),
        template="strict-v2" if own else draw(st.sampled_from(sorted(JUDGE_TEMPLATES))),
        text="{problem} and {solution}?" if own else "",
        reply=draw(st.sampled_from(list(map(str, ReplyForm)))) if own else "",
        temperature=draw(warm),
        max_tokens=draw(count("max_tokens")),
        votes=draw(count("votes")),
    )


@st.composite
def generate_settings(draw):
    split = draw(st.sampled_from(["", "paragraphs", "numbered", "lines", "pattern"]))
    return GenerateSettings(
        model=draw(models),
        generator=draw(models),
        template=draw(templates),
        samples=draw(count("samples")),
        temperature=draw(warm),
        max_tokens=draw(count("max_tokens")),
        unsolved_only=draw(st.booleans()),
        split=split,
        pattern=r"\n-\n" if split == "pattern" else "",
    )


@st.composite
def score_settings(draw):
    served = draw(st.booleans())
    return ScoreSettings(
        prm="" if served else "some-prm",
        model=draw(models) if served else "",
        format="qwen-prm" if served else "",
        threshold=draw(st.floats(0, 1)),
    )


settings = st.one_of(mc_settings(), judge_settings(), generate_settings(), score_settings())


@given(settings)
def test_reading_a_configuration_gives_the_settings_that_made_it(made):
    assert read(made.kind, json.loads(json.dumps(made.config()))) == made


@given(settings)
def test_a_configuration_holds_what_is_set_and_nothing_empty(made):
    config = made.config()
    assert not {name for name, value in config.items() if value in ("", None)}
    left_out = {f.name for f in fields(made)} - set(config)
    assert all(getattr(made, name) in ("", None) for name in left_out)


@given(settings)
def test_a_labelers_name_fits_its_column(made):
    assert 0 < len(made.name) <= 200
    if made.kind != "generate":
        assert len(made.name) <= 120


def test_a_whole_temperature_and_the_same_float_make_one_configuration():
    one, same = (read("mc", {"model": "m", "temperature": t}).config() for t in (1, 1.0))
    assert config_hash(one) == config_hash(same)


def test_the_configurations_are_those_that_workers_read():
    assert McSettings(model="a/m", mode=McMode.CONSENSUS, judge="j", audit_share=0.05).config() == {
        "model": "a/m", "template": "boxed-chat-v1", "n": 8, "mode": "consensus",
        "temperature": 1.0, "max_tokens": 2048, "judge": "j", "audit_share": 0.05,
    }  # fmt: skip
    assert JudgeSettings(model="m", weights="1f").config() == {
        "model": "m", "weights": "1f", "template": "paper-v1", "temperature": 0.0,
        "max_tokens": 4096, "votes": 1,
    }  # fmt: skip
    assert GenerateSettings(model="org/m", split="paragraphs").config() == {
        "model": "org/m", "generator": "m", "template": "boxed-chat-v1", "samples": 4,
        "temperature": 1.0, "max_tokens": 2048, "unsolved_only": False,
    }  # fmt: skip
    assert ScoreSettings(prm="p").config() == {"prm": "p", "threshold": 0.5}


def test_the_formats_of_prms_are_those_of_the_trainer():
    assert set(PRM_FORMATS) == set(FORMATS)


def test_names_tell_kind_model_n_and_mode_and_what_is_not_exact():
    assert McSettings(model="Qwen/Qwen2.5-7B").name == "MC of 8 · Qwen2.5-7B"
    assert McSettings(model="m", n=4, mode="soft").name == "MC of 4, soft · m"
    assert McSettings(model="m", mode="bisect").name == "MC of 8, bisect (not exact) · m"
    assert JudgeSettings(model="m", votes=3, temperature=0.5).name == "paper-v1, 3 votes · m"
    assert GenerateSettings(model="x/m").name == "m"
    assert ScoreSettings(model="x/prm", format="qwen-prm").name == "PRM prm"


@pytest.mark.parametrize(
    ("kind", "values", "field"),
    [
        ("train", {}, "kind"),
        ("mc", {}, "model"),
        ("mc", {"model": ""}, "model"),
        ("mc", {"model": "m", "modell": 1}, "settings"),
        ("mc", {"model": "m\0"}, "model"),
        ("mc", {"model": "\ud800"}, "model"),
        ("mc", {"model": "m" * 501}, "model"),
        ("mc", {"model": "m", "n": 0}, "n"),
        ("mc", {"model": "m", "n": 1025}, "n"),
        ("mc", {"model": "m", "n": True}, "n"),
        ("mc", {"model": "m", "n": 8.0}, "n"),
        ("mc", {"model": "m", "n": "8"}, "n"),
        ("mc", {"model": "m", "mode": "fast"}, "mode"),
        ("mc", {"model": "m", "mode": []}, "mode"),
        ("mc", {"model": "m", "template": "none"}, "template"),
        ("mc", {"model": "m", "temperature": -0.1}, "temperature"),
        ("mc", {"model": "m", "temperature": float("nan")}, "temperature"),
        ("mc", {"model": "m", "temperature": float("inf")}, "temperature"),
        ("mc", {"model": "m", "temperature": 0}, "temperature"),
        ("mc", {"model": "m", "max_tokens": 0}, "max_tokens"),
        ("mc", {"model": "m", "judge": "j"}, "judge"),
        ("mc", {"model": "m", "audit_share": 0.1}, "audit_share"),
        ("mc", {"model": "m", "mode": "consensus", "audit_share": 0.1}, "judge"),
        ("mc", {"model": "m", "mode": "consensus", "judge": "j"}, "audit_share"),
        ("mc", {"model": "m", "mode": "consensus", "judge": "j", "audit_share": 2}, "audit_share"),
        ("judge", {"model": "m", "template": "strict-v1"}, "template"),
        ("judge", {"model": "m", "reply": "boxed"}, "reply"),
        ("judge", {"model": "m", "votes": 3}, "temperature"),
        (
            "judge",
            {"model": "m", "template": "a-v1", "text": "{problem}", "reply": "boxed"},
            "text",
        ),
        ("judge", {"model": "m", "template": "a", "text": "x", "reply": "boxed"}, "template"),
        (
            "judge",
            {"model": "m", "template": "paper-v1", "text": "x", "reply": "boxed"},
            "template",
        ),
        ("judge", {"model": "m", "template": "a-v1", "text": "x", "reply": "essay"}, "reply"),
        ("judge", {"model": "m", "template": "a-v1", "text": "x"}, "reply"),
        ("generate", {"model": "m", "unsolved_only": "yes"}, "unsolved_only"),
        ("generate", {"model": "m", "split": "words"}, "split"),
        ("generate", {"model": "m", "split": "pattern"}, "pattern"),
        ("generate", {"model": "m", "pattern": "x"}, "pattern"),
        ("generate", {"model": "m", "split": "pattern", "pattern": "("}, "pattern"),
        ("generate", {"model": "m", "generator": "g" * 201}, "generator"),
        ("score", {}, "prm"),
        ("score", {"prm": "p", "model": "m", "format": "qwen-prm"}, "prm"),
        ("score", {"model": "m"}, "format"),
        ("score", {"model": "m", "format": "qwen"}, "format"),
        ("score", {"prm": "p", "format": "qwen-prm"}, "format"),
        ("score", {"prm": "p", "threshold": None}, "threshold"),
    ],
)
def test_a_bad_setting_is_refused_by_its_name(kind, values, field):
    with pytest.raises(BadSetting) as refused:
        read(kind, values)
    assert refused.value.field == field
    assert str(refused.value).startswith(f"{field}: ")


@given(
    st.sampled_from(sorted(SETTINGS)),
    st.dictionaries(
        st.sampled_from([f.name for cls in SETTINGS.values() for f in fields(cls)]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()),
    ),
)
def test_whatever_is_given_is_read_or_refused_in_words(kind, values):
    said = outcome(kind, values)
    assert said
    assert len(said) < 600


def outcome(kind, values) -> str:
    try:
        return json.dumps(read(kind, values).config())
    except BadSetting as refused:
        return str(refused)
