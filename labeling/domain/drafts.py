"""What a person has labeled so far on one item, read from the browser's JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labeling.domain.labels import LabelError, StepLabels, check_labels, first_error_of
from labeling.domain.phrases import Spoken

NOTE_LIMIT = 10_000
"""Characters of one note."""


class DraftError(Spoken, ValueError):
    """The draft does not fit the item; the text says where."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Labels per step, notes by step index, a note on the whole solution."""

    labels: StepLabels
    notes: tuple[tuple[str, str], ...] = ()
    note: str = ""

    @property
    def first_error(self) -> int | None:
        """First wrong step, -1 for none, None while the labels leave it open."""
        return first_error_of(self.labels)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {"labels": list(self.labels), "notes": dict(self.notes), "note": self.note}


def read_draft(values: Mapping[str, Any], step_count: int) -> Draft:
    """Check a draft from a browser; steps after the first wrong one lose no label they have."""
    labels = values.get("labels", [None] * step_count)
    notes, note = values.get("notes", {}), values.get("note", "")
    if not isinstance(labels, list) or any(
        isinstance(label, bool) or not isinstance(label, int | None) for label in labels
    ):
        raise DraftError("labels: a list of 1, 0, -1 and null is expected")
    try:
        check_labels(labels, step_count)
    except LabelError as error:
        raise DraftError(error.phrase) from error
    if not isinstance(notes, Mapping) or not isinstance(note, str):
        raise DraftError("notes: texts by step index are expected")
    return Draft(tuple(labels), _read_notes(notes, step_count), _limited(note))


def _read_notes(notes: Mapping[str, Any], step_count: int) -> tuple[tuple[str, str], ...]:
    read = []
    for key, text in notes.items():
        if not (isinstance(key, str) and key.isdecimal() and len(key) < 6):
            raise DraftError("notes: {key!r} is not a step", key=key)
        if int(key) >= step_count:
            raise DraftError("notes: {key!r} is not a step", key=key)
        if not isinstance(text, str):
            raise DraftError("notes: the note on step {key} is not a text", key=key)
        if text.strip():
            read.append((key, _limited(text)))
    return tuple(sorted(read, key=lambda item: int(item[0])))


def _limited(text: str) -> str:
    if len(text) > NOTE_LIMIT:
        raise DraftError(
            "a note may have {note_limit} characters, this one has {count}",
            note_limit=NOTE_LIMIT,
            count=len(text),
        )
    return _storable(text)


def _storable(text: str) -> str:
    """Return the text without what no database takes: NUL, and halves of a character."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\x00", "")
