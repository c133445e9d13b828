"""Rows in the binary format of Postgres' COPY: written by hand, for it is an import's inner loop.

https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS. A field is its length
and its bytes; an array is (dimensions, has nulls, element type, length, lower bound) and fields.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice

from django.db import connection

from labeling.domain.hashing import framed

NULL = b"\xff\xff\xff\xff"
_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_END = b"\xff\xff"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_AT_ONCE = 256
"""Rows sent together."""

_TEXT, _INT2, _INT8, _FLOAT8 = 25, 21, 20, 701
"""Types of array elements, from pg_type."""

_pack_int2 = struct.Struct("!ih").pack
_pack_int4 = struct.Struct("!ii").pack
_pack_int8 = struct.Struct("!iq").pack
_pack_float8 = struct.Struct("!id").pack
_pack_array = struct.Struct("!iiiiii").pack
TRUE, FALSE = b"\x00\x00\x00\x01\x01", b"\x00\x00\x00\x01\x00"


def copy(table: str, columns: Sequence[str], rows: Iterable[bytes]) -> None:
    """Copy rows, each made of one field per column, into the table; same errors as Django's."""
    count = len(columns).to_bytes(2, "big")
    sql = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
    coming = iter(rows)
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(sql) as out:
        out.write(_HEADER)
        while at_once := [*islice(coming, _AT_ONCE)]:
            out.write(count.join((b"", *at_once)))
        out.write(_END)


def text(value: str) -> bytes:
    """Return a text field; also varchar and, after a version byte, jsonb."""
    data = value.encode()
    return len(data).to_bytes(4, "big") + data


@lru_cache(maxsize=1024)
def word(value: str) -> bytes:
    """Return a text field of a short text that many rows share."""
    return text(value)


def json(value: str) -> bytes:
    """Return a jsonb field from JSON text."""
    data = value.encode()
    return (len(data) + 1).to_bytes(4, "big") + b"\x01" + data


def int8(value: int) -> bytes:
    """Return a bigint field."""
    return _pack_int8(8, value)


def int4(value: int | None) -> bytes:
    """Return an integer field, or null."""
    return NULL if value is None else _pack_int4(4, value)


def int2(value: int | None) -> bytes:
    """Return a smallint field, or null."""
    return NULL if value is None else _pack_int2(2, value)


def float8(value: float) -> bytes:
    """Return a double precision field."""
    return _pack_float8(8, value)


def boolean(value: bool | None) -> bytes:
    """Return a boolean field, or null."""
    return NULL if value is None else TRUE if value else FALSE


def moment(value: datetime) -> bytes:
    """Return a timestamptz field."""
    return int8(microseconds(value))


def microseconds(value: datetime) -> int:
    """Return microseconds since 2000: what a timestamptz field holds, packed as a bigint is."""
    past = value - _EPOCH
    return (past.days * 86_400 + past.seconds) * 1_000_000 + past.microseconds


def texts(values: Sequence[str]) -> bytes:
    """Return a text[] field."""
    return framed_texts(framed(values))


def framed_texts(frames: Sequence[bytes]) -> bytes:
    """Return a text[] field of labeling.domain.hashing.framed texts: each is a text field."""
    return _array(_TEXT, len(frames), frames)


def int2s(values: Sequence[int | None]) -> bytes:
    """Return a smallint[] field."""
    return _array(_INT2, len(values), [int2(value) for value in values])


def int8s(values: Sequence[int]) -> bytes:
    """Return a bigint[] field."""
    return _array(_INT8, len(values), [int8(value) for value in values])


def float8s(values: Sequence[float | None]) -> bytes:
    """Return a double precision[] field."""
    return _array(
        _FLOAT8, len(values), [NULL if value is None else float8(value) for value in values]
    )


def int8s_head(count: int) -> bytes:
    """Return the beginning of a bigint[] field, which so many bigint fields follow."""
    return int8s((0,) * count)[: -12 * count or None]


def _array(kind: int, count: int, fields: Sequence[bytes]) -> bytes:
    if not fields:
        return struct.pack("!iiii", 12, 0, 0, kind)
    data = b"".join(fields)
    return _pack_array(20 + len(data), 1, NULL in fields, kind, count, 1) + data


def next_ids(table: str, count: int) -> list[int]:
    """Reserve that many ids of the table."""
    if not count:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(nextval(%s::regclass)::text, ' ') FROM generate_series(1, %s)",
            [_sequence(table), count],
        )
        return [*map(int, cursor.fetchone()[0].split())]


@lru_cache
def _sequence(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [table])
        return str(cursor.fetchone()[0])
