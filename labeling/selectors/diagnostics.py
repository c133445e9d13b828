"""What the machines' labels are worth: the paper's diagnostics, the precision of an export."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from labeling.domain.boards import Board
from labeling.domain.consensus import DecisionState
from labeling.domain.labels import LabelerKind
from labeling.domain.phrases import marked
from labeling.domain.statistics.audit import (
    Precision,
    Stratum,
    further_audits,
    precision,
    precision_by_class,
)
from labeling.domain.statistics.bands import DIFFICULTIES, LENGTHS, POSITIONS
from labeling.domain.statistics.diagnostics import ErrorKind, GroupNoise, noise, retention
from labeling.domain.statistics.intervals import Proportion
from labeling.domain.statistics.undefined import Undefined
from labeling.models import Project
from labeling.selectors.boards import Side, pairs, read, sides

MOST_GROUPS = 20
"""Sources and generators shown, those with the most labels checked first."""

WIDTH = 0.04
"""The width of the interval that the page plans further audits for: ± 2 points."""

_ORDERED = {"length": LENGTHS, "difficulty": DIFFICULTIES, "position": POSITIONS}
DIMENSIONS = (
    marked("length"), marked("difficulty"), marked("source"), marked("generator"),
    marked("position"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Checked:
    """One machine labeler against people's decisions."""

    side: Side
    kinds: Mapping[ErrorKind, Proportion]
    noise: Mapping[str, list[GroupNoise[str]]]
    minimum_is_last: Proportion

    @property
    def checked(self) -> int:
        """Return how many of its verdicts people have decided about."""
        return self.kinds[ErrorKind.RIGHT].whole


@dataclass(frozen=True, slots=True)
class Kept:
    """Retention of the consensus of one MC labeler and one judge."""

    mc: Side
    judge: Side
    retention: Proportion


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """All of a project."""

    checked: tuple[Checked, ...]
    kept: tuple[Kept, ...]
    flawed: Proportion


def diagnostics(project: Project) -> Diagnostics:
    """Return the paper's diagnostics of the project's machine labelers."""
    among = sides(project, gold=False)
    machines = [side for side in among if not side.is_group]
    by_group, by_place = read(project, Board.NOISE), read(project, Board.POSITIONS)
    minimum = read(project, Board.MINIMUM)
    return Diagnostics(
        checked=tuple(_checked(side, by_group, by_place, minimum) for side in machines),
        kept=tuple(
            Kept(pair.one, pair.other, retention(pair.first_errors, pair.refuted))
            for pair in pairs(project, among).values()
            if (pair.one.kind, pair.other.kind) == (LabelerKind.MC, LabelerKind.JUDGE)
        ),
        flawed=_flawed(project),
    )


def _checked(
    side: Side,
    by_group: Mapping[tuple[str, ...], int],
    by_place: Mapping[tuple[str, ...], int],
    minimum: Mapping[tuple[str, ...], int],
) -> Checked:
    groups: defaultdict[str, defaultdict[str, Counter[str]]]
    groups = defaultdict(lambda: defaultdict(Counter))
    for (labeler, dimension, group, kind), n in by_group.items():
        if labeler in side.labelers:
            groups[dimension][group][kind] += n
    for (labeler, band, word), n in by_place.items():
        if labeler in side.labelers:
            groups["position"][band][word] += n
    total = groups["all"]["all"]
    last = sum(n for (pk, where), n in minimum.items() if pk in side.labelers and where == "last")
    return Checked(
        side=side,
        kinds={kind: Proportion(total[kind], total.total()) for kind in ErrorKind},
        noise={name: _noise(name, groups[name]) for name in DIMENSIONS},
        minimum_is_last=Proportion(
            last, sum(n for (pk, _), n in minimum.items() if pk in side.labelers)
        ),
    )


def _noise(dimension: str, groups: Mapping[str, Counter[str]]) -> list[GroupNoise[str]]:
    counted = {
        group: (kinds.total() - kinds["right"], kinds.total()) for group, kinds in groups.items()
    }
    known = _ORDERED.get(dimension)
    if known:
        ordered = [group for group in known if group in counted]
    else:
        ordered = sorted(counted, key=lambda group: (-counted[group][1], group))[:MOST_GROUPS]
    return noise({group: counted[group] for group in ordered})


def _flawed(project: Project) -> Proportion:
    right: Counter[str] = Counter()
    for (_, answer, said), n in read(project, Board.FLOW).items():
        if answer == "right" and said != "open":
            right[said] += n
    return Proportion(right["error"], right.total())


@dataclass(frozen=True, slots=True)
class Audit:
    """What an export of all decided solutions would contain, and how sure that is."""

    strata: tuple[Stratum, ...]
    whole: Precision
    by_class: Mapping[str, Precision]
    further: int | Undefined
    width: float


def audit(project: Project, width: float = WIDTH) -> Audit:
    """Estimate an export's precision from the audited consensus labels."""
    counted: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for (label, source, word), n in read(project, Board.AUDIT).items():
        counted[label, source][word] += n
    strata = tuple(
        Stratum(label, source, c["waiting"], c["right"] + c["wrong"], c["right"])
        for (label, source), c in sorted(counted.items())
    )
    settled: Counter[str] = Counter()
    for (state, _, said), n in read(project, Board.FLOW).items():
        if state == DecisionState.ADJUDICATED:
            settled[said] += n
    return Audit(
        strata=strata,
        whole=precision(strata, settled.total()),
        by_class=precision_by_class(strata, settled),
        further=further_audits(strata, settled.total(), width),
        width=width,
    )
