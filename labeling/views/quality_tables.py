"""The tables about people and gold items: their heads, and their rows as files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext_lazy as _

from labeling.domain.labels import NO_ERROR
from labeling.domain.quality import Accuracy, Against, Outcome
from labeling.domain.statistics.intervals import Interval, Proportion
from labeling.domain.statistics.undefined import known
from labeling.selectors.gold_items import Gold
from labeling.selectors.mine import Own
from labeling.selectors.people import Person
from labeling.selectors.person_items import Done

_SHARE = ("share", "low", "high", "part", "of")
_OUTCOME_NAMES = [str(outcome) for outcome in Outcome]


def _columns(name: str) -> list[str]:
    return [f"{name} {part}" for part in _SHARE]


PEOPLE = [
    "person", "role", "submitted", "passed back", "given up", "reported", "with notes",
    "median s per item", "median s per step",
    *(c for a in Against for c in (*_columns(f"{a} exact"), *_columns(f"{a} within one"),
                                   *(f"{a} {o}" for o in _OUTCOME_NAMES))),
    *_columns("same as others"), *_columns("too fast"),
]  # fmt: skip
ITEMS = [
    "solution", "problem", "why", "state", "first error", "key", "outcome", "seconds",
    "labeled steps", "too fast", "reason", "at",
]  # fmt: skip
GOLD = [
    "solution", "problem", "serves", "active", "key", "right", "answers", "doubtful",
    "answers by first error", "explanation",
]  # fmt: skip
OWN = ["number", *_SHARE]

_HEADS = (
    ("name", _("Person")),
    ("submitted", _("Items")),
    ("", _("Exam")),
    ("gold", _("Hidden gold: exact")),
    ("adjudication", _("Adjudicated later: exact")),
    ("alike", _("Same as others")),
    ("item", _("Seconds per item")),
    ("fast", _("Too fast")),
    ("skips", _("Passed back")),
    ("reports", _("Reported")),
    ("notes", _("Notes")),
)


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column. `url` sorts by it; `order`: as aria-sort says it, or empty."""

    title: Any
    url: str
    order: str


def heads(sort: str, days: int | None) -> list[Head]:
    """Return the heads of the table of people, sorted now by `sort`."""
    return [_head(name, title, sort, days) for name, title in _HEADS]


def people(found: Iterable[Person]) -> Iterator[Sequence[object]]:
    """Return the table of people."""
    for person in found:
        pace = person.pace
        compared = (person.accuracy.get(against, Accuracy()) for against in Against)
        yield [
            person.name, person.role and str(person.role), pace.submitted, pace.skipped,
            pace.given_up, pace.rejected, pace.noted, pace.median_item, pace.median_step,
            *(cell for accuracy in compared for cell in _accuracy(accuracy)),
            *_share(person.alike), *_share(pace.fast),
        ]  # fmt: skip


def items(found: Iterable[Done]) -> Iterator[Sequence[object]]:
    """Return a person's items; steps count from 1, "none" is no error."""
    for done in found:
        yield [
            done.uid, done.statement, str(done.purpose), done.state and str(done.state),
            _step(done.said), _step(done.key), done.outcome and str(done.outcome), done.seconds,
            done.labeled, done.is_fast, done.reason, done.at.isoformat(),
        ]  # fmt: skip


def gold(found: Iterable[Gold]) -> Iterator[Sequence[object]]:
    """Return the gold items with what people answered."""
    for one in found:
        answers = ", ".join(f"{_step(said) or 'reported'}: {n}" for said, n in one.ranked)
        yield [
            one.uid, one.statement, str(one.use), one.active, _step(one.key), one.right.part,
            one.right.whole, one.doubtful, answers, one.explanation,
        ]  # fmt: skip


def own(found: Own) -> Iterator[Sequence[object]]:
    """Return one's own numbers."""
    yield ["exact first errors", *_share(found.known.exact)]
    yield ["within one step", *_share(found.known.within_one)]
    yield ["same as others", *_share(found.alike)]
    yield ["passed back", *_share(found.pace.skips)]
    yield ["reported", *_share(found.pace.reports)]
    yield ["too fast", *_share(found.pace.fast)]


def _head(name: str, title: Any, sort: str, days: int | None) -> Head:
    if not name:
        return Head(title, "", "")
    order = {name: "ascending", f"-{name}": "descending"}.get(sort, "")
    # numbers are first wanted from the highest down, names from A on
    rising = order == "descending" or (not order and name == "name")
    query = {"sort": name if rising else f"-{name}", **({"days": days} if days else {})}
    return Head(title, f"?{urlencode(query)}", order)


def _accuracy(accuracy: Accuracy) -> list[object]:
    return [
        *_share(accuracy.exact), *_share(accuracy.within_one), *accuracy.outcomes.values(),
    ]  # fmt: skip


def _share(found: Proportion) -> list[object]:
    ends = found.interval
    low, high = (ends.low, ends.high) if isinstance(ends, Interval) else (None, None)
    return [known(found.value), low, high, found.part, found.whole]


def _step(first_error: int | None) -> str:
    if first_error is None:
        return ""
    return "none" if first_error == NO_ERROR else str(first_error + 1)
