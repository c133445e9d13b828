"""The lead's one screen: how far, how good, what is running, what came of it.

A constant number of queries, whatever the project's size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum

from labeling.domain.consensus import DECIDED, DecisionState
from labeling.domain.labels import NO_ERROR, LabelerKind, VerdictState
from labeling.domain.phrases import marked
from labeling.domain.statistics.agreement import Agreement, Quality, compare, quality
from labeling.domain.statistics.confusion import Confusion
from labeling.models import Decision, Labeler, Problem, Project, Solution, Verdict

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
    """Monte Carlo beside the judge."""

    mc: Labeler
    judge: Labeler
    agreement: Agreement


def counts(project: Project) -> Counts:
    """Count the project from problems to decisions."""
    problems = Problem.objects.filter(project=project).aggregate(
        n=Count("pk"),
        solved=Count("pk", filter=Exists(Solution.objects.filter(problem=OuterRef("pk")))),
    )
    answers = Solution.objects.filter(project=project).aggregate(
        n=Count("pk"),
        right=Count("pk", filter=Q(final_answer_correct=True)),
        wrong=Count("pk", filter=Q(final_answer_correct=False)),
        flawed=Count(
            "pk",
            filter=Q(
                final_answer_correct=True,
                decision__state__in=[str(state) for state in DECIDED],
                decision__first_error__gt=NO_ERROR,
            ),
        ),
    )
    states = {str(state): 0 for state in DecisionState}
    clean = wrong = 0
    rows = Decision.objects.filter(project=project).values_list("state")
    for state, n, right in rows.annotate(
        n=Count("pk"), right=Count("pk", filter=Q(first_error=NO_ERROR))
    ):
        states[state] = n
        if DecisionState(state) in DECIDED:
            clean, wrong = clean + right, wrong + n - right
    # a solution without a decision row yet is undecided
    states[DecisionState.UNDECIDED] += answers["n"] - sum(states.values())
    return Counts(
        problems=problems["n"],
        solved_problems=problems["solved"],
        solutions=answers["n"],
        right_answers=answers["right"],
        wrong_answers=answers["wrong"],
        unknown_answers=answers["n"] - answers["right"] - answers["wrong"],
        flawed_right_answers=answers["flawed"],
        decisions=states,
        decided_with_error=wrong,
        decided_without_error=clean,
    )


def coverage(project: Project, solutions: int) -> list[Coverage]:
    """Return what each active labeler has said, newest labeler of a kind first."""
    labelers = list(Labeler.objects.filter(project=project, active=True).order_by("kind", "-id"))
    said = {
        row["labeler"]: dict(row)
        for row in Verdict.objects.filter(labeler__in=labelers)
        .values("labeler")
        .annotate(
            scored=Count("pk", filter=Q(state=VerdictState.SCORED)),
            unscored=Count("pk", filter=Q(state=VerdictState.UNSCORED)),
            rejected=Count("pk", filter=Q(state=VerdictState.REJECTED)),
            refuted=Count("pk", filter=Q(state=VerdictState.REFUTED)),
            tokens=Sum(F("prompt_tokens") + F("completion_tokens")),
            total_seconds=Sum("seconds"),
        )
    }
    return [_coverage(labeler, solutions, said.get(labeler.pk, {})) for labeler in labelers]


def _coverage(labeler: Labeler, solutions: int, row: dict[str, Any]) -> Coverage:
    return Coverage(
        labeler=labeler,
        solutions=solutions,
        scored=row.get("scored", 0),
        unscored=row.get("unscored", 0),
        rejected=row.get("rejected", 0),
        refuted=row.get("refuted", 0),
        tokens=int(row.get("tokens") or 0),
        seconds=float(row.get("total_seconds") or 0),
    )


def newest(covered: list[Coverage], kind: LabelerKind) -> Labeler | None:
    """Return the newest active labeler of a kind: the one that lists and filters mean."""
    return next((c.labeler for c in covered if c.kind is kind), None)


def filterable(covered: list[Coverage]) -> set[int]:
    """Return the labelers that the list of solutions can filter by."""
    found = (newest(covered, kind) for kind in (LabelerKind.MC, LabelerKind.JUDGE))
    return {labeler.pk for labeler in found if labeler is not None}


def compared(covered: list[Coverage]) -> Compared | None:
    """Compare the newest MC labeler with the newest judge; None without both."""
    mc, judge = newest(covered, LabelerKind.MC), newest(covered, LabelerKind.JUDGE)
    if mc is None or judge is None:
        return None
    return Compared(mc, judge, agreement(mc, judge))


def agreement(first: Labeler, second: Labeler) -> Agreement:
    """Count how two labelers' first errors relate, over the solutions that both scored."""
    return compare(_confusion(_pairs(first, second)))


def truths(covered: list[Coverage]) -> list[Truth]:
    """Compare MC, the judge and the decisions with the gold key; empty without one."""
    gold = newest(covered, LabelerKind.GOLD)
    if gold is None:
        return []
    sources = [newest(covered, kind) for kind in (LabelerKind.MC, LabelerKind.JUDGE)]
    found = [
        Truth(LabelerKind(s.kind).words, quality(_confusion(_pairs(s, gold))))
        for s in sources
        if s is not None
    ]
    decided = Decision.objects.filter(
        state__in=[str(state) for state in DECIDED],
        solution__verdicts__labeler=gold,
        solution__verdicts__state=VerdictState.SCORED,
    ).annotate(other=F("solution__verdicts__first_error"))
    for state, word in _DECIDED.items():
        found.append(Truth(word, quality(_confusion(decided.filter(state=state)))))
    return found


def _pairs(first: Labeler, second: Labeler) -> QuerySet[Verdict]:
    return Verdict.objects.filter(
        labeler=first,
        state=VerdictState.SCORED,
        solution__verdicts__labeler=second,
        solution__verdicts__state=VerdictState.SCORED,
    ).annotate(other=F("solution__verdicts__first_error"))


def _confusion(pairs: QuerySet[Any]) -> Confusion:
    cells = pairs.order_by().values_list("first_error", "other").annotate(times=Count("pk"))
    return Confusion({(first_error, other): times for first_error, other, times in cells})
