"""`manage.py engine`, as an operator uses it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from labeling.models import Engine, Event
from tests import factories
from tests.integration.workers.test_doctor import Model
from tests.openai_server import OpenAIServer, openai_server
from workers.engines import speed

pytestmark = pytest.mark.django_db


def said(*words: str) -> str:
    out = StringIO()
    call_command("engine", *words, stdout=out, no_color=True)
    return out.getvalue()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    monkeypatch.setattr(speed, "SECONDS", 0.05)
    with openai_server(Model(), model="m") as server:
        yield server


def test_without_engines_the_list_shows_how_to_add_one() -> None:
    assert "manage.py engine add qwen --model" in said("list")


def test_an_engine_is_added_changed_listed_and_retired() -> None:
    owner = factories.UserFactory(username="olga")
    given = ["add", "qwen", "--model", "org/m", "--url", "http://a:1", "--url", "http://b:1/v1"]
    more = ["--concurrency", "64", "--option", "timeout=900", "--option", "api_key_env=A_KEY"]
    assert "engine check qwen" in said(
        *given, *more, "--hour-price", "4", "--currency", "EUR", "--by", "olga"
    )
    engine = Engine.objects.get()
    assert engine.options == {
        "url": ["http://a:1", "http://b:1/v1"],
        "max_concurrency": 64,
        "timeout": 900,
        "api_key_env": "A_KEY",
    }
    assert (engine.hour_price, engine.prompt_price) == (Decimal(4), 0)
    said("add", "qwen", "--model", "org/n", "--url", "http://a:1")
    said("retire", "qwen")
    assert said("list").split() == [
        *("qwen", "openai", "org/n", "http://a:1"),
        *("4.0000", "EUR", "per", "hour", "retired"),
    ]
    assert json.loads(said("list", "--json"))[0]["where"] == "http://a:1"
    actors = list(Event.objects.order_by("id").values_list("actor__username", flat=True))
    assert actors == ["olga", "machine", "machine"]
    assert owner.events.get().action == "engine saved"


def test_endpoints_of_their_own_are_given_as_json() -> None:
    endpoints = [{"url": "http://a:1", "max_concurrency": 8}, {"url": "http://b:1"}]
    said("add", "two", "--model", "m", "--option", f"endpoints={json.dumps(endpoints)}")
    assert Engine.objects.get().options == {"endpoints": endpoints}
    assert "http://a:1, http://b:1" in said("list")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["add", "x", "--model", "m"], "needs the url"),
        (["add", "x", "--model", "m", "--url", "http://u:p@h"], "api_key_env"),
        (["add", "x", "--model", "m", "--url", "http://h", "--option", "key=sk-1"], "secret"),
        (["add", "x", "--model", "m", "--url", "http://h", "--option", "fast"], "KEY=VALUE"),
        (["add", "x", "--model", "m", "--url", "http://h", "--by", "nobody"], "no user nobody"),
        (["add", "x", "--kind", "magic", "--model", "m"], "magic"),
        (["check", "x"], "there is no engine x; known: none"),
        (["retire", "x"], "there is no engine x"),
        ([], "required"),
    ],
)
def test_what_is_wrong_is_refused_with_its_reason(words: list[str], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        said(*words)
    assert not Engine.objects.exists()


def test_a_check_says_each_finding_on_a_line(server: OpenAIServer) -> None:
    said("add", "good", "--model", "m", "--url", server.url, "--concurrency", "4")
    lines = said("check", "good").splitlines()
    assert lines[0] == f"ok    reachable: {server.url}: it answers"
    assert all(line.startswith("ok  ") for line in lines)
    assert len(lines) > 10


def test_a_check_that_fails_says_what_to_do_and_fails_the_command(server: OpenAIServer) -> None:
    said("add", "bad", "--model", "other", "--url", server.url)
    out = StringIO()
    with pytest.raises(CommandError, match="bad is not fit for labeling: model") as failure:
        call_command("engine", "check", "bad", stdout=out, no_color=True)
    assert failure.value.returncode == 1
    assert "bad   model: " in out.getvalue()
    assert "Give the engine one of these names" in out.getvalue()


def test_a_check_is_one_line_of_json_where_that_is_asked_for(server: OpenAIServer) -> None:
    said("add", "good", "--model", "m", "--url", server.url, "--concurrency", "4")
    (line,) = said("check", "good", "--json").splitlines()
    report = json.loads(line)
    assert (report["engine"], report["ok"]) == ("good", True)
    by_check = {row["check"]: row for row in report["findings"]}
    assert by_check["seeds"] == {
        "check": "seeds",
        "state": "ok",
        "said": "8 of 8 samples are the same when asked again",
        "advice": "",
        "figures": {"same": 8.0},
    }
