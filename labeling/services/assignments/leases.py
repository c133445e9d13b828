"""Give a person an item, one more ahead of it, and take both back when they leave."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from labeling.domain.refusals import NotAllowed, Refusal
from labeling.domain.roles import Role
from labeling.models import Assignment, Membership, Project, User
from labeling.models.compiled import Compiled, given
from labeling.services import events
from labeling.services.assignments import places, queue, rows


class NotCurrent(Refusal):
    """An item was asked for ahead of one that is itself ahead."""

    code = "not_current"


@transaction.atomic
def lease_next(*, by: User, project: Project, now: datetime) -> Assignment | None:
    """Return the person's open item, renewed, or lease the best one; None when none is left."""
    role = turn(by, project)
    return _current(by, project, role, now)


@transaction.atomic
def lease_ahead(*, by: User, project: Project, uid: str, now: datetime) -> Assignment | None:
    """Lease the item that follows the current one, `uid`; the same again until that is concluded.

    Where `uid` is concluded already, the item that follows it is the current one. None when
    nothing is left.
    """
    role = turn(by, project)
    mine = rows.all_open(by, project)
    after = next((item for item in mine if item.uid == uid), None)
    if after is None:
        rows.project_of(by, uid, project)
        return _current(by, project, role, now)
    if after.ahead:
        raise NotCurrent("finish the item before this one first")
    kept = [item for item in _kept(mine, by, project, now) if item.ahead]
    return kept[0] if kept else _lease(by, project, role, now, ahead=True)


@transaction.atomic
def release(*, by: User, project: Project, uid: str, now: datetime) -> None:
    """End the leases of the open item and the one ahead; drafts stay, coming back resumes them.

    Nothing happens where the item is concluded: the page was left for the next one.
    """
    mine = rows.all_open(by, project)
    if not any(item.uid == uid for item in mine):
        rows.project_of(by, uid, project)
        return
    Assignment.objects.filter(pk__in=[item.pk for item in mine]).update(expires_at=now)
    events.record(by=by, action="items released", project=project, subject=uid)


def turn(by: User, project: Project) -> Role:
    """Wait until no other request of this person adds an open item; return the person's role."""
    # Two tabs load the page at once: without the lock each would lease an item of its own.
    found = _locked_role.first(user=by.pk, project=project.pk)
    if found is None:
        raise NotAllowed("someone outside the project may not label")
    return Role(found[0])


@Compiled
def _locked_role() -> QuerySet[Membership, tuple[str]]:
    members = Membership.objects.select_for_update(no_key=True)
    own = members.filter(user=given("user"), project=given("project"))
    return own.values_list("role")


def _current(by: User, project: Project, role: Role, now: datetime) -> Assignment | None:
    kept = _kept(rows.all_open(by, project), by, project, now)
    if not kept:
        return _lease(by, project, role, now, ahead=False)
    if kept[0].ahead:  # the item before it was lost
        kept[0].ahead = False
        kept[0].save(update_fields=["ahead"])
    return kept[0]


def _kept(
    mine: Sequence[Assignment], by: User, project: Project, now: datetime
) -> list[Assignment]:
    """Renew the leases; drop those that ran out and whose places others have taken."""
    kept = []
    for item in mine:
        end = item.expires_at
        if places.renewed(item, project, now):
            if item.expires_at != end:
                item.save(update_fields=["expires_at"])
            kept.append(item)
        else:
            drop(item, by=by, now=now)
    return kept


def drop(item: Assignment, *, by: User, now: datetime) -> None:
    """Take an open item from the person. One that they had begun stays theirs as a skipped one."""
    events.record(
        by=by, action="lease lost", project=item.project, subject=item.uid,
        solution=item.solution.uid,
    )  # fmt: skip
    if item.draft_version == 0:
        item.delete()
        return
    item.skipped_at, item.skip_reason = now, "the lease ran out and others took the item"
    item.save(update_fields=["skipped_at", "skip_reason"])


def _lease(
    by: User, project: Project, role: Role, now: datetime, *, ahead: bool
) -> Assignment | None:
    found = queue.draw(by=by, project=project, role=role, now=now)
    if found is None:
        return None
    purpose, solution_id = found
    item = Assignment.objects.create(
        project=project,
        solution_id=solution_id,
        user=by,
        purpose=purpose,
        ahead=ahead,
        expires_at=rows.lease_end(project, now),
    )
    events.record(by=by, action="item leased", project=project, subject=item.uid)
    return item
