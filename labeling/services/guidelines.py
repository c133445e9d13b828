"""Publish versions of a project's guidelines, and note who has read them."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from labeling.domain.refusals import Invalid, Refusal
from labeling.models import Acknowledgement, Guideline, Project, User
from labeling.models.guidelines import LONGEST
from labeling.services import events


class Overtaken(Refusal):
    """Somebody published another version meanwhile."""

    code = "overtaken"


@transaction.atomic
def publish(
    *,
    by: User,
    project: Project,
    text: str,
    based_on: int,
    change: str = "",
    needs_acknowledgement: bool = True,
) -> Guideline:
    """Store the next version; `based_on` is the one that its author had before them, 0 for none.

    Raise Invalid for a text that is empty, too long or unchanged, and Overtaken.
    """
    # Two managers may publish at once: the project's row decides who is first.
    Project.objects.select_for_update().get(pk=project.pk)
    newest = Guideline.objects.filter(project=project).order_by("-version").first()
    text = text.replace("\r\n", "\n").replace("\x00", "").strip()
    _check(text, change, newest, based_on)
    made = Guideline.objects.create(
        project=project,
        version=based_on + 1,
        text=text,
        change=change.strip()[:400],
        needs_acknowledgement=needs_acknowledgement,
        created_by=by,
    )
    events.record(
        by=by,
        action="guidelines published",
        project=project,
        subject=project.uid,
        version=made.version,
        needs_acknowledgement=needs_acknowledgement,
    )
    return made


def _check(text: str, change: str, newest: Guideline | None, based_on: int) -> None:
    if not text:
        raise Invalid("guidelines need a text")
    if len(text) > LONGEST:
        raise Invalid("guidelines may have {limit} characters", limit=LONGEST)
    if (newest.version if newest else 0) != based_on:
        raise Overtaken("somebody published another version meanwhile; yours was not saved")
    if newest is not None and newest.text == text:
        raise Invalid("the text is the same as that of version {version}", version=based_on)
    if newest is not None and not change.strip():
        raise Invalid("say in a sentence what changed: annotators are shown it")


@transaction.atomic
def acknowledge(*, by: User, guideline: Guideline, now: datetime) -> None:
    """Note that the person has read this version; a second time changes nothing."""
    _, made = Acknowledgement.objects.get_or_create(
        guideline=guideline, user=by, defaults={"acknowledged_at": now}
    )
    if made:
        events.record(
            by=by,
            action="guidelines acknowledged",
            project=guideline.project,
            subject=guideline.project.uid,
            version=guideline.version,
        )
