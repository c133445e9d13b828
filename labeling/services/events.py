"""The audit trail's only writer; called inside the transaction of the change."""

from __future__ import annotations

from typing import Any

from labeling.models import Event, Project, User
from labeling.services import announcements


def record(
    *, by: User, action: str, project: Project | None = None, subject: str = "", **details: Any
) -> None:
    """Add one event: who (`by`) did what (`action`) to which row (`subject`); tell webhooks."""
    event = Event.objects.create(
        actor=by, action=action, project=project, subject=subject, details=details
    )
    announcements.announce(event=event)
