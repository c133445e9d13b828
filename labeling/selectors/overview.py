"""The lead's one screen: how far, how good, what is running, what came of it.

A constant number of queries, on counts (labeling.domain.boards), whatever the project's size.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Sum

from labeling.domain.boards import REFUTED, Board, Key
from labeling.domain.consensus import DecisionState
from labeling.domain.labels import LabelerKind, VerdictState
from labeling.domain.phrases import marked
from labeling.domain.statistics.agreement import Agreement, Quality, compare, quality
from labeling.domain.statistics.confusion import Cell, Confusion
from labeling.domain.statistics.diagnostics import retention
from labeling.domain.statistics.intervals import Proportion
from labeling.models import Labeler, Project, ProjectTally
from labeling.selectors.boards import read

_DECIDED = {
    DecisionState.CONSENSUS: marked("Consensus"),
    DecisionState.ADJUDICATED: marked("Adjudicated"),
}


@dataclass(frozen=True, slots=True)
class Coverage:
    """What one labeler has said of the project's solutions; the counts add up to `solutions`."""

    labeler: Labeler
    solutions: int
    scored: int
    unscored: int
    rejected: int
    refuted: int
    tokens: int
    seconds: float

    @property
    def missing(self) -> int:
        """Solutions without a verdict."""
        return self.solutions - self.scored - self.unscored - self.rejected - self.refuted

    @property
    def kind(self) -> LabelerKind:
        """Return the labeler's kind."""
        return LabelerKind(self.labeler.kind)

    @property
    def filter_name(self) -> str | None:
        """Return the solutions filter that leads to these verdicts, if there is one."""
        return str(self.kind) if self.kind in (LabelerKind.MC, LabelerKind.JUDGE) else None


@dataclass(frozen=True, slots=True)
class Counts:
    """Problems, solutions and decisions; the decisions add up to `solutions`."""

    problems: int
    solved_problems: int
    solutions: int
    right_answers: int
    wrong_answers: int
    unknown_answers: int
    flawed_right_answers: int
    decisions: dict[str, int]
    decided_with_error: int
    decided_without_error: int


@dataclass(frozen=True, slots=True)
class Truth:
    """One source of labels against the gold key."""

    name: str
    quality: Quality


@dataclass(frozen=True, slots=True)
class Compared:
    """Monte Carlo beside the judge. `kept`: the consensus, of all that both judged."""

    mc: Labeler
    judge: Labeler
    agreement: Agreement
    kept: Proportion


def counts(project: Project) -> Counts:
    """Count the project from problems to decisions."""
    tally = ProjectTally.objects.filter(project=project).aggregate(n=Sum("problems"))
    states = {str(state): 0 for state in DecisionState}
    answers, decided = Counter[str](), Counter[str]()
    flawed = 0
    for (state, answer, said), n in read(project, Board.FLOW).items():
        states[state] += n
        answers[answer] += n
        decided[said] += n
        flawed += n if (answer, said) == ("right", "error") else 0
    return Counts(
        problems=tally["n"] or 0,
        solved_problems=sum(read(project, Board.PROBLEMS).values()),
        solutions=answers.total(),
        right_answers=answers["right"],
        wrong_answers=answers["wrong"],
        unknown_answers=answers["unknown"],
        flawed_right_answers=flawed,
        decisions=states,
        decided_with_error=decided["error"],
        decided_without_error=decided["none"],
    )


def coverage(project: Project, solutions: int) -> list[Coverage]:
    """Return what each active labeler has said, newest labeler of a kind first."""
    labelers = Labeler.objects.filter(project=project, active=True).order_by("kind", "-id")
    said, spent = Counter[tuple[str, str]](), read(project, Board.SPENT)
    for (labeler, state, _), n in read(project, Board.SAID).items():
        said[labeler, state] += n
    return [_coverage(labeler, solutions, said, spent) for labeler in labelers]


def _coverage(
    labeler: Labeler,
    solutions: int,
    said: Mapping[tuple[str, str], int],
    spent: Mapping[Key, int],
) -> Coverage:
    pk = str(labeler.pk)
    return Coverage(
        labeler=labeler,
        solutions=solutions,
        **{str(state): said[pk, state] for state in VerdictState},
        tokens=spent.get((pk, "tokens"), 0),
        seconds=spent.get((pk, "milliseconds"), 0) / 1000,
    )


def newest(covered: list[Coverage], kind: LabelerKind) -> Labeler | None:
    """Return the newest active labeler of a kind: the one that lists and filters mean."""
    return next((c.labeler for c in covered if c.kind is kind), None)


def filterable(covered: list[Coverage]) -> set[int]:
    """Return the labelers that the list of solutions can filter by."""
    found = (newest(covered, kind) for kind in (LabelerKind.MC, LabelerKind.JUDGE))
    return {labeler.pk for labeler in found if labeler is not None}


def compared(project: Project, covered: list[Coverage]) -> Compared | None:
    """Compare the newest MC labeler with the newest judge; None without both."""
    mc, judge = newest(covered, LabelerKind.MC), newest(covered, LabelerKind.JUDGE)
    if mc is None or judge is None:
        return None
    first_errors, refuted = _pair(read(project, Board.PAIR), mc, judge)
    return Compared(mc, judge, compare(first_errors), retention(first_errors, refuted))


def truths(project: Project, covered: list[Coverage]) -> list[Truth]:
    """Compare MC, the judge and the decisions with the gold key; empty without one."""
    gold = newest(covered, LabelerKind.GOLD)
    if gold is None:
        return []
    sources = [newest(covered, kind) for kind in (LabelerKind.MC, LabelerKind.JUDGE)]
    said = read(project, Board.PAIR)
    found = [
        Truth(LabelerKind(s.kind).words, quality(_pair(said, s, gold)[0]))
        for s in sources
        if s is not None
    ]
    decided: dict[str, dict[Cell, int]] = {}
    for (labeler, state, first, true), n in read(project, Board.TRUTH).items():
        if labeler == str(gold.pk):
            decided.setdefault(state, {})[int(first), int(true)] = n
    for state, word in _DECIDED.items():
        found.append(Truth(word, quality(Confusion(decided.get(state, {})))))
    return found


def _pair(said: Mapping[Key, int], first: Labeler, second: Labeler) -> tuple[Confusion, int]:
    """Return the first errors of both, and how many the first one only refuted."""
    ends, cells, refuted = (str(first.pk), str(second.pk)), dict[Cell, int](), 0
    for (a, b, *words), n in said.items():
        if {a, b} != set(ends):
            continue
        one, other = words if (a, b) == ends else words[::-1]
        if REFUTED in words:
            refuted += n
        else:
            cells[int(one), int(other)] = n
    return Confusion(cells), refuted
