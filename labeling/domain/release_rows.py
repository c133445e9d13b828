"""One solution of a release as a line of JSON: an export's inner loop.

The lines are those that trainer.records.to_json would write, byte for byte, and valid as they are:
tests hold them to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from labeling.domain.labels import labels_up_to
from labeling.domain.monte_carlo import McMode
from labeling.domain.releases import Rule, Target, first_wrong, neutral_steps, targets

Counts = list[tuple[int, int] | None]


class Picked(NamedTuple):
    """A solution that a rule picked, with its labels as they are stored; see labeling.models."""

    id: str
    split: str
    problem_id: str
    statement: str
    steps: list[str]
    first_error: int
    step_labels: list[int | None]
    mc_k: list[int | None]
    mc_n: list[int | None]
    mc_labeler: int | None
    final_answer_correct: bool | None
    label_source: str
    labelers: list[int]
    policy: int | None
    generator: str
    final_answer: str | None
    answer: str
    source: str
    licence: str
    problem_name: str
    solution_name: str
    critique: str | None
    critic: int | None


@dataclass(slots=True)
class Tally:
    """What the files of one split hold."""

    records: int = 0
    steps: int = 0
    right: int = 0
    wrong: int = 0
    without_loss: int = 0
    flawless: int = 0
    with_counts: int = 0
    with_critique: int = 0
    inexact_mc: int = 0

    def to_dict(self) -> dict[str, int]:
        """Return the counts; those that are rare only where there are any."""
        rare = ("with_counts", "with_critique", "inexact_mc")
        return {name: n for name, n in asdict(self).items() if n or name not in rare}


class Line(NamedTuple):
    """A rendered record and what it adds to its split's tally."""

    data: bytes
    labels: _Labels
    labelers: tuple[str, ...]
    source: str
    counted: bool
    criticized: bool
    inexact: bool


class _Labels(NamedTuple):
    targets: tuple[int | None, ...]
    first_error: int
    neutral: tuple[int, ...]
    right: int
    wrong: int
    without_loss: int


@dataclass(frozen=True, slots=True)
class Speaker:
    """A labeler as a record names it: what it is, never who. `mode`: of a Monte-Carlo labeler."""

    name: str
    mode: str | None = None


class Writer:
    """Render what a rule picks. `speakers` are the project's labelers by their id."""

    def __init__(self, rule: Rule, speakers: dict[int, Speaker]) -> None:
        self._rule, self._speakers = rule, speakers
        self._labels = lru_cache(maxsize=20_000)(self._target)
        self._names = lru_cache(maxsize=20_000)(self._named)

    def line(self, row: Picked) -> Line | str:
        """Return the record's line; or in a word why the rule leaves the solution out."""
        said = tuple(row.step_labels) or labels_up_to(row.first_error, len(row.steps))
        if len(said) != len(row.steps):
            return "labels_do_not_fit"
        labels = self._labels(said, row.first_error)
        counts = _counts(row.mc_k, row.mc_n, len(said))
        mc = self._speakers.get(row.mc_labeler or 0)
        mode = mc.mode if mc is not None and row.mc_k else None
        if self._rule.target is Target.SOFT:
            if not _unbiased(counts, labels.targets, mode):
                return "without_soft_labels"
            counts = [c if t is not None else None for c, t in zip(counts or (), labels.targets)]  # noqa: B905 - equally long
        names = self._names(tuple(row.labelers))
        data = orjson.dumps(
            {
                "id": row.id,
                "problem_id": row.problem_id,
                "prompt": row.statement,
                "steps": row.steps,
                "labels": labels.targets,
                "counts": counts,
                "first_error": labels.first_error,
                "final_answer_correct": row.final_answer_correct,
                "split": row.split,
                "sources": self._sources(row, said, mode, names, labels.neutral),
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )
        inexact = mode is not None and not McMode(mode).exact
        return Line(
            data,
            labels,
            names,
            row.label_source,
            counts is not None,
            row.critique is not None,
            inexact,
        )

    def _named(self, labelers: tuple[int, ...]) -> tuple[str, ...]:
        return tuple(sorted(self._speakers[pk].name for pk in labelers))

    def _target(self, said: tuple[int | None, ...], first_error: int) -> _Labels:
        rule = self._rule
        made = targets(said, first_error, rule.neutral_as, rule.after_error)
        wrong = first_wrong(made, first_error)
        return _Labels(
            made,
            wrong,
            tuple(neutral_steps(said, wrong)),
            made.count(1),
            made.count(0),
            made.count(None),
        )

    def _sources(
        self,
        row: Picked,
        said: Sequence[int | None],
        mode: str | None,
        names: Sequence[str],
        neutral: Sequence[int],
    ) -> dict[str, Any]:
        """Return where the record comes from, keys in order: the bytes depend on it."""
        critic = {} if row.critique is None else {
            "critique": row.critique, "critique_by": self._speakers[row.critic or 0].name,
        }  # fmt: skip
        sampling = {} if mode is None else {"mc_exact": McMode(mode).exact, "mc_mode": mode}
        return {
            "answer": row.answer,
            **critic,
            "final_answer": row.final_answer,
            "generator": row.generator,
            "labelers": names,
            "labels": row.label_source,
            "licence": row.licence,
            **sampling,
            **({"neutral": neutral} if neutral else {}),
            "policy": row.policy,
            "problem": row.problem_name,
            "ratings": said,
            "solution": row.solution_name,
            "source": row.source,
        }


def add(tally: Tally, line: Line) -> None:
    """Count the line in its split's tally."""
    labels = line.labels
    tally.records += 1
    tally.steps += len(labels.targets)
    tally.right += labels.right
    tally.wrong += labels.wrong
    tally.without_loss += labels.without_loss
    tally.flawless += labels.first_error < 0
    tally.with_counts += line.counted
    tally.with_critique += line.criticized
    tally.inexact_mc += line.inexact


def _counts(k: list[int | None], n: list[int | None], step_count: int) -> Counts | None:
    if not k or not n or len(k) != step_count:
        return None
    return [
        None if done is None or drawn is None else (done, drawn)
        for done, drawn in zip(k, n, strict=True)
    ]


def _unbiased(counts: Counts | None, labels: Sequence[int | None], mode: str | None) -> bool:
    """Say whether every label has the k of n completions that were all drawn."""
    if counts is None or (mode is not None and McMode(mode).stops_at_success):
        return False
    return all(
        count is not None for count, label in zip(counts, labels, strict=True) if label is not None
    )
