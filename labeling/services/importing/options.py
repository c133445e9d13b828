"""What the user says about a file, and the plan that follows from it and from the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from itertools import islice
from pathlib import Path
from typing import Any

from labeling.domain.formats import (
    NAMEABLE,
    Format,
    ImportRow,
    Reading,
    RowError,
    Source,
    detect,
    format_named,
    mapping,
)
from labeling.domain.labels import LabelerKind
from labeling.domain.phrases import Phrase, marked
from labeling.domain.refusals import Invalid
from labeling.domain.steps import SplitKind, SplitRule
from labeling.services.importing.batches import Plan, read_planned
from labeling.services.rowfiles import FileKind, FileRow, RowFile, open_rows

ROWS_TRIED = 50
"""Rows that decide on the format."""

ROWS_SHOWN = 5
TEXT_LIMIT = 200
_PLAIN = frozenset({"gsm8k", "math"})
"""Formats of texts only: a CSV with their columns needs no mapping."""


@dataclass(frozen=True, slots=True)
class Options:
    """An import's settings; an empty `format` is detected.

    `labeler_kind` and `labeler_name` say whose labels those are whose labeler the file does not
    name. `columns` maps native fields to the file's columns. `source` and `licence` go to the
    problems that have none.
    """

    format: str = ""
    split: str = SplitKind.PARAGRAPHS.value
    pattern: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    labels: bool = True
    labeler_kind: str = ""
    labeler_name: str = ""
    alternatives: bool = True
    source: str = ""
    licence: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {**asdict(self), "columns": dict(self.columns)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Options:
        """Read options; raise Invalid for unknown ones and wrong values."""
        known = {entry.name: entry for entry in fields(cls)}
        if not isinstance(values, Mapping):
            raise Invalid("options: an object is expected")
        for name, value in values.items():
            if name not in known:
                raise Invalid(
                    "{name} is no option of an import; there are {known}",
                    name=name,
                    known=", ".join(known),
                )
            wanted = dict if name == "columns" else type(known[name].default)
            if not isinstance(value, wanted):
                raise Invalid("{name}: {kind} is expected", name=name, kind=wanted.__name__)
            for text in (*value, *value.values()) if isinstance(value, dict) else (value,):
                _check_text(name, text)
        options = cls(**values)
        options.reading()
        options.whose("")
        return options

    def reading(self) -> Reading:
        """Return how single rows are read."""
        try:
            kind = SplitKind(self.split)
        except ValueError as error:
            raise Invalid(
                "split: {split!r} is none of {splitkind}",
                split=self.split,
                splitkind=", ".join(SplitKind),
            ) from error
        return Reading(SplitRule(kind, self.pattern), self.alternatives)

    def whose(self, file_name: str) -> Source:
        """Return who made the labels that the file does not ascribe to anybody."""
        if self.labeler_kind and self.labeler_kind not in [str(kind) for kind in NAMEABLE]:
            raise Invalid(
                "labeler_kind: one of {nameable} is expected", nameable=", ".join(NAMEABLE)
            )
        kind = LabelerKind(self.labeler_kind) if self.labeler_kind else None
        return Source(kind, self.labeler_name or f"labels in {file_name}")


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file is, before anything is written. `shown` are its first rows as they were read."""

    file: RowFile
    form: Format | None
    columns: tuple[str, ...]
    mapping: Mapping[str, str] | None
    shown: tuple[ImportRow, ...]
    errors: tuple[tuple[int, str], ...]
    needs: str
    """What has to be said before the file can be imported; empty when nothing."""


def plan(path: Path, options: Options) -> tuple[RowFile, Plan]:
    """Return the file's rows and how to read them; raise Invalid where that is not clear."""
    file = open_rows(path)
    made, needs = _plan(file, _sample(file), options)
    if made is None or needs:
        raise Invalid("{name}: {needs}", name=path.name, needs=needs)
    return file, made


def preview(path: Path, options: Options) -> Preview:
    """Read the beginning of the file only."""
    file = open_rows(path)
    sample = _sample(file)
    columns = _columns(sample)
    try:
        made, needs = _plan(file, sample, options)
    except Invalid as error:
        made, needs = None, error.phrase
    shown: list[ImportRow] = []
    errors: list[tuple[int, str]] = []
    for line, value, unread in sample:
        if unread or made is None:
            errors += [(line, unread)] if unread else []
            continue
        try:
            shown += islice(read_planned(value, made), ROWS_SHOWN - len(shown))
        except RowError as reason:
            errors.append((line, reason.phrase))
    return Preview(
        file=file,
        form=made.form if made else None,
        columns=tuple(columns),
        mapping=made.columns if made else mapping.guess(columns),
        shown=tuple(shown),
        errors=tuple(errors[:ROWS_SHOWN]),
        needs=needs,
    )


def _check_text(name: str, value: Any) -> None:
    if isinstance(value, bool) and name != "columns":
        return
    if not isinstance(value, str):
        raise Invalid("{name}: texts are expected", name=name)
    printable = value.isprintable() or name in ("pattern", "columns")
    if len(value) > TEXT_LIMIT or "\x00" in value or not printable or not _is_unicode(value):
        raise Invalid(
            "{name}: at most {text_limit} printable characters are expected",
            name=name,
            text_limit=TEXT_LIMIT,
        )


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _plan(file: RowFile, sample: list[FileRow], options: Options) -> tuple[Plan | None, str]:
    values = [value for _, value, error in sample if not error]
    if not values:
        unread = marked("none of the file's first rows can be read")
        return None, unread if sample else marked("the file holds no rows")
    form = format_named(options.format) if options.format else detect(values)
    columns: dict[str, str] | None = dict(options.columns) or None
    if file.kind is FileKind.TABLE and columns is None and not (form and form.name in _PLAIN):
        columns = mapping.guess(_columns(sample))
    if columns is not None:
        mapping.check(columns, _columns(sample))
        form = format_named("native")
    if form is None:
        fields_shown = ", ".join(_columns(sample))[:300] or "none"
        words = marked("no known format has these fields: {fields}. Map them to fields.")
        return None, Phrase(words, fields=fields_shown)
    whose = options.whose(file.path.name)
    made = Plan(
        form=form,
        reading=options.reading(),
        whose=whose,
        columns=columns,
        labels=options.labels,
        source=options.source,
        licence=options.licence,
    )
    if form.asks_whose and options.labels and whose.kind is None:
        words = marked("{format} does not say who or what made the labels: say so, or leave them")
        return made, Phrase(words, format=Phrase(form.title))
    return made, ""


def _sample(file: RowFile) -> list[FileRow]:
    rows = iter(file)
    try:
        return list(islice(rows, ROWS_TRIED))
    finally:
        rows.close()


def _columns(sample: list[FileRow]) -> list[str]:
    names: dict[str, None] = {}
    for _, value, _ in sample:
        if isinstance(value, dict):
            names |= dict.fromkeys(map(str, value))
    return list(names)[:200]
