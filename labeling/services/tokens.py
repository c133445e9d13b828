"""Issue and revoke API tokens; the plain token is returned once and never stored."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction

from labeling.domain.refusals import Invalid
from labeling.models import ApiToken, User
from labeling.services import events


class Scope(StrEnum):
    """What a token may do, within its user's own roles."""

    READ = "read"
    LABEL = "label"
    RUN = "run"
    EXPORT = "export"
    MANAGE = "manage"


@transaction.atomic
def issue(
    *, by: User, name: str, scopes: Sequence[str], days: int, now: datetime
) -> tuple[ApiToken, str]:
    """Make a token of `by`'s own and return it with its plain text."""
    if not name.strip() or not scopes or not 1 <= days <= 366:
        raise Invalid("a token needs a name, at least one scope, and 1 to 366 days")
    unknown = sorted(set(scopes) - {str(scope) for scope in Scope})
    if unknown:
        raise Invalid("unknown scopes: {unknown}", unknown=", ".join(unknown))
    plain = "ann_" + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=by,
        name=name.strip()[:80],
        prefix=plain[:10],
        token_hash=digest(plain),
        scopes=sorted(set(scopes)),
        expires_at=now + timedelta(days=days),
    )
    events.record(by=by, action="token issued", subject=token.prefix, scopes=token.scopes)
    return token, plain


@transaction.atomic
def revoke(*, by: User, token: ApiToken, now: datetime) -> None:
    """End a token at once."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now)
    events.record(by=by, action="token revoked", subject=token.prefix)


def digest(plain: str) -> str:
    """Return the stored form of a token. It is random, so a fast hash suffices."""
    return hashlib.sha256(plain.encode()).hexdigest()
