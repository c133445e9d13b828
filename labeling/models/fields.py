"""What several models share: opaque ids and choices taken from the domain's enums."""

from __future__ import annotations

import base64
import re
import secrets
from enum import StrEnum

from django.db import models

_UID = re.compile(r"[-\w]{1,16}", re.ASCII)


def new_uid() -> str:
    """Return an opaque id for URLs: 72 random bits."""
    return secrets.token_urlsafe(9)


def new_uids(count: int) -> list[str]:
    """Return that many opaque ids from one draw: a draw each is a tenth of an import's time.

    They begin alike, at random: an index takes in neighbors for less than what is strewn over all
    its pages. 54 random bits differ from one to the next.
    """
    alike = secrets.token_urlsafe(2)[:3]
    drawn = base64.urlsafe_b64encode(secrets.token_bytes(9 * count)).decode()
    return [alike + drawn[at : at + 9] for at in range(0, 12 * count, 12)]


def uid_field() -> models.CharField:
    """Return the column of an opaque id."""
    return models.CharField(max_length=16, unique=True, default=new_uid, editable=False)


def is_uid(text: str) -> bool:
    """Say whether a text can be an opaque id; others, control characters among them, never reach
    the database."""
    return _UID.fullmatch(text) is not None


def choices(enum: type[StrEnum]) -> list[tuple[str, str]]:
    """Return an enum's members as Django choices."""
    return [(member.value, member.value.replace("_", " ")) for member in enum]


def one_of(column: str, enum: type[StrEnum]) -> models.Q:
    """Return the condition that the column holds one of the enum's values."""
    return models.Q(**{f"{column}__in": [member.value for member in enum]})
