"""Native rows as Parquet, a row group at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

_GROUP = 2000
"""Rows of a row group: about 5 MB, held twice while it is compressed."""


@contextmanager
def writing(file: BinaryIO) -> Iterator[Callable[[dict[str, Any]], object]]:
    """Give a function that takes rows, in the file once the context ends.

    Here only pyarrow is loaded: it costs 100 MB, which most workers never need.
    """
    import pyarrow as pa
    from pyarrow import parquet

    schema = _schema(pa)
    waiting: list[dict[str, Any]] = []
    with parquet.ParquetWriter(file, schema, compression="zstd") as out:

        def flush() -> None:
            if waiting:
                out.write_table(pa.Table.from_pylist(waiting, schema))
                waiting.clear()

        def put(row: dict[str, Any]) -> None:
            waiting.append(row)
            if len(waiting) == _GROUP:
                flush()

        yield put
        flush()


def _schema(pa: Any) -> Any:
    text, texts, numbers = pa.string(), pa.list_(pa.string()), pa.list_(pa.int64())
    sources = {
        "answer": text, "critique": text, "critique_by": text, "final_answer": text,
        "generator": text, "labelers": texts, "labels": text, "licence": text,
        "mc_exact": pa.bool_(), "mc_mode": text, "neutral": numbers,
        "policy": pa.int64(), "problem": text, "ratings": numbers, "solution": text, "source": text,
    }  # fmt: skip
    return pa.schema(
        {
            "id": text, "problem_id": text, "prompt": text, "steps": texts, "labels": numbers,
            "counts": pa.list_(numbers), "first_error": pa.int64(),
            "final_answer_correct": pa.bool_(), "split": text,
            "sources": pa.struct(list(sources.items())),
        }
    )  # fmt: skip
