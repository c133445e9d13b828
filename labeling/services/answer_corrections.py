"""Correct a reference answer: ask for it, see what would change, confirm it, carry it out.

Grading needs a process that can be killed, so a worker does it: it notes grades answer by answer
(a killed one's successor goes on from there) and then does the rest in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError, transaction

from labeling import dispatch
from labeling.domain.refusals import Invalid, Refusal
from labeling.models import AnswerCorrection, Problem, Solution, User
from labeling.models.corrections import CorrectionState
from labeling.selectors import answer_corrections as reads
from labeling.services import decisions, events, regrading

WORKED_ON = (CorrectionState.WAITING, CorrectionState.CONFIRMED)


class NotNow(Refusal):
    """A move that the correction's state, or another correction, does not allow."""

    code = "correction_not_now"


class _UngradedError(Exception):
    """Answers came in that were not graded yet."""


@transaction.atomic
def propose(*, by: User, problem: Problem, answer: str, reason: str) -> AnswerCorrection:
    """Ask what another reference answer would change; nothing changes yet."""
    answer, reason = answer.strip(), reason.strip()
    if not answer:
        raise Invalid("write the right answer; a problem that has none is discarded instead")
    if not reason:
        raise Invalid("say why the reference answer is wrong")
    problem = Problem.objects.select_related("project").get(pk=problem.pk)
    if answer == problem.answer:
        raise Invalid("this is the reference answer already")
    try:
        with transaction.atomic():
            made = AnswerCorrection.objects.create(
                project=problem.project, problem=problem, old=problem.answer, new=answer,
                reason=reason, created_by=by,
            )  # fmt: skip
    except IntegrityError as error:
        raise NotNow("another correction of this answer is under way: finish that first") from error
    events.record(
        by=by, action="answer correction asked", project=problem.project, subject=made.uid,
        problem=problem.uid, old=made.old, new=made.new, reason=reason,
    )  # fmt: skip
    ring(correction=made)
    return made


@transaction.atomic
def confirm(*, by: User, correction: AnswerCorrection, now: datetime) -> AnswerCorrection:
    """Let a worker carry out a correction whose effects were counted."""
    row = _locked(correction)
    if row.state != CorrectionState.COUNTED:
        raise NotNow("this correction cannot be confirmed now")
    row.state, row.confirmed_by, row.confirmed_at = CorrectionState.CONFIRMED, by, now
    row.save(update_fields=["state", "confirmed_by", "confirmed_at"])
    events.record(by=by, action="answer correction confirmed", project=row.project, subject=row.uid)
    ring(correction=row)
    return row


@transaction.atomic
def drop(*, by: User, correction: AnswerCorrection) -> AnswerCorrection:
    """Give up a correction that is not confirmed."""
    row = _locked(correction)
    if row.state not in (CorrectionState.WAITING, CorrectionState.COUNTED):
        raise NotNow("this correction cannot be dropped any more")
    row.state = CorrectionState.DROPPED
    row.save(update_fields=["state"])
    events.record(by=by, action="answer correction dropped", project=row.project, subject=row.uid)
    return row


@transaction.atomic
def grade(*, by: User, correction: AnswerCorrection, grades: Mapping[str, bool]) -> None:
    """Note whether these answers equal the new reference answer."""
    # Two bells woke two workers: each adds its grades to what the other has noted.
    row = _locked(correction)
    row.grades = {**row.grades, **grades}
    row.save(update_fields=["grades"])
    events.record(
        by=by, action="answers regraded", project=row.project, subject=row.uid, count=len(grades)
    )


def ungraded(*, correction: AnswerCorrection) -> list[str]:
    """Return the answers that are still to be graded; note how many there are in all."""
    row = AnswerCorrection.objects.select_related("problem").get(pk=correction.pk)
    stated = [regrading.stated(s) for s in reads.solutions_of(row.problem)]
    answers = reads.answers_of(row.problem, stated)
    if row.total != len(answers):
        AnswerCorrection.objects.filter(pk=row.pk).update(total=len(answers))
    return sorted(answers - row.grades.keys())


def count(*, by: User, correction: AnswerCorrection) -> bool:
    """Count what the correction would change: carry it out and take it back.

    False where answers came in meanwhile that are not graded yet.
    """
    with transaction.atomic():
        row = _locked(correction)
        if row.state != CorrectionState.WAITING:
            return True
        try:
            with transaction.atomic():
                report = _carried_out(row)
                transaction.set_rollback(True)
        except _UngradedError:
            return False
        row.state, row.report = CorrectionState.COUNTED, report
        row.save(update_fields=["state", "report"])
        events.record(
            by=by, action="answer correction counted", project=row.project, subject=row.uid
        )
    return True


@transaction.atomic
def apply(*, by: User, correction: AnswerCorrection, now: datetime) -> bool:
    """Carry out a confirmed correction; whole or, with the worker killed, not at all.

    False where answers came in meanwhile that are not graded yet.
    """
    row = _locked(correction)
    if row.state != CorrectionState.CONFIRMED:
        return True
    try:
        with transaction.atomic():
            row.report = _carried_out(row)
    except _UngradedError:
        return False
    row.state, row.applied_at = CorrectionState.DONE, now
    row.save(update_fields=["state", "report", "applied_at"])
    events.record(
        by=row.confirmed_by or by, action="answer corrected", project=row.project, subject=row.uid,
        problem=row.problem.uid, old=row.old, new=row.new, reason=row.reason,
    )  # fmt: skip
    return True


def attend() -> None:
    """Ring for every correction that waits for a worker."""
    for row in AnswerCorrection.objects.filter(state__in=WORKED_ON):
        ring(correction=row)


def ring(*, correction: AnswerCorrection) -> None:
    """Wake a worker for the correction."""
    dispatch.ring("workers.correct", correction.uid, queue="default", expires=60.0)


def _locked(correction: AnswerCorrection) -> AnswerCorrection:
    return (
        AnswerCorrection.objects.select_for_update(of=("self",))
        .select_related("project", "problem", "confirmed_by")
        .get(pk=correction.pk)
    )


def _carried_out(row: AnswerCorrection) -> regrading.Report:
    """Change the answer and all that depends on it; _UngradedError where a grade is missing."""
    # The worker that stores generated solutions locks the problem, too (samplings.record): what it
    # graded by the old answer is stored before, and regraded here, or refused by it after.
    problem = Problem.objects.select_for_update(no_key=True).get(pk=row.problem_id)
    # The MC worker locks the solutions before it stores verdicts (verdicts.record): those that it
    # counted against the old answer are stored before, and recomputed here, or dropped by it after.
    ids = Solution.objects.filter(problem=problem).values_list("pk", flat=True)
    solutions = decisions.lock(ids)
    answers = reads.answers_of(problem, [regrading.stated(s) for s in solutions])
    if answers - row.grades.keys():
        raise _UngradedError
    problem.answer = row.new
    problem.save(update_fields=["answer"])
    return regrading.carry_out(problem=problem, solutions=solutions, grades=row.grades)
