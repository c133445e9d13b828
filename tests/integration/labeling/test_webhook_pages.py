"""The pages of webhooks: the secret is shown once, refusals keep what was written, the log acts."""

from __future__ import annotations

import pytest
from django.urls import reverse

from labeling.models import Delivery, Webhook
from labeling.services import webhooks
from tests import factories as f

pytestmark = pytest.mark.django_db


@pytest.fixture
def at(client, project, manager):
    client.force_login(manager)
    return lambda name, *more: reverse(name, args=[project.uid, *more])


def test_a_secret_is_shown_once(client, at):
    given = {"url": "https://example.org/hook", "events": ["run.finished"]}
    made = client.post(at("add_webhook"), given)
    secret = webhooks.secret_of(webhook=Webhook.objects.get())
    assert secret in made.content.decode()
    assert "no-store" in made.headers["Cache-Control"]
    for place in (at("webhooks"), at("webhook", Webhook.objects.get().uid)):
        assert secret not in client.get(place).content.decode()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"url": "http://10.0.0.1/", "events": ["run.finished"]}, "is no public address"),
        ({"url": "ftp://example.org", "events": ["run.finished"]}, "begins with https://"),
        ({"url": "https://example.org"}, "This field is required"),
    ],
)
def test_a_refusal_keeps_what_was_written(given, words, client, at):
    answer = client.post(at("add_webhook"), given)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert given["url"] in answer.content.decode()
    assert not Webhook.objects.exists()


def test_the_log_says_what_came_of_each_message_and_sends_again(client, at, project):
    lost = f.DeliveryFactory(
        webhook__project=project, state="failed", reason="answered <b>500</b>", status=500
    )
    uid = lost.webhook.uid
    shown = client.get(at("webhook", uid)).content.decode()
    assert "answered &lt;b&gt;500" in shown
    client.post(at("send_again", uid, lost.uid))
    assert Delivery.objects.get().state == "waiting"
    client.post(at("move_webhook", uid, "test"))
    assert Delivery.objects.filter(event="ping").exists()
    client.post(at("move_webhook", uid, "off"))
    assert not Webhook.objects.get().active
    client.post(at("move_webhook", uid, "on"))
    assert Webhook.objects.get().active
    assert client.post(at("move_webhook", uid, "explode")).status_code == 404
    client.post(at("move_webhook", uid, "remove"))
    assert not Webhook.objects.exists()


def test_what_is_switched_off_offers_no_test(client, at, project):
    webhook = f.WebhookFactory(project=project)
    test = at("move_webhook", webhook.uid, "test")
    assert test in client.get(at("webhook", webhook.uid)).content.decode()
    Webhook.objects.update(active=False)
    assert test not in client.get(at("webhook", webhook.uid)).content.decode()
    refused = client.post(test)  # of a page that was open before
    assert refused.status_code == 409
    assert "switched off" in refused.content.decode()


def test_another_projects_webhook_is_not_found(client, at):
    other = f.DeliveryFactory()
    assert client.get(at("webhook", other.webhook.uid)).status_code == 404
    assert client.post(at("move_webhook", other.webhook.uid, "remove")).status_code == 404
    assert client.post(at("send_again", other.webhook.uid, other.uid)).status_code == 404


def test_the_list_takes_one_query_more_for_no_number_of_webhooks(
    client, at, project, django_assert_max_num_queries
):
    for _ in range(6):
        f.DeliveryFactory(webhook__project=project)
    with django_assert_max_num_queries(8):
        client.get(at("webhooks"))


def test_every_operation_stands_on_the_page_of_the_api(client):
    from labeling.api.docs import sections

    shown = client.get(reverse("api-docs")).content.decode()
    operations = [operation for _, found in sections() for operation in found]
    assert len(operations) > 60
    for operation in operations:
        assert f'id="{operation.name}"' in shown
        assert operation.answers
