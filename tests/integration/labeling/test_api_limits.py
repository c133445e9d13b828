"""How much one token and one address may ask for, and what a wrong token is answered."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest
from django.test import Client

from labeling.api import throttling
from tests.api import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(project):
    return Api(project)


@pytest.fixture(autouse=True)
def one_window(monkeypatch):
    """The clock stands still: no window ends in the middle of a test."""
    now = time.time() // 60 * 60 + 20.5
    monkeypatch.setattr(throttling.time, "time", lambda: now)


def test_a_token_has_to_wait_after_its_rate_and_others_have_not(settings, api, owner, manager):
    settings.API_RATE = "3/min"
    statuses = [api(owner, "get", "/api/me").status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    refused = api(owner, "get", "/api/me")
    assert refused.headers["Retry-After"] == "40"  # 39.5 s of the window are left
    assert refused.json()["error"]["code"] == "throttled"
    assert api(manager, "get", "/api/me").status_code == 200
    assert api(owner, "get", "/api/me", scopes=("read",)).status_code == 200  # another token


def test_an_address_has_to_wait_whatever_tokens_it_guesses(settings):
    settings.API_ADDRESS_RATE = "5/min"
    address = f"10.{uuid4().int % 256}.{uuid4().int % 256}.{uuid4().int % 256}"
    statuses = [
        Client(REMOTE_ADDR=address)
        .get("/api/me", headers={"Authorization": f"Bearer ann_{n}"})
        .status_code
        for n in range(7)
    ]
    assert statuses == [401] * 5 + [429] * 2
    assert Client(REMOTE_ADDR=f"11{address[2:]}").get("/api/me").status_code == 401


def test_the_schema_is_limited_as_well(settings):
    settings.API_ADDRESS_RATE = "2/min"
    client = Client(REMOTE_ADDR=f"12.{uuid4().int % 256}.{uuid4().int % 256}.1")
    answers = [client.get("/api/schema") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].headers["Retry-After"] == "40"


def test_without_redis_nobody_has_to_wait(settings, api, owner):
    settings.API_RATE = "0/min"
    settings.CACHES = {
        **settings.CACHES,
        "counts": {**settings.CACHES["counts"], "LOCATION": "redis://127.0.0.1:1/0"},
    }
    assert api(owner, "get", "/api/me").status_code == 200


def test_an_old_write_token_may_manage_and_run(owner):
    from importlib import import_module

    from django.apps import apps

    from labeling.models import ApiToken
    from tests import factories as f

    token = f.ApiTokenFactory(user=owner, scopes=["read", "write"])
    import_module("labeling.migrations.0019_api").rename_scopes(apps, None)
    assert ApiToken.objects.get(pk=token.pk).scopes == ["manage", "read", "run"]


def test_who_calls_is_told_with_what(api, owner):
    me = api(owner, "get", "/api/me", scopes=("read",)).json()
    assert (me["user"], me["token"], me["scopes"]) == (owner.username, "t", ["read"])
    assert me["expires_at"]


def test_asking_for_the_head_needs_what_getting_needs(api, manager):
    for method in ("get", "head"):
        answer = api(manager, method, "labels.jsonl", scopes=("read",))
        assert answer.status_code == 403, method
