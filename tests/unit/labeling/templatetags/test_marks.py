"""Signs, words and numbers as pages show them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.template import Context, Template
from django.utils import timezone

from labeling.domain.statistics.undefined import Undefined
from labeling.templatetags import marks


def shown(source: str, **context: object) -> str:
    return Template("{% load marks %}" + source).render(Context(context)).strip()


def test_machine_verdicts_are_outlined_and_peoples_filled() -> None:
    assert 'class="badge wrong outlined"' in shown("{% verdict 'mc' 'scored' 2 %}")
    assert 'class="badge wrong filled"' in shown("{% verdict 'human' 'scored' 2 %}")


def test_a_verdict_names_its_step_from_one() -> None:
    html = shown("{% verdict 'judge' 'scored' 2 %}")
    assert "✗" in html
    assert "step 3" in html


def test_no_error_carries_sign_and_word() -> None:
    html = shown("{% verdict 'judge' 'scored' first %}", first=-1)
    assert "✓" in html
    assert "no error" in html


def test_an_unscored_verdict_is_no_error_of_anyone() -> None:
    assert "unscored" in shown("{% verdict 'judge' 'unscored' None %}")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (0.4, "< 1 s"), (59.6, "1 min"), (3661, "1 h 1 min"), (90061, "1 d 1 h")],
)
def test_durations_read_as_people_say_them(seconds: float, words: str) -> None:
    assert marks.duration(seconds) == words


def test_undefined_numbers_are_a_dash_that_explains_itself() -> None:
    assert "not defined" in marks.percent(None)
    assert "not defined" in marks.share_of(0, 0)


def test_shares_stand_as_percentages() -> None:
    # 251 / 520 = 0.48269...
    assert marks.share_of(251, 520) == "48.3 %"


def test_relative_times_carry_the_exact_one() -> None:
    moment = timezone.now() - timedelta(hours=3, minutes=5)
    html = marks.ago(moment)
    assert ">3 h ago<" in html
    assert moment.strftime("%Y-%m-%d %H:%M:%S UTC") in html


@pytest.mark.parametrize("filtered", ["percent", "decimal:2"])
def test_an_undefined_statistic_is_a_dash_that_says_why(filtered: str) -> None:
    html = shown("{{ value|" + filtered + " }}", value=Undefined.ONE_CATEGORY)
    assert "—" in html
    assert 'title="every label is the same' in html
    assert shown("{{ value|percent }}", value=0.5) == "50.0 %"
