"""Keep a project's webhooks, and hand their deliveries to workers: at least once, with back-off."""

from __future__ import annotations

import base64
import secrets
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from labeling import dispatch
from labeling.domain.refusals import Invalid, Refusal
from labeling.domain.webhooks import ATTEMPTS, CHOSEN, Hook, split_url, wait_after
from labeling.models import Delivery, Project, User, Webhook
from labeling.models.webhooks import DeliveryState
from labeling.services import announcements, events

LEASE = timedelta(seconds=60)
"""A worker gives up after a quarter of this; one that says nothing is gone."""

KEPT = timedelta(days=30)
"""Concluded deliveries are forgotten after this time."""

MOST = 20
"""Webhooks of one project."""

AT_ONCE = 2
"""Deliveries under way to one project's webhooks, and to one host: fewer than a worker's threads,
so that slow receivers leave some to the others."""

_CLAIMING = 7_120_306
"""The advisory lock of the one that claims."""

_HOST = Func(
    Lower("webhook__url"),
    Value(r"^https?://([^/?:[]+|\[[^]]*\])"),
    function="substring",
    output_field=TextField(),
)


class NotWaiting(Refusal):
    """The delivery is under way already."""

    code = "not_waiting"


class NoTest(Refusal):
    """A test now would not be sent, or not tell more than the one that waits."""

    code = "no_test"


@transaction.atomic
def create(*, by: User, project: Project, url: str, hooks: Sequence[str]) -> tuple[Webhook, str]:
    """Make a webhook and return it with its secret, which is shown this once."""
    split_url(url, frozenset(settings.WEBHOOK_PRIVATE_HOSTS))
    chosen = sorted(set(hooks))
    if not chosen or not set(chosen) <= {str(hook) for hook in CHOSEN}:
        raise Invalid("events: some of {known} are expected", known=", ".join(CHOSEN))
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)  # two may add at once
    others = Webhook.objects.filter(project=project)
    if others.filter(url=url).exists():
        raise Invalid("url: the project has a webhook of this address")
    if others.count() >= MOST:
        raise Invalid("a project has at most {most} webhooks", most=MOST)
    webhook = Webhook.objects.create(
        project=project, url=url, events=chosen, salt=secrets.token_urlsafe(24), created_by=by
    )
    events.record(
        by=by, action="webhook added", project=project, subject=webhook.uid, url=url, events=chosen
    )
    return webhook, secret_of(webhook=webhook)


@transaction.atomic
def remove(*, by: User, webhook: Webhook) -> None:
    """Delete the webhook with its log."""
    events.record(
        by=by, action="webhook removed", project=webhook.project, subject=webhook.uid,
        url=webhook.url,
    )  # fmt: skip
    webhook.delete()


@transaction.atomic
def switch(*, by: User, webhook: Webhook, on: bool) -> None:
    """Let the webhook be told of what happens from now on, or not."""
    Webhook.objects.filter(pk=webhook.pk).update(active=on)
    action = "webhook switched on" if on else "webhook switched off"
    events.record(by=by, action=action, project=webhook.project, subject=webhook.uid)


@transaction.atomic
def ping(*, by: User, webhook: Webhook, now: datetime) -> Delivery:
    """Send a test; refuse where it would only wait."""
    locked = Webhook.objects.select_for_update(no_key=True).get(pk=webhook.pk)  # two may ask
    if not locked.active:
        raise NoTest("the webhook is switched off: nothing is sent to it")
    tests = Delivery.objects.filter(webhook=webhook, event=Hook.PING)
    if tests.filter(state=DeliveryState.WAITING).exists():
        raise NoTest("a test is on its way already: the log shows it")
    events.record(by=by, action="webhook tested", project=webhook.project, subject=webhook.uid)
    return announcements.deliver(webhook=webhook, hook=Hook.PING, data={}, at=now)


