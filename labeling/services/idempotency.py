"""Requests that may be repeated: the same key with the same body gets the first answer again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction

from labeling.domain.refusals import Invalid, Refusal
from labeling.models import IdempotencyKey, User

KEPT = timedelta(hours=24)
"""After this time a key may be used for something else."""

_KEY = re.compile(r"[-.:\w]{1,200}", re.ASCII)


class Answer(NamedTuple):
    """A status and JSON-ready values; `repeated`: nothing was done now."""

    status: int
    values: Any
    repeated: bool = False


class KeyReused(Refusal):
    """The key belongs to a request that asked for something else."""

    code = "key_reused"


@transaction.atomic
def once(*, by: User, key: str, asked: bytes, now: datetime, act: Callable[[], Answer]) -> Answer:
    """Do `act` and keep its answer under the key, or return the answer that is kept.

    What `act` raises leaves nothing behind: the request may come again. Raise KeyReused where the
    key was used for another request.
    """
    if not _KEY.fullmatch(key):
        raise Invalid("Idempotency-Key: 1 to 200 letters, digits and .:_- are expected")
    digest = hashlib.sha256(asked).hexdigest()
    IdempotencyKey.objects.filter(user=by, key=key, created_at__lt=now - KEPT).delete()
    # The same request, in another process at the same moment, waits here until this one ends.
    row, made = IdempotencyKey.objects.get_or_create(
        user=by, key=key, defaults={"digest": digest, "created_at": now}
    )
    if not made:
        if row.digest != digest:
            raise KeyReused("this idempotency key was used for another request")
        return Answer(row.status, row.answer, repeated=True)
    answer = act()
    row.status, row.answer = answer.status, answer.values
    row.save(update_fields=["status", "answer"])
    return answer


def forget(*, now: datetime) -> None:
    """Delete the keys that nobody repeats any more."""
    IdempotencyKey.objects.filter(created_at__lt=now - KEPT).delete()
