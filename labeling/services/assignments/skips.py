"""Pass an item back to the others, and take it back."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F

from labeling.domain.assignments import Purpose, SkipReason
from labeling.domain.refusals import Invalid, Refusal
from labeling.models import Assignment, Decision, Project, User
from labeling.selectors import exams
from labeling.services import events
from labeling.services.assignments import leases, places, rows


class NotSkipped(Refusal):
    """The item to be taken back was not skipped."""

    code = "not_skipped"


@transaction.atomic
def skip(
    *,
    by: User,
    uid: str,
    code: SkipReason,
    words: str = "",
    now: datetime,
    within: Project | None = None,
) -> Assignment:
    """Return the item to the others, with a reason; OTHER needs words."""
    item = rows.open_item(by, uid, within)
    reason = words.strip() or code.words
    if not reason:
        raise Invalid("say why you skip the item")
    item.skipped_at, item.skip_code, item.skip_reason = now, code, reason
    item.save(update_fields=["skipped_at", "skip_code", "skip_reason"])
    if not item.ahead:
        rows.promote(by, item.project)
    _count_given_up(item, code, 1)
    events.record(
        by=by, action="item skipped", project=item.project, subject=uid, code=code, reason=reason
    )
    return item


@transaction.atomic
def unskip(*, by: User, uid: str, now: datetime, within: Project | None = None) -> Assignment:
    """Take a skipped item back as the current one, unless others took its places.

    The item that was current comes next; one leased ahead of it goes back to the queue.
    """
    leases.turn(by, rows.project_of(by, uid, within))
    skipped = rows.locked(by, uid)
    if skipped.skipped_at is None:
        raise NotSkipped("this item was not skipped")
    if skipped.purpose == Purpose.EXAM and exams.is_closed(skipped):
        raise NotSkipped("the exam is over")
    if not _has_room(skipped, now):
        raise places.Taken("others have this item now")
    _make_way(by, skipped, now)
    _count_given_up(skipped, skipped.skip_code, -1)
    skipped.skipped_at, skipped.skip_code, skipped.skip_reason = None, "", ""
    skipped.ahead, skipped.expires_at = False, rows.lease_end(skipped.project, now)
    skipped.save(update_fields=["skipped_at", "skip_code", "skip_reason", "ahead", "expires_at"])
    events.record(by=by, action="item taken back", project=skipped.project, subject=uid)
    return skipped


def _count_given_up(item: Assignment, code: str, change: int) -> None:
    if code == SkipReason.GIVE_UP:
        Decision.objects.filter(solution=item.solution_id).update(gave_up=F("gave_up") + change)


def _has_room(item: Assignment, now: datetime) -> bool:
    return item.purpose in places.UNLIMITED or places.is_free(
        item.project, item.solution_id, item.user_id, now
    )


def _make_way(by: User, skipped: Assignment, now: datetime) -> None:
    for item in reversed(rows.all_open(by, skipped.project)):
        if not item.ahead:
            item.ahead = True
            item.save(update_fields=["ahead"])
        elif item.draft_version:
            raise rows.Closed("finish the items that you have begun first")
        else:
            leases.drop(item, by=by, now=now)
