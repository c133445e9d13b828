"""Write a frozen snapshot in another format, from its native files alone: same bytes whenever."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from labeling.domain.data_cards import rendition_card
from labeling.domain.exports import Format, NotCarried
from labeling.services.freezing import columns
from labeling.services.freezing.drafts import SPLITS

FOLDER = "formats"
_AT_ONCE = 500

Put = Callable[[dict[str, Any]], object]


def write(native: Path, form: Format, *, name: str, soft: bool) -> dict[str, Any]:
    """Write the format into a folder of its own below the native files; return what is in it.

    The folder appears whole; one that is there is what would be written, and stays. `soft`: labels
    are shares of successes. Returned: `files` by name (`rows`, `bytes`, `sha256`), and how many
    solutions were left out (`not_carried`) or lost something (`changed`), by reason.
    """
    place = native / FOLDER / form.name
    # Beside the native folder, whose files may be downloaded; what a killed process left goes.
    draft = native.with_name(f".{form.name}-{native.name}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    left, changed, rows = Counter[str](), Counter[str](), {}
    try:
        for split in SPLITS:
            file = f"{split}.{form.ending}"
            lines = _lines(native / f"{split}.jsonl")
            rows[file] = _write(draft / file, form, lines, soft, left, changed)
            if not rows[file]:
                (draft / file).unlink()
        report = {
            "files": {file: _file(draft / file, count) for file, count in rows.items() if count},
            "not_carried": dict(sorted(left.items())),
            "changed": dict(sorted(changed.items())),
        }
        (draft / "README.md").write_text(rendition_card(name, form, report), encoding="utf-8")
        place.parent.mkdir(exist_ok=True)
        if not place.exists():  # a process killed before it could note this has left the same
            draft.rename(place)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return report


def _write(
    path: Path,
    form: Format,
    lines: Iterator[bytes],
    soft: bool,
    left: Counter[str],
    changed: Counter[str],
) -> int:
    count = 0
    with path.open("wb") as file, _putting(form, file) as put:
        while chunk := list(islice(lines, _AT_ONCE)):
            for line in chunk:
                try:
                    written = form.write(orjson.loads(line), soft)
                except NotCarried as error:
                    left[str(error)] += 1
                    continue
                if written.note:
                    changed[written.note] += 1
                put(written.row)
                count += 1
    return count


@contextmanager
def _putting(form: Format, file: BinaryIO) -> Iterator[Put]:
    if form.ending == "parquet":
        with columns.writing(file) as put:
            yield put
    elif form.ending == "json":
        before = iter([b"[\n"])
        yield lambda row: file.write(next(before, b",\n") + orjson.dumps(row))
        file.write(next(before, b"") + b"\n]\n")
    else:
        yield lambda row: file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file


def _file(path: Path, rows: int) -> dict[str, Any]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for data in _blocks(file):
            digest.update(data)
        os.fsync(file.fileno())
    return {"rows": rows, "bytes": path.stat().st_size, "sha256": digest.hexdigest()}


def _blocks(file: BinaryIO) -> Iterable[bytes]:
    return iter(lambda: file.read(1 << 20), b"")
