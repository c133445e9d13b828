"""What an import did, or would do: counts, refused rows, notes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

ERRORS_KEPT = 100
STORED_COUNTS = (
    "problems", "solutions", "human_verdicts", "machine_verdicts", "filled", "relabeled",
)  # fmt: skip
"""What a report counts of the project's rows, not of the file's."""


@dataclass(slots=True)
class Note:
    """Something odd that did not keep a row out: how often, and the first line."""

    count: int
    line: int


@dataclass(slots=True)
class Report:
    """Counts of what is new, and what was changed. `errors` holds the first (line, reason).

    `rows` are the file's; one row may hold many solutions. `filled`: problems and solutions whose
    empty fields got a value; `relabeled`: verdicts that an updated file changed.
    """

    rows: int = 0
    refused: int = 0
    problems: int = 0
    solutions: int = 0
    human_verdicts: int = 0
    machine_verdicts: int = 0
    filled: int = 0
    relabeled: int = 0
    errors: list[tuple[int, str]] = field(default_factory=list)
    notes: dict[str, Note] = field(default_factory=dict)
    share: float = 0.0
    """How much of the file was read, from 0 to 1."""

    def refuse(self, line: int, reason: str) -> None:
        """Count a refused row."""
        self.refused += 1
        if len(self.errors) < ERRORS_KEPT:
            self.errors.append((line, reason))

    def note(self, text: str, line: int, count: int = 1) -> None:
        """Count something odd; the texts are few, for each is kept."""
        if text in self.notes:
            self.notes[text].count += count
        else:
            self.notes[text] = Note(count, line)

    def plus(self, earlier: Report) -> Report:
        """Return this report with the counts of what an earlier attempt stored."""
        sums = {name: getattr(self, name) + getattr(earlier, name) for name in STORED_COUNTS}
        return replace(self, **sums)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return asdict(self)
