"""The child process that reads Parquet: the number of rows, then one JSON object a line.

Run as a file, in isolation (`python -I`); it knows nothing of the project.
"""

from __future__ import annotations

import resource
import sys
from decimal import Decimal
from typing import Any

MEMORY = 2 * 1024**3
"""Address space, in bytes: a row group that needs more is refused."""

ROWS = 256
"""Rows turned into objects at a time."""


def main(path: str) -> None:
    """Write every row to the standard output; end with status 1 and one line of reason."""
    import orjson
    import pyarrow
    import pyarrow.parquet

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    out = sys.stdout.buffer
    try:
        with pyarrow.parquet.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False) as file:
            out.write(b"%d\n" % file.metadata.num_rows)
            for batch in file.iter_batches(batch_size=ROWS, use_threads=False):
                for row in batch.to_pylist():
                    out.write(orjson.dumps(row, default=_plain))
                    out.write(b"\n")
        out.flush()
    except BrokenPipeError:
        sys.stderr.close()
    except MemoryError:
        fail(f"it needs more than {MEMORY >> 30} GB of memory")
    except (pyarrow.ArrowException, OSError, TypeError, ValueError) as error:
        out.flush()
        fail(f"{type(error).__name__}: {error}")


def fail(reason: str) -> None:
    """End with status 1 and the reason's first line."""
    sys.stderr.write(reason.splitlines()[0][:500] + "\n")
    sys.exit(1)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8")
    raise TypeError(f"a column of {type(value).__name__} cannot be imported")


if __name__ == "__main__":
    main(sys.argv[1])
