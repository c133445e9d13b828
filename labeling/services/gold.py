"""Gold items: solutions with a known first error that test people, in the exam or hidden.

The key is an adjudicator's verdict; where a solution has none, making it gold writes one.
"""

from __future__ import annotations

from uuid import uuid4

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet, TextField, Value
from django.db.models.functions import MD5, Cast, Concat

from labeling.domain.assignments import GoldUse
from labeling.domain.labels import LabelerKind, VerdictState
from labeling.domain.refusals import Invalid, Refusal
from labeling.models import GoldItem, Labeler, Project, Solution, User, Verdict
from labeling.services import adjudications, decisions, events

SAMPLE_LIMIT = 200
"""Items made gold at once: each is an adjudication of its own."""

SOURCES = (LabelerKind.HUMAN, LabelerKind.ADJUDICATOR, LabelerKind.GOLD)
"""Kinds of labelers whose verdicts may become keys."""


class GoldAlready(Refusal):
    """The solution is a gold item already, perhaps a retired one."""

    code = "gold_already"


@transaction.atomic
def add(
    *, by: User, solution: Solution, use: GoldUse, explanation: str, first_error: int | None = None
) -> GoldItem:
    """Make the solution a gold item.

    `first_error` is needed, and written as an adjudication, where no adjudicator has decided yet;
    where one has, theirs is the key and another one is refused.
    """
    # Two managers make the same solution gold: the second waits here and finds the first's item.
    decisions.lock([solution.pk])
    if GoldItem.objects.filter(solution=solution).exists():
        raise GoldAlready("this solution is a gold item already")
    explanation = explanation.strip()
    known = _adjudicated(solution)
    if known is None:
        if first_error is None:
            raise Invalid("say where the first error is, or that there is none")
        adjudications.submit(
            by=by, solution=solution, key=uuid4(), first_error=first_error,
            reason=explanation or "the key of a gold item",
        )  # fmt: skip
    elif first_error not in (None, known.first_error):
        raise Invalid("an adjudicator decided otherwise: adjudicate the solution anew first")
    return _add(by, solution, use, explanation)


@transaction.atomic
def add_sample(
    *, by: User, project: Project, labeler: Labeler, count: int, use: GoldUse, seed: int
) -> int:
    """Make so many solutions gold whose key is what the labeler said; return how many.

    Drawn by hash of the seed among the labeler's scored verdicts: the same seed draws the same
    ones. Left out are gold items, and solutions on which an adjudicator says otherwise.
    """
    if labeler.kind not in SOURCES:
        raise Invalid("machines' verdicts are no keys: choose people's")
    if not 1 <= count <= SAMPLE_LIMIT:
        raise Invalid("between 1 and {limit} at once", limit=SAMPLE_LIMIT)
    # Another manager samples too: who comes second waits for the rows and leaves the first's out.
    decisions.lock(verdict.solution_id for verdict in _drawn(labeler, count, seed))
    chosen = _drawn(labeler, count, seed)
    for verdict in chosen:
        if _adjudicated(verdict.solution) is None:
            adjudications.submit(
                by=by, solution=verdict.solution, key=uuid4(),
                first_error=_first_error(verdict), reason=f"the label of {labeler.name}",
            )  # fmt: skip
        _add(by, verdict.solution, use, verdict.reason or verdict.critique)
    events.record(
        by=by, action="gold items sampled", project=project, subject=labeler.uid,
        count=len(chosen), use=use, seed=seed,
    )  # fmt: skip
    return len(chosen)


@transaction.atomic
def change(*, by: User, item: GoldItem, use: GoldUse, explanation: str, active: bool) -> GoldItem:
    """Change where the item serves, its explanation, and whether it still serves (retire it).

    What people answered stays: a retired item still counts in their accuracy.
    """
    before = (item.use, item.explanation, item.active)
    item.use, item.explanation, item.active = use, explanation.strip(), active
    if before != (item.use, item.explanation, item.active):
        item.save(update_fields=["use", "explanation", "active"])
        events.record(
            by=by, action="gold item changed", project=item.project, subject=item.solution.uid,
            use=use, active=active,
        )  # fmt: skip
    return item


def _add(by: User, solution: Solution, use: GoldUse, explanation: str) -> GoldItem:
    item = GoldItem.objects.create(
        solution=solution, project_id=solution.project_id, use=use, explanation=explanation,
        added_by=by,
    )  # fmt: skip
    events.record(
        by=by, action="gold item added", project=solution.project, subject=solution.uid, use=use
    )
    return item


def _adjudicated(solution: Solution) -> Verdict | None:
    return _keys().filter(solution=solution).first()


def _keys() -> QuerySet[Verdict]:
    return Verdict.objects.filter(
        labeler__kind=LabelerKind.ADJUDICATOR, labeler__active=True, state=VerdictState.SCORED
    ).order_by("-id")


def _first_error(verdict: Verdict) -> int:
    if verdict.first_error is None:
        raise Invalid("a verdict without a first error is no key")
    return verdict.first_error


def _drawn(labeler: Labeler, count: int, seed: int) -> list[Verdict]:
    adjudicated = _keys().filter(solution=OuterRef("solution"))
    rows = (
        Verdict.objects.filter(labeler=labeler, state=VerdictState.SCORED)
        .filter(~Exists(GoldItem.objects.filter(solution=OuterRef("solution"))))
        .exclude(Exists(adjudicated.exclude(first_error=OuterRef("first_error"))))
    )
    shuffled = MD5(Concat(Value(f"{seed}:"), Cast(F("solution_id"), TextField())))
    return list(rows.order_by(shuffled).select_related("solution__project")[:count])
