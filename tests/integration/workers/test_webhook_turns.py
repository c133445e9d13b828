"""Whose message goes next: nobody's many, or slow, hold up the others'."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from labeling.models import Delivery
from labeling.services import webhooks
from tests import factories as f

pytestmark = pytest.mark.django_db


def due(host, ago, project):
    """Make a delivery that is due for so many seconds; by what is claimed it is told by its age."""
    return f.DeliveryFactory(
        webhook__project=project, webhook__url=host, body=str(ago),
        due_at=timezone.now() - timedelta(seconds=ago),
    )  # fmt: skip


def claimed(times):
    """Return the ages of what is claimed one after the other, None where nothing is."""
    found = [webhooks.claim(now=timezone.now()) for _ in range(times)]
    return [row and int(row.body) for row in found]


def test_a_project_without_any_under_way_goes_before_one_that_waits_longer(project):
    for number in range(4):
        due(f"https://a{number}.example/", 90 + number, project)
    other = f.ProjectFactory()
    due("https://b.example/", 5, other)
    due("https://c.example/", 6, other)
    # the longest due; then the other project's; then one more of each, the longest due first
    assert claimed(5) == [93, 6, 92, 5, None]


def test_one_host_is_asked_by_two_at_most_whatever_its_port_and_project():
    for ago, host in enumerate(
        ("https://Slow.example:8443/x", "http://slow.example?a", "HTTP://SLOW.EXAMPLE:80/y"), 10
    ):
        due(host, ago, f.ProjectFactory())
    due("http://[2606:4700::1111]:80/", 3, f.ProjectFactory())
    due("http://[2606:4700::1112]/", 2, f.ProjectFactory())
    assert claimed(5) == [12, 3, 2, 11, None]


def test_what_is_concluded_or_lost_makes_room(project):
    for ago in (3, 2, 1):
        due(f"https://a{ago}.example/", ago, project)
    first = webhooks.claim(now=timezone.now())
    assert claimed(2) == [2, None]
    webhooks.conclude(delivery=first, status=204, reason="", now=timezone.now())
    assert claimed(2) == [1, None]
    Delivery.objects.update(lease_until=timezone.now() - timedelta(seconds=1))  # killed workers'
    assert claimed(3) == [2, 1, None]


@pytest.mark.django_db(transaction=True)
def test_workers_that_claim_at_the_same_moment_count_each_other(project):
    for ago in range(1, 9):
        due(f"https://a{ago}.example/", ago, project)
    barrier = Barrier(4)

    def claim(_):
        try:
            connection.ensure_connection()
            barrier.wait(10)
            return claimed(1)[0]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(claim, range(4)))
    assert sorted(ago for ago in found if ago) == [7, 8]


def test_one_test_at_a_time(project, owner):
    webhook = f.WebhookFactory(project=project)
    sent = webhooks.ping(by=owner, webhook=webhook, now=timezone.now())
    with pytest.raises(webhooks.NoTest, match="on its way already"):
        webhooks.ping(by=owner, webhook=webhook, now=timezone.now())
    webhooks.ping(by=owner, webhook=f.WebhookFactory(project=project), now=timezone.now())
    Delivery.objects.filter(pk=sent.pk).update(state="failed", reason="gone")
    webhooks.ping(by=owner, webhook=webhook, now=timezone.now())


def test_what_is_switched_off_is_not_tested(project, owner):
    webhook = f.WebhookFactory(project=project, active=False)
    with pytest.raises(webhooks.NoTest, match="switched off"):
        webhooks.ping(by=owner, webhook=webhook, now=timezone.now())
    assert not Delivery.objects.exists()
