"""Write machine verdicts: idempotent, with their evidence and the decisions that follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from labeling.domain.labels import VerdictState, check_labels, labels_up_to
from labeling.models import Labeler, Rollout, Run, Solution, User, Verdict
from labeling.models.compiled import Compiled, given
from labeling.services import decisions, events
from labeling.services.idempotency import KeyReused


@dataclass(frozen=True, slots=True)
class NewRollout:
    """One completion from before step `step` (0-based): evidence of an MC verdict."""

    step: int
    sample: int
    text: str
    answer: str | None
    correct: bool
    finish_reason: str


@dataclass(frozen=True, slots=True)
class NewVerdict:
    """A verdict to be stored; see labeling.models.Verdict for units."""

    solution_id: int
    state: VerdictState
    first_error: int | None = None
    step_labels: Sequence[int | None] = ()
    reason: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    rollouts: Sequence[NewRollout] = ()
    against: str | None = None
    """The reference answer that the completions were counted against; None: none was needed."""


def given_before(*, by: User, key: UUID, solution: int) -> Verdict | None:
    """Return the person's verdict that came with this key; raise KeyReused if on something else."""
    before = _with_key.first(key=key, user=by.pk)
    if before is not None and before.solution_id != solution:
        raise KeyReused("this idempotency key was used for another request")
    return before


@Compiled
def _with_key() -> QuerySet[Verdict]:
    return Verdict.objects.filter(submission_key=given("key"), labeler__user=given("user"))


@transaction.atomic
def record(
    *, by: User, labeler: Labeler, verdicts: Sequence[NewVerdict], run: Run | None = None
) -> int:
    """Store the verdicts that are new and return their number.

    A solution that the labeler has judged already is left as it is: a worker whose lease expired
    may deliver late, after another one labeled the same solution, or take its own up again and
    deliver it twice at once; the first answer stands. What was counted against a reference answer
    that has been corrected since is dropped: the solution waits for its labeler again.
    """
    verdicts = list({v.solution_id: v for v in reversed(verdicts)}.values())[::-1]
    solutions = {s.pk: s for s in decisions.lock(v.solution_id for v in verdicts)}
    known = set(
        Verdict.objects.filter(labeler=labeler, solution__in=solutions).values_list(
            "solution_id", flat=True
        )
    )
    stale = _stale(verdicts, solutions)
    fresh = [
        v for v in verdicts if v.solution_id in solutions and v.solution_id not in known | stale
    ]
    rows = [_verdict_row(labeler, solutions[v.solution_id], v) for v in fresh]
    Verdict.objects.bulk_create(rows)
    # a withdrawn verdict's completions are there still: the new one counts them anew
    Rollout.objects.bulk_create(
        [row for v in fresh for row in _rollout_rows(labeler, v)],
        update_conflicts=True,
        unique_fields=["solution", "labeler", "step", "sample"],
        update_fields=["text", "answer", "correct", "finish_reason"],
    )
    if fresh:
        decisions.refresh(
            project=labeler.project, solutions=[solutions[v.solution_id] for v in fresh]
        )
        events.record(
            by=by,
            action="verdicts recorded",
            project=labeler.project,
            subject=labeler.uid,
            count=len(fresh),
            run=run.uid if run else None,
        )
    return len(fresh)


def _stale(verdicts: Sequence[NewVerdict], solutions: Mapping[int, Solution]) -> set[int]:
    """Return the solutions whose reference answer is another one by now.

    A correction, in another process, locks the solutions as well: it has committed and is seen
    here, or waits and will find these verdicts.
    """
    given = {v.solution_id: v.against for v in verdicts if v.against is not None}
    now = Solution.objects.filter(pk__in=given.keys() & solutions.keys())
    return {pk for pk, answer in now.values_list("pk", "problem__answer") if answer != given[pk]}


def full_labels(solution: Solution, verdict: NewVerdict) -> list[int | None]:
    """Return one label per step, checked; derived from the first error where none are given."""
    if verdict.state is not VerdictState.SCORED or verdict.first_error is None:
        return list(verdict.step_labels)
    count = len(solution.steps)
    labels = list(verdict.step_labels) or list(labels_up_to(verdict.first_error, count))
    check_labels(labels, count)
    return labels


def _verdict_row(labeler: Labeler, solution: Solution, verdict: NewVerdict) -> Verdict:
    return Verdict(
        labeler=labeler,
        solution=solution,
        state=verdict.state,
        first_error=verdict.first_error,
        step_labels=full_labels(solution, verdict),
        reason=verdict.reason,
        **verdict.fields,
    )


def _rollout_rows(labeler: Labeler, verdict: NewVerdict) -> list[Rollout]:
    return [
        Rollout(
            labeler=labeler,
            solution_id=verdict.solution_id,
            step=rollout.step,
            sample=rollout.sample,
            text=rollout.text,
            answer=rollout.answer,
            correct=rollout.correct,
            finish_reason=rollout.finish_reason,
        )
        for rollout in verdict.rollouts
    ]
