"""The reader's language: chosen, kept, and served to scripts."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from labeling.domain.costs import Range
from labeling.domain.phrases import Phrase
from labeling.domain.setting_checks import BadSetting
from labeling.domain.statistics.undefined import Undefined
from labeling.language import said
from labeling.services import preferences
from labeling.templatetags import amounts, marks
from labeling.views.languages import languages
from tests import factories

CHINESE = {"headers": {"accept-language": "zh-CN,zh;q=0.9,en;q=0.1"}}


def test_a_browser_that_wants_chinese_gets_it_and_its_scripts_words(client, db):
    page = client.get(reverse("login"), **CHINESE)
    assert '<html lang="zh-hans">' in page.content.decode()
    assert reverse("words", args=["zh-hans", "x"])[:15] in page.content.decode()


def test_english_pages_load_no_words(client, db):
    page = client.get(reverse("login")).content.decode()
    assert '<html lang="en">' in page
    assert "/words/" not in page


def test_a_chosen_language_stays_and_leads_back_to_the_page(client, owner, project):
    client.force_login(owner)
    here = reverse("runs", args=[project.uid])
    answer = client.post(reverse("set_language"), {"language": "zh-hans", "next": here})
    assert answer.headers["Location"] == here
    assert answer.cookies["django_language"]["max-age"] == 365 * 24 * 3600
    assert '<html lang="zh-hans">' in client.get(here).content.decode()


def test_a_chosen_language_goes_with_the_person_to_another_browser(client, owner):
    client.force_login(owner)
    client.post(reverse("set_language"), {"language": "zh-hans", "next": "/"})
    another = Client()
    another.force_login(owner)
    assert '<html lang="zh-hans">' in another.get(reverse("tokens")).content.decode()
    owner.refresh_from_db()
    preferences.save(by=owner, values={"off": True})
    assert owner.preferences["language"] == "zh-hans"
    assert owner.preferences["off"] is True


def test_the_browser_s_choice_comes_before_the_person_s(client, owner):
    preferences.speak(by=owner, language="zh-hans")
    client.force_login(owner)
    client.cookies["django_language"] = "en"
    assert '<html lang="en">' in client.get(reverse("tokens")).content.decode()


def test_an_unknown_language_is_not_kept(client, owner):
    client.force_login(owner)
    client.post(reverse("set_language"), {"language": "tlh", "next": "/"})
    owner.refresh_from_db()
    assert "language" not in owner.preferences


def test_choosing_a_language_leads_to_no_other_site(client, db):
    sent = {"language": "zh-hans", "next": "https://elsewhere.example/"}
    assert client.post(reverse("set_language"), sent).headers["Location"] == "/"


def test_a_page_answered_to_a_post_offers_a_way_back_that_can_be_opened(rf):
    assert languages(rf.post("/p/x/runs/start"))["here"] == reverse("home")


def test_scripts_words_are_kept_forever_under_their_version(client, rf):
    with translation.override("zh-hans"):
        address = languages(rf.get("/"))["words_url"]
    answer = client.get(address)
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "immutable" in answer.headers["Cache-Control"]
    assert "gettext" in answer.content.decode()


def test_words_of_another_version_are_not_kept(client):
    answer = client.get(reverse("words", args=["zh-hans", "0"]))
    assert answer.status_code == 200
    assert "Cache-Control" not in answer.headers


def test_an_unknown_language_has_no_words(client):
    assert client.get(reverse("words", args=["tlh", "0"])).status_code == 404


def test_the_languages_of_the_pages_have_folders():
    codes = [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
    folders = [settings.LOCALE_PATHS[0] / translation.to_locale(code) for code in codes]
    assert all(folder.is_dir() for folder in folders)


def test_a_refusal_keeps_its_message_apart_from_its_values():
    error = BadSetting("n", "{value} is outside {low} to {high}", value=9, low=1, high=8)
    assert str(error) == "n: 9 is outside 1 to 8"
    assert said(error) == "n: 9 is outside 1 to 8"
    assert said(error.words) == "9 is outside 1 to 8"


def test_braces_in_a_value_mean_nothing():
    assert said(Phrase("there is no engine {name}", name="{x}")) == "there is no engine {x}"


def test_a_message_without_values_may_hold_braces():
    assert said(Phrase('such as [{"url": "http://host"}]')) == json.loads(
        '"such as [{\\"url\\": \\"http://host\\"}]"'
    )


@pytest.mark.parametrize("value", [None, 3, ""])
def test_what_is_no_text_is_said_as_it_is(value):
    assert said(value) is value


def test_a_refusal_is_said_in_the_reader_s_language(client, project):
    viewer = factories.MembershipFactory(project=project, role="viewer").user
    client.force_login(viewer)
    answer = client.get(reverse("annotate", args=[project.uid]), **CHINESE)
    assert answer.status_code == 403
    assert "角色“查看者”不能标注解答" in answer.content.decode()


def test_the_api_refuses_in_the_reader_s_language_and_keeps_its_codes(client, project, owner):
    client.force_login(owner)
    sent = {"data": {"kind": "mc", "settings": {}}, "content_type": "application/json"}
    english, chinese = (
        client.post(reverse("api-runs", args=[project.uid]), **sent, **more).json()["error"]
        for more in ({}, CHINESE)
    )
    assert english["code"] == chinese["code"]
    assert english["message"].isascii()
    assert not chinese["message"].isascii()


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (lambda: amounts.amount(2_400_000), "240 万"),
        (lambda: amounts.amount(Range(120_000_000, 320_000_000)), "1.2 至 3.2 亿"),
        (lambda: amounts.span(Range(600, 6000)), "10 分钟 至 1 小时 40 分钟"),
        (lambda: marks.duration(7500), "2 小时 5 分钟"),
        (lambda: marks.first_error_words(2), "第 3 步"),
        (lambda: marks.ago(timezone.now() - timedelta(minutes=3, seconds=20)), ">3 分钟前<"),
        (lambda: marks.percent(Undefined.NOTHING_COMPARED), "还没有可比较的内容"),
    ],
)
def test_numbers_and_times_are_said_in_chinese(shown, expected):
    with translation.override("zh-hans"):
        assert expected in str(shown())
