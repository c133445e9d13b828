"""Bring people in by a link that sets their password; change passwords."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction

from labeling.domain.refusals import Invalid, NotAllowed
from labeling.domain.roles import Role
from labeling.models import Invitation, Project, User
from labeling.services import events, members
from labeling.services.tokens import digest

GOOD_FOR = timedelta(days=7)


@transaction.atomic
def invite(*, by: User, project: Project, username: str, role: Role, now: datetime) -> str:
    """Make an account with a role in the project; return the token of its link, shown once.

    A name that was invited before and has no password yet gets a new link. Raise Invalid for a
    name that is taken or malformed.
    """
    username = User.normalize_username(username.strip())
    user = User.objects.select_for_update().filter(username=username).first()
    if user is None:
        user = _new(username)
    elif not _is_waiting(user, by):
        raise Invalid("the name {name!r} is taken: add that person as a member", name=username)
    members.set_role(by=by, project=project, user=user, role=role)
    plain = secrets.token_urlsafe(32)
    Invitation.objects.update_or_create(
        user=user,
        defaults={
            "token_hash": digest(plain),
            "expires_at": now + GOOD_FOR,
            "used_at": None,
            "created_by": by,
        },
    )
    events.record(by=by, action="person invited", project=project, subject=username[:60])
    return plain


def _new(username: str) -> User:
    user = User(username=username)
    user.set_unusable_password()
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as error:
        raise Invalid("a name has letters, digits and @ . + - _ only, at most 150") from error
    user.save()
    return user


def _is_waiting(user: User, by: User) -> bool:
    """Say whether `by` invited the user, who has set no password yet."""
    invitation = Invitation.objects.filter(user=user, created_by=by, used_at=None).exists()
    return invitation and user.is_active and not user.has_usable_password()


@transaction.atomic
def accept(*, by: User, password: str, now: datetime) -> None:
    """Set the first password of the invited; their link is used up. Raise NotAllowed."""
    # the same link may be sent in twice at once: one of them finds it used
    used = Invitation.objects.filter(user=by, used_at=None, expires_at__gt=now).update(used_at=now)
    if not used:
        raise NotAllowed("this link was used already or has expired: ask for a new one")
    _set(by, password)
    events.record(by=by, action="invitation accepted", subject=by.username[:60])


@transaction.atomic
def change_password(*, by: User, password: str) -> None:
    """Set the person's own password."""
    _set(by, password)
    events.record(by=by, action="password changed", subject=by.username[:60])


def _set(user: User, password: str) -> None:
    user.set_password(password)
    user.save(update_fields=["password"])
