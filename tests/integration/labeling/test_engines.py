"""The table of engines: who changes it leaves a trace, and nothing odd gets in."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from labeling.domain.engines import BadEngine
from labeling.models import Engine, Event
from labeling.services import engines
from labeling.services.engines import PriceTable
from tests import factories

pytestmark = pytest.mark.django_db

OPTIONS = {"url": "http://host:8000", "api_key_env": "PROVIDER_KEY"}


@pytest.fixture
def save(owner):
    def saved(name="vllm-7b", kind="openai", model="org/m", options=OPTIONS, **prices):
        return engines.save(
            by=owner, name=name, kind=kind, model=model, options=options,
            prices=PriceTable(**prices),
        )  # fmt: skip

    return saved


def actions():
    return list(Event.objects.order_by("id").values_list("action", flat=True))


def test_an_engine_is_made_once_and_changed_by_its_name(save, owner):
    engine = save(prompt_price="0.15", hour_price=2, currency="EUR")
    again = save(model="org/n")
    engine.refresh_from_db()
    assert again == engine
    assert (engine.kind, engine.model, engine.options) == ("openai", "org/n", OPTIONS)
    # prices that are not given stay
    assert (engine.prompt_price, engine.completion_price) == (Decimal("0.15"), Decimal(0))
    assert (engine.hour_price, engine.currency) == (Decimal(2), "EUR")
    made, changed = Event.objects.order_by("id")
    assert (made.actor, made.action, made.subject) == (owner, "engine saved", engine.uid)
    assert made.project is None
    assert made.details == {
        "name": "vllm-7b", "kind": "openai", "model": "org/m", "options": OPTIONS, "active": True,
        "prompt_price": "0.1500", "hour_price": "2.0000", "currency": "EUR",
    }  # fmt: skip
    assert changed.details["model"] == "org/n"


def test_saving_what_is_so_already_leaves_no_trace(save):
    save(prompt_price=1)
    save(prompt_price="1.0")
    save()
    assert actions() == ["engine saved"]


def test_a_retired_engine_is_kept_and_can_be_taken_back(save, owner):
    engine = save()
    assert not engines.retire(by=owner, engine=engine).active
    assert not engines.retire(by=owner, engine=engine).active
    assert Engine.objects.get().active is False
    assert save().active
    assert actions() == ["engine saved", "engine retired", "engine saved"]


def test_prices_change_alone(save, owner):
    engine = engines.retire(by=owner, engine=save())
    priced = engines.set_prices(
        by=owner, engine=engine, prices=PriceTable(completion_price=0.6, currency="CHF")
    )
    assert (priced.completion_price, priced.currency) == (Decimal("0.6"), "CHF")
    assert not priced.active
    engines.set_prices(by=owner, engine=engine, prices=PriceTable(completion_price="0.60"))
    assert actions()[2:] == ["engine priced"]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"name": "two words"}, "letters, digits"),
        ({"name": ""}, "letters, digits"),
        ({"name": "x" * 61}, "at most 60"),
        ({"model": " "}, "name of its model"),
        ({"model": "m\x00"}, "name of its model"),
        ({"kind": "magic"}, "no kind of engine"),
        ({"options": {"url": "file:///etc/passwd"}}, "http"),
        ({"options": {**OPTIONS, "api_key": "sk-1"}}, "environment variable"),
        ({"prompt_price": -1}, "prompt price is a number"),
        ({"hour_price": "dear"}, "hour price is a number"),
        ({"hour_price": "NaN"}, "hour price is a number"),
        ({"hour_price": "1e9"}, "hour price is a number"),
        ({"hour_price": "1e999999"}, "hour price is a number"),
        ({"currency": "euro"}, "currency"),
    ],
)
def test_what_is_no_engine_is_refused_and_leaves_nothing(save, given, text):
    with pytest.raises(BadEngine, match=text):
        save(**given)
    assert not Engine.objects.exists()
    assert not Event.objects.exists()


@pytest.fixture
def operator(db):
    return factories.UserFactory(is_staff=True, is_superuser=True)


def test_a_superuser_changes_prices_and_nothing_else_in_the_admin(client, operator):
    engine = factories.EngineFactory(active=False)
    client.force_login(operator)
    page = reverse("admin:labeling_engine_change", args=[engine.pk])
    assert client.get(page).status_code == 200
    sent = {"prompt_price": "0.25", "completion_price": "1", "hour_price": "0", "currency": "EUR"}
    answer = client.post(page, {**sent, "name": "mine", "model": "other", "active": "on"})
    assert answer.status_code == 302
    row = Engine.objects.get(pk=engine.pk)
    assert (row.prompt_price, row.completion_price, row.currency) == (Decimal("0.25"), 1, "EUR")
    assert (row.name, row.model, row.active) == (engine.name, engine.model, False)
    event = Event.objects.get()
    assert (event.actor, event.action, event.subject) == (operator, "engine priced", engine.uid)


@pytest.mark.parametrize("sent", [{"hour_price": "-1"}, {"currency": "eur"}, {"hour_price": "x"}])
def test_a_wrong_price_is_said_on_the_page(client, operator, sent):
    engine = factories.EngineFactory()
    client.force_login(operator)
    page = reverse("admin:labeling_engine_change", args=[engine.pk])
    right = {"prompt_price": "0", "completion_price": "0", "hour_price": "0", "currency": "EUR"}
    answer = client.post(page, {**right, **sent})
    assert answer.status_code == 200
    assert "Please correct the error" in answer.content.decode()
    assert not Event.objects.exists()


def test_staff_without_superuser_sees_prices_only_to_read(client, db):
    from django.contrib.auth.models import Permission

    clerk = factories.UserFactory(is_staff=True)
    rights = Permission.objects.filter(codename__in=["view_engine", "change_engine"])
    clerk.user_permissions.set(rights)
    engine = factories.EngineFactory()
    client.force_login(clerk)
    page = reverse("admin:labeling_engine_change", args=[engine.pk])
    assert client.get(page).status_code == 200
    assert client.post(page, {"prompt_price": "9"}).status_code == 403
    assert client.get(reverse("admin:labeling_engine_add")).status_code == 403
