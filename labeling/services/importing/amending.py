"""Change rows that are there: empty fields get values, imported labelers new labels."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection

from labeling.domain.formats import GivenVerdict
from labeling.services.importing.values import said


def fill(table: str, values: dict[int, dict[str, Any]]) -> None:
    """Set the given columns of the rows."""
    with connection.cursor() as cursor:
        for pk, columns in sorted(values.items()):
            changes = ", ".join(f"{name} = %s" for name in columns)
            sql = f"UPDATE {table} SET {changes} WHERE id = %s"  # noqa: S608 - our own names
            cursor.execute(sql, [*columns.values(), pk])


def relabel(changed: Iterable[tuple[int, GivenVerdict]], now: datetime) -> None:
    """Replace what the stored verdicts say."""
    sql = (
        "UPDATE labeling_verdict SET state = %s, first_error = %s, step_labels = %s,"
        " step_scores = %s, mc_k = %s, mc_n = %s, critique = %s, reason = %s, updated_at = %s"
        " WHERE id = %s"
    )
    rows = [
        [*(list(x) if isinstance(x, tuple) else x for x in said(verdict)), now, pk]
        for pk, verdict in changed
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(sql, rows)
