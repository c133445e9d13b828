"""A part of a long list, by keyset: as fast at its end as at its beginning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import F, Model, QuerySet

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


def cut(
    query: QuerySet[Row, Any], place: Place, *, newest_first: bool = False, few: bool = False
) -> Part[Row]:
    """Return the rows at this place, ordered by primary key.

    `few`: the filters leave so few rows that they are found by these and sorted. Postgres would
    rather walk the keys until it has met enough, past two million others if need be.
    """
    order, behind = ("-", "lt") if newest_first else ("", "gt")
    key = "unindexed" if few else "pk"
    found = query.annotate(unindexed=F("pk") + 0) if few else query
    if place.after is not None:
        found = found.filter(**{f"{key}__{behind}": place.after})
    found = found.order_by(f"{order}{key}")
    if few:  # the keys alone: what is selected beside them is not joined to all that is sorted
        keys = list(found.values_list("pk", flat=True)[: place.limit + 1])
        found = query.filter(pk__in=keys).order_by(f"{order}pk")
    rows = list(found[: place.limit + 1])
    more, rows = len(rows) > place.limit, rows[: place.limit]
    return Part(rows, rows[-1].pk if more else None)
