"""Note what webhooks are to be told, in the transaction of what has happened."""

from __future__ import annotations

import json
from typing import Any

from labeling import dispatch
from labeling.domain.webhooks import Hook, told
from labeling.models import Delivery, Event, Webhook
from labeling.models.fields import new_uid


def announce(*, event: Event) -> None:
    """Make the deliveries that follow from an audit event, if any do."""
    found = told(event.action, event.subject, event.details)
    if found is None or event.project_id is None:
        return
    hook, data = found
    webhooks = Webhook.objects.filter(
        project=event.project_id, active=True, events__contains=[str(hook)]
    )
    for webhook in webhooks.select_related("project"):
        deliver(webhook=webhook, hook=hook, data=data, at=event.at)


def deliver(*, webhook: Webhook, hook: Hook, data: dict[str, Any], at: Any) -> Delivery:
    """Let a worker send this; the body is made once, and signed at each attempt."""
    uid = new_uid()
    project = {"uid": webhook.project.uid, "name": webhook.project.name}
    values = {"id": uid, "type": str(hook), "timestamp": at.isoformat(), "project": project}
    body = json.dumps({**values, "data": data}, ensure_ascii=False)
    made = Delivery.objects.create(uid=uid, webhook=webhook, event=hook, body=body, due_at=at)
    dispatch.ring("workers.deliver", queue="default", expires=20.0)
    return made
