"""Send what webhooks are to be told, in threads beside the worker's own work.

What is to be sent stands in the database: a thread that dies with its process loses a lease.
"""

from __future__ import annotations

import logging
import threading
import time

from django.conf import settings
from django.db import OperationalError, connection
from django.utils import timezone

from labeling.domain.refusals import Refusal
from labeling.domain.webhooks import signature
from labeling.models import Delivery
from labeling.services import webhooks
from workers.posting import Unreachable, post

THREADS = 4
log = logging.getLogger("workers")
_places = threading.BoundedSemaphore(THREADS)


def begin() -> None:
    """Let a thread send all that is due, unless THREADS do already."""
    if _places.acquire(blocking=False):
        threading.Thread(target=_send_and_leave, name="webhooks", daemon=True).start()


def send_due() -> int:
    """Send what is due, one after the other; return how many attempts that were."""
    done = 0
    while (delivery := webhooks.claim(now=timezone.now())) is not None:
        attempt(delivery)
        done += 1
    return done


def attempt(delivery: Delivery) -> None:
    """Send one claimed delivery and note how that ended."""
    status, reason = None, ""
    try:
        status = _send(delivery)
        if not 200 <= status < 300:
            reason = f"answered {status}"
    except (Unreachable, Refusal) as error:
        reason = str(error)
    except Exception as error:
        # one delivery must not take the thread along, and with it everybody's
        log.exception("webhooks: delivery %s", delivery.uid)
        reason = type(error).__name__
    webhooks.conclude(delivery=delivery, status=status, reason=reason, now=timezone.now())


def _send(delivery: Delivery) -> int:
    webhook, now = delivery.webhook, int(time.time())
    secret = webhooks.secret_of(webhook=webhook)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "annotator-webhook",
        "webhook-id": delivery.uid,
        "webhook-timestamp": str(now),
        "webhook-signature": signature(secret, delivery.uid, now, delivery.body),
    }
    return post(webhook.url, delivery.body.encode(), headers, settings.WEBHOOK_PRIVATE_HOSTS)


def _send_and_leave() -> None:
    try:
        send_due()
    except OperationalError:
        log.exception("webhooks: no database")  # the sweeper, another process, rings again
    finally:
        connection.close()
        _places.release()
