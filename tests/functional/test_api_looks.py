"""Tokens, webhooks and the API's operations in both themes and sizes: nothing for axe-core."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser

from labeling.services import tokens
from tests import factories
from tests.functional.test_looks import SIZES, audit

SHOTS = os.environ.get("SHOTS", "")
"""A folder to leave pictures in."""


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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", sorted(SIZES))
def test_the_pages_are_clean(
    scheme, size, browser: Browser, live_server, project, owner, kept, sign_in
):
    width, height = SIZES[size]
    context = browser.new_context(
        base_url=live_server.url, color_scheme=scheme, viewport={"width": width, "height": height}
    )
    page = context.new_page()
    sign_in(page, owner)

    def look(name):
        assert audit(page) == [], name
        if SHOTS:
            page.screenshot(
                path=Path(SHOTS) / f"{name}-{size}-{scheme}.png", full_page=name != "docs"
            )

    page.goto(reverse("tokens"))
    page.fill("input[name=name]", "from a script")
    page.check("input[value=read]")
    page.click("form .button.primary")
    assert page.text_content("code.secret").startswith("ann_")
    look("tokens")
    page.goto(reverse("webhooks", args=[project.uid]))
    page.fill("input[name=url]", "https://hooks.example.org/new")
    page.click("form .button.primary")
    assert page.text_content("code.secret").startswith("whsec_")
    look("webhooks")
    page.goto(reverse("webhook", args=[project.uid, kept.uid]))
    look("webhook")
    page.goto(reverse("api-docs"))
    page.click("#postVerdicts > summary")
    look("docs")
    context.close()
