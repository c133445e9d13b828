"""Tokens, webhooks and the API's operations in both themes and sizes: nothing for axe-core."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from labeling.services import tokens
from tests import factories
from tests.functional.looks import audit, in_every_look, picture


@pytest.fixture
def kept(project, owner):
    """Tokens old and new, and a webhook with good and bad days."""
    now = timezone.now()
    for name, scopes in (("CI", ["read", "export"]), ("nightly import", ["read", "manage"])):
        token, _ = tokens.issue(by=owner, name=name, scopes=scopes, days=30, now=now)
    tokens.revoke(by=owner, token=token, now=now)
    webhook = factories.WebhookFactory(
        project=project, url="https://ci.example.org/hooks/annotator"
    )
    factories.WebhookFactory(project=project, active=False)
    for values in (
        {"state": "delivered", "delivered_at": now, "status": 204, "attempts": 1},
        {"state": "failed", "reason": "answered 500", "status": 500, "attempts": 8},
        {"reason": "ConnectionRefusedError: [Errno 111] Connection refused", "attempts": 3,
         "due_at": now + timedelta(minutes=5), "event": "snapshot.frozen"},
    ):  # fmt: skip
        factories.DeliveryFactory(webhook=webhook, **values)
    return webhook


@in_every_look
def test_the_pages_are_clean(look, page: Page, project, owner, kept, sign_in):
    sign_in(page, owner)

    def looked_at(name):
        assert audit(page) == [], name
        picture(page, f"{name}-{look}")

    page.goto(reverse("tokens"))
    page.fill("input[name=name]", "from a script")
    page.check("input[value=read]")
    page.click("form .button.primary")
    assert page.text_content("code.secret").startswith("ann_")
    looked_at("tokens")
    page.goto(reverse("webhooks", args=[project.uid]))
    page.fill("input[name=url]", "https://hooks.example.org/new")
    page.click("form .button.primary")
    assert page.text_content("code.secret").startswith("whsec_")
    looked_at("webhooks")
    page.goto(reverse("webhook", args=[project.uid, kept.uid]))
    looked_at("webhook")
    page.goto(reverse("api-docs"))
    page.click("#postVerdicts > summary")
    looked_at("docs")
