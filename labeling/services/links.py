"""Links that let whoever has them download one file of a snapshot for a while, without a token."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from django.core import signing
from django.db import transaction

from labeling.domain.refusals import NotFound
from labeling.domain.roles import Action, can
from labeling.models import ApiToken, Snapshot, User
from labeling.selectors.access import role_of
from labeling.services import events

LONGEST = timedelta(days=7)
_SALT = "labeling.services.links"


class Opened(NamedTuple):
    """What a link is good for."""

    snapshot: Snapshot
    file: str


@transaction.atomic
def issue(
    *,
    by: User,
    snapshot: Snapshot,
    file: str,
    lasts: timedelta,
    now: datetime,
    token: ApiToken | None = None,
) -> tuple[str, datetime]:
    """Return a signed name of the file, and until when it opens it.

    `token`: what it is asked for with, if not by a page; the link does not outlive it.
    """
    ends = now + min(lasts, LONGEST)
    if token is not None:
        ends = min(ends, token.expires_at)
    events.record(
        by=by, action="download link issued", project=snapshot.project, subject=snapshot.uid,
        file=file[:200], until=ends.isoformat(),
    )  # fmt: skip
    return signed(by=by, snapshot=snapshot, file=file, ends=ends, token=token), ends


def signed(
    *, by: User, snapshot: Snapshot, file: str, ends: datetime, token: ApiToken | None
) -> str:
    """Return the signed name of a file by which `by` lets it be downloaded until then."""
    values = [snapshot.uid, file, by.pk, token and token.pk, int(ends.timestamp())]
    return signing.dumps(values, salt=_SALT, compress=True)


def opened(*, signed: str, now: datetime) -> Opened:
    """Return what the link opens; raise NotFound for one that is wrong, too old or taken away.

    It ends early when who issued it may no longer export, and with the token it was issued with.
    """
    try:
        uid, file, issuer, token, ends = signing.loads(signed, salt=_SALT)
    except (signing.BadSignature, ValueError) as error:
        raise NotFound("this link opens nothing: it is wrong or too old") from error
    snapshot = Snapshot.objects.select_related("project").filter(uid=uid).first()
    user = User.objects.filter(pk=issuer, is_active=True).first()
    if (
        snapshot is None
        or user is None
        or ends <= now.timestamp()
        or not (token is None or _is_good(token, now))
        or not can(role_of(user, snapshot.project), Action.EXPORT)
    ):
        raise NotFound("this link opens nothing: it is wrong or too old")
    return Opened(snapshot, file)


def _is_good(token: int, now: datetime) -> bool:
    return ApiToken.objects.filter(pk=token, revoked_at=None, expires_at__gt=now).exists()
