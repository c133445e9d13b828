"""Count wrong passwords, so that nobody can try many.

Of names and addresses only hashes are kept: people type passwords where names belong. The audit
trail names accounts that exist, and tells addresses apart by the beginning of a hash.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.db import transaction

from labeling.models import SignInFailure, User
from labeling.services import events, projects

WINDOW = timedelta(minutes=15)
TRIES = 5
"""Wrong passwords of one name from one address within WINDOW, then it has to wait."""
TRIES_OF_ADDRESS = 50
"""Wrong passwords from one address, whatever the name: many people may share one."""


def must_wait(*, name: str, address: str, now: datetime) -> timedelta | None:
    """Return how long this name has to wait at this address, None if it may try."""
    waits = [
        _wait(digest, tries, now)
        for digest, tries in (
            (_digest(name, address), TRIES),
            (_digest("", address), TRIES_OF_ADDRESS),
        )
    ]
    return max((wait for wait in waits if wait), default=None)


@transaction.atomic
def fail(*, name: str, address: str, now: datetime) -> None:
    """Note a wrong password, and forget those that count no more.

    An account that exists gets an event, from one address at most TRIES within WINDOW: after that
    no password is looked at, and nothing fails.
    """
    SignInFailure.objects.filter(failed_at__lt=now - WINDOW).delete()
    SignInFailure.objects.bulk_create(
        SignInFailure(digest=digest, failed_at=now)
        for digest in (_digest(name, address), _digest("", address))
    )
    # nobody is signed in whose deed it could be
    if user := User.objects.filter(username=name).first():
        events.record(
            by=projects.machine(), action="sign-in failed", subject=user.username[:60],
            address=_digest("", address)[:12],
        )  # fmt: skip


def succeed(*, name: str, address: str) -> None:
    """Forget the failures of a name that signed in from this address."""
    SignInFailure.objects.filter(digest=_digest(name, address)).delete()


def _wait(digest: str, tries: int, now: datetime) -> timedelta | None:
    recent = SignInFailure.objects.filter(digest=digest, failed_at__gt=now - WINDOW)
    times = list(recent.order_by("-failed_at").values_list("failed_at", flat=True)[:tries])
    return times[-1] + WINDOW - now if len(times) == tries else None


def _digest(name: str, address: str) -> str:
    # as Django compares names: by their normal form, and here whatever their case
    return hashlib.sha256(f"{name.casefold()}\n{address}".encode()).hexdigest()
