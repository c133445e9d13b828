"""A part of a long list, by keyset: as fast at its end as at its beginning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a part begins (behind the row with this key) and how long it is at most."""

    after: int | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Part(Generic[Row]):
    """Some rows, and the key behind which the next ones are; None: these are the last."""

    rows: list[Row]
    following: int | None


def cut(query: QuerySet[Row, Any], place: Place, *, newest_first: bool = False) -> Part[Row]:
    """Return the rows at this place, ordered by primary key."""
    if place.after is not None:
        query = query.filter(**{"pk__lt" if newest_first else "pk__gt": place.after})
    rows = list(query.order_by("-pk" if newest_first else "pk")[: place.limit + 1])
    more, rows = len(rows) > place.limit, rows[: place.limit]
    return Part(rows, rows[-1].pk if more else None)
