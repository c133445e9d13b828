"""What one solution adds to the counts behind the dashboards: a pure function of its facts.

Every count that a dashboard shows is the sum of these contributions over the solutions. So a new
verdict costs what its own solution costs, however many there are, and a recount of everything is
the same function again (labeling.services.rollups).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import Any, TypeAlias

from labeling.domain.consensus import DecisionState
from labeling.domain.labels import NO_ERROR, LabelerKind, VerdictState, labels_up_to
from labeling.domain.statistics.bands import difficulty_band, length_band, position_band
from labeling.domain.statistics.confusion import StepPattern, step_pattern
from labeling.domain.statistics.diagnostics import error_kind, minimum_is_last, step_noise


class Board(StrEnum):
    """A table of counts. In brackets: what its keys consist of."""

    FLOW = "flow"
    """Solutions [decision's state, answer right|wrong|unknown, none|error|open]."""
    PROBLEMS = "problems"
    """Problems by the first of their solutions [solved]."""
    SAID = "said"
    """Verdicts [labeler, state, none|error|open]."""
    SPENT = "spent"
    """What verdicts took [labeler, tokens|milliseconds]; these counts are amounts."""
    TRUTH = "truth"
    """Decided solutions against a gold key [gold labeler, state, first error, true one]."""
    PAIR = "pair"
    """Solutions that two labelers scored [labeler, labeler, first error, first error]; the first
    error of an estimate that refutes the judge is "refuted"."""
    STEPS = "steps"
    """The same solutions by step [labeler, labeler, pattern]."""
    PEOPLE = "people"
    """Solutions by what annotators said of them, unseen by each other [votes]."""
    NOISE = "noise"
    """Machine verdicts against people's decision [labeler, dimension, group, kind of error]."""
    POSITIONS = "positions"
    """Steps of the same [labeler, band, right|wrong]."""
    MINIMUM = "minimum"
    """Solutions that a PRM scored [labeler, last|earlier]."""
    AUDIT = "audit"
    """Consensus labels [none|error, source, waiting|right|wrong]."""
    DAYS = "days"
    """Verdicts by the day they came [labeler, day, kind of error|unchecked]."""


Key: TypeAlias = tuple[str, ...]
Counts: TypeAlias = Counter[tuple[Board, Key]]

REFUTED = "refuted"
MACHINES = frozenset({LabelerKind.MC, LabelerKind.JUDGE, LabelerKind.PRM})


@dataclass(frozen=True, slots=True)
class Said:
    """One labeler's verdict. `scores`: of its steps, where it has any; `day`: ISO date."""

    labeler: int
    kind: LabelerKind
    state: VerdictState
    first_error: int | None
    labels: tuple[int | None, ...]
    day: str
    informed: bool = False
    tokens: int = 0
    milliseconds: int = 0
    scores: tuple[float | None, ...] = ()
    drawn: tuple[int, int] | None = None
    """Monte Carlo: (successes, completions) from before the first step, where all were drawn."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the boards count of one solution. `opens`: it is its problem's first one."""

    source: str
    generator: str
    steps: int
    answer: bool | None
    state: DecisionState
    first_error: int | None
    audited: bool
    opens: bool
    verdicts: tuple[Said, ...]

    def to_json(self) -> list[Any]:
        """Return JSON-ready values."""
        said = [
            [v.labeler, v.kind, v.state, v.first_error, v.labels, v.day, v.informed, v.tokens,
             v.milliseconds, v.scores, v.drawn]
            for v in self.verdicts
        ]  # fmt: skip
        return [self.source, self.generator, self.steps, self.answer, self.state,
                self.first_error, self.audited, self.opens, said]  # fmt: skip

    @classmethod
    def from_json(cls, values: list[Any]) -> Facts:
        """Read what `to_json` made."""
        source, generator, steps, answer, state, first_error, audited, opens, said = values
        verdicts = tuple(map(_read_said, said))
        decided = DecisionState(state)
        return cls(source, generator, steps, answer, decided, first_error, audited, opens, verdicts)


def _read_said(values: list[Any]) -> Said:
    labeler, kind, state, first, labels, day, informed, tokens, ms, scores, drawn = values
    return Said(
        labeler, LabelerKind(kind), VerdictState(state), first, tuple(labels), day, informed,
        tokens, ms, tuple(scores), tuple(drawn) if drawn else None,
    )  # fmt: skip


def contributions(facts: Facts) -> Counts:
    """Return what the solution adds to each board."""
    found: Counts = Counter(_keys(facts))
    for said in facts.verdicts:
        for what, amount in (("tokens", said.tokens), ("milliseconds", said.milliseconds)):
            if amount:
                found[Board.SPENT, (str(said.labeler), what)] += amount
    return found


def _keys(facts: Facts) -> Iterator[tuple[Board, Key]]:
    yield Board.FLOW, (facts.state, _answer(facts.answer), _class(facts.first_error))
    if facts.opens:
        yield Board.PROBLEMS, ("solved",)
    ordered = sorted(facts.verdicts, key=lambda said: said.labeler)
    for said in ordered:
        yield Board.SAID, (str(said.labeler), said.state, _class(said.first_error))
        yield Board.DAYS, (str(said.labeler), said.day, _checked(said, facts))
        last = minimum_is_last([s for s in said.scores if s is not None])
        if said.kind is LabelerKind.PRM and last is not None:
            yield Board.MINIMUM, (str(said.labeler), "last" if last else "earlier")
        if said.kind in MACHINES:
            yield from _noise(said, facts)
        if said.kind is LabelerKind.GOLD and None not in (said.first_error, facts.first_error):
            told = str(facts.first_error), str(said.first_error)
            yield Board.TRUTH, (str(said.labeler), facts.state, *told)
    for one, other in combinations(ordered, 2):
        yield from _pair(one, other)
    yield from _people(facts)
    yield from _audit(facts)


def settled(facts: Facts) -> int | None:
    """Return the first error that people decided, None where they have not."""
    return facts.first_error if facts.state is DecisionState.ADJUDICATED else None


def _answer(correct: bool | None) -> str:
    return "unknown" if correct is None else "right" if correct else "wrong"


def _class(first_error: int | None) -> str:
    if first_error is None:
        return "open"
    return "none" if first_error == NO_ERROR else "error"


def _checked(said: Said, facts: Facts) -> str:
    """Return how a machine's verdict stands to what people decided."""
    true = settled(facts)
    if true is None or said.first_error is None or said.kind not in MACHINES:
        return "unchecked"
    return str(error_kind(said.first_error, true))


def _noise(said: Said, facts: Facts) -> Iterator[tuple[Board, Key]]:
    true = settled(facts)
    if true is None or said.first_error is None:
        return
    labeler, kind = str(said.labeler), str(error_kind(said.first_error, true))
    groups = {
        "all": "all",
        "source": facts.source,
        "generator": facts.generator,
        "length": length_band(facts.steps),
        "difficulty": _difficulty(facts),
    }
    for dimension, group in groups.items():
        if group is not None:
            yield Board.NOISE, (labeler, dimension, group, kind)
    for place, wrong in step_noise(said.labels, labels_up_to(true, facts.steps)).items():
        yield Board.POSITIONS, (labeler, position_band(place), "wrong" if wrong else "right")


def _difficulty(facts: Facts) -> str | None:
    drawn = [(said.labeler, said.drawn) for said in facts.verdicts if said.drawn]
    return difficulty_band(*max(drawn)[1]) if drawn else None


def _pair(one: Said, other: Said) -> Iterator[tuple[Board, Key]]:
    """Count two verdicts. One that a person gave after seeing others' is no independent one."""
    if one.informed or other.informed:
        return
    words = _named(one), _named(other)
    if None in words or words == (REFUTED, REFUTED):
        return
    pair = str(one.labeler), str(other.labeler)
    yield Board.PAIR, (*pair, str(words[0]), str(words[1]))
    if len(one.labels) == len(other.labels) and REFUTED not in words:
        yield Board.STEPS, (*pair, pattern_text(step_pattern(one.labels, other.labels)))


def _named(said: Said) -> str | None:
    if said.state is VerdictState.REFUTED:
        return REFUTED
    return None if said.first_error is None else str(said.first_error)


def _people(facts: Facts) -> Iterator[tuple[Board, Key]]:
    votes = sorted(
        (said.labeler, said.first_error)
        for said in facts.verdicts
        if said.kind is LabelerKind.HUMAN and not said.informed and said.first_error is not None
    )
    if votes:
        yield Board.PEOPLE, (" ".join(f"{labeler}:{first}" for labeler, first in votes),)


def _audit(facts: Facts) -> Iterator[tuple[Board, Key]]:
    """Count a consensus that waits for an audit, or what a drawn one found."""
    if facts.state is DecisionState.CONSENSUS:
        yield Board.AUDIT, (_class(facts.first_error), facts.source, "waiting")
        return
    true = settled(facts)
    machines = {v.first_error for v in facts.verdicts if v.kind in MACHINES - {LabelerKind.PRM}}
    if facts.audited and true is not None and len(machines) == 1 and None not in machines:
        (said,) = machines
        yield Board.AUDIT, (_class(said), facts.source, "right" if said == true else "wrong")


def pattern_text(pattern: StepPattern) -> str:
    """Write a pattern of step labels as a key: "1,1,3 -1,-1,1"."""
    return " ".join(f"{a},{b},{n}" for a, b, n in pattern)


def read_pattern(text: str) -> StepPattern:
    """Read what `pattern_text` wrote."""
    parts = [tuple(map(int, part.split(","))) for part in text.split()]
    return tuple((a, b, n) for a, b, n in parts)


def read_votes(text: str) -> list[tuple[str, int]]:
    """Read a key of `Board.PEOPLE`: (labeler, first error) of each annotator."""
    parts = (part.split(":") for part in text.split())
    return [(labeler, int(first)) for labeler, first in parts]