@transaction.atomic
def send_again(*, by: User, delivery: Delivery, now: datetime) -> Delivery:
    """Send the same message once more, with the same id."""
    row = Delivery.objects.select_for_update().get(pk=delivery.pk)
    if row.state == DeliveryState.WAITING and row.lease_until and row.lease_until > now:
        raise NotWaiting("this delivery is under way")
    row.state, row.due_at, row.attempts = DeliveryState.WAITING, now, 0
    row.lease_until, row.delivered_at, row.reason = None, None, ""
    row.save()
    project = row.webhook.project
    events.record(by=by, action="webhook sent again", project=project, subject=row.uid)
    dispatch.ring("workers.deliver", queue="default")
    return row


@transaction.atomic
def claim(*, now: datetime) -> Delivery | None:
    """Lease a delivery that is due; None when none is that may be sent now.

    Of projects and hosts with fewest deliveries under way it is the one that is due longest, so
    that one project's many, or slow, do not hold up the others'.
    """
    with connection.cursor() as cursor:
        # another worker that claims now would count the same leases as this one
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_CLAIMING])
    row = _next(now)
    if row is None:
        return None
    row.lease_until, row.attempts = now + LEASE, row.attempts + 1
    row.save(update_fields=["lease_until", "attempts"])
    return row


@transaction.atomic
def conclude(*, delivery: Delivery, status: int | None, reason: str, now: datetime) -> None:
    """Note how an attempt ended; without a reason it was delivered, else it is tried later."""
    mine = Delivery.objects.filter(
        pk=delivery.pk, state=DeliveryState.WAITING, attempts=delivery.attempts
    )
    # text of the outside: Postgres stores no NUL
    said = reason.replace("\0", "\ufffd")[:500]
    values = {"status": status, "reason": said, "lease_until": None}
    if not reason:
        mine.update(state=DeliveryState.DELIVERED, delivered_at=now, **values)
        return
    wait = wait_after(delivery.attempts)
    if wait is None:
        mine.update(state=DeliveryState.FAILED, **values)
    else:
        mine.update(due_at=now + timedelta(seconds=wait), **values)


def attend(*, now: datetime) -> None:
    """Ring where deliveries are due and nobody has them; give up those whose every attempt was
    cut short; forget those of long ago."""
    waiting = _free(now).filter(attempts__gte=ATTEMPTS)
    waiting.update(
        state=DeliveryState.FAILED, lease_until=None, reason="no attempt came to its end"
    )
    if _due(now).exists():
        dispatch.ring("workers.deliver", queue="default", expires=20.0)
    over = Delivery.objects.exclude(state=DeliveryState.WAITING)
    over.filter(created_at__lt=now - KEPT).delete()


def _next(now: datetime) -> Delivery | None:
    held = Delivery.objects.filter(state=DeliveryState.WAITING, lease_until__gt=now)
    leases = list(held.annotate(host=_HOST).values_list("webhook__project", "host"))
    projects, hosts = Counter(p for p, _ in leases), Counter(h for _, h in leases)
    due = _due(now).annotate(host=_HOST).select_related("webhook").order_by("due_at")
    for under_way in range(AT_ONCE):
        # a row that somebody sends again just now is passed by
        row = (
            due.select_for_update(skip_locked=True, of=("self",))
            .exclude(webhook__project__in=[p for p, n in projects.items() if n > under_way])
            .exclude(host__in=[h for h, n in hosts.items() if n > under_way])
            .first()
        )
        if row is not None:
            return row
    return None


def _due(now: datetime) -> QuerySet[Delivery]:
    return _free(now).filter(due_at__lte=now, attempts__lt=ATTEMPTS, webhook__active=True)


def _free(now: datetime) -> QuerySet[Delivery]:
    nobodys = Q(lease_until=None) | Q(lease_until__lte=now)
    return Delivery.objects.filter(nobodys, state=DeliveryState.WAITING)


def secret_of(*, webhook: Webhook) -> str:
    """Return the secret that signs: of the row's salt and SECRET_KEY, so that neither suffices."""
    digest = salted_hmac("labeling.services.webhooks", webhook.salt, algorithm="sha256").digest()
    return "whsec_" + base64.b64encode(digest).decode()
