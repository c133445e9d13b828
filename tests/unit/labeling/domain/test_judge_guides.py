"""What the editor tells of each reply form is what the readers do."""

from __future__ import annotations

import pytest

from labeling.domain.judge_guides import ABOUT, EXAMPLE_STEPS, GUIDES, doubts
from labeling.domain.judging import JUDGE_TEMPLATES, Parsed, ReplyForm, custom

TEXT = "{problem}\n{solution}\n"
EVERY_FORM = pytest.mark.parametrize("form", list(ReplyForm))


@EVERY_FORM
def test_the_example_reply_blames_the_second_step(form: ReplyForm) -> None:
    reading = custom(TEXT, form).parse(GUIDES[form].example, EXAMPLE_STEPS)
    assert reading == Parsed(1, (1, -1, None))


@EVERY_FORM
def test_the_tags_that_the_guide_names_are_those_that_are_sent(form: ReplyForm) -> None:
    prompt = custom(TEXT, form).render("P", ["a", "b"])
    sent = prompt if isinstance(prompt, str) else prompt[0].content
    named = [word.strip(".,") for word in GUIDES[form].sent_as.split() if word.startswith("<")]
    assert all(tag in sent for tag in named)
    assert ("plain text" in GUIDES[form].sent_as.lower()) == isinstance(prompt, str)


@pytest.mark.parametrize("name", JUDGE_TEMPLATES)
def test_there_is_no_doubt_about_a_built_in_wording(name: str) -> None:
    assert doubts(JUDGE_TEMPLATES[name]) == ()


def test_every_built_in_wording_is_explained() -> None:
    assert ABOUT.keys() == JUDGE_TEMPLATES.keys()


def test_a_wording_that_does_not_ask_for_its_form_is_doubted() -> None:
    assert "does not say \\boxed" in doubts(custom(TEXT, ReplyForm.BOXED))[0]
    assert len(doubts(custom(TEXT + "<conclusion>", ReplyForm.ANALYSES))) == 1
    assert "Nothing follows {solution}" in doubts(custom(TEXT, ReplyForm.CHECKS))[0]


def test_a_place_that_is_not_filled_is_doubted_and_tex_is_not() -> None:
    text = r"{problem} {answer} {answer} \text{where} x_{in} \boxed{} {solution}"
    (doubt,) = doubts(custom(text, ReplyForm.BOXED))
    assert doubt.startswith("{answer} is no place")
