"""Correct a reference answer: grade every answer against the new one, then count or carry out."""

from __future__ import annotations

from django.utils import timezone

from labeling.models import AnswerCorrection, User
from labeling.models.corrections import CorrectionState
from labeling.services import answer_corrections
from workers.grading import shared_grader

AT_ONCE = 20
"""Answers graded before the grades are noted: what a killed worker may have to do again."""


def carry_out(*, by: User, uid: str) -> None:
    """Do what the correction waits for; nothing where it waits for nobody or a person."""
    correction = AnswerCorrection.objects.filter(uid=uid).first()
    if correction is None:
        return
    done = False
    while not done:
        _grade(correction, by)
        correction.refresh_from_db()
        if correction.state == CorrectionState.WAITING:
            done = answer_corrections.count(by=by, correction=correction)
        else:
            done = answer_corrections.apply(by=by, correction=correction, now=timezone.now())


def _grade(correction: AnswerCorrection, by: User) -> None:
    if correction.state not in answer_corrections.WORKED_ON:
        return
    grader = shared_grader()
    answers = answer_corrections.ungraded(correction=correction)
    for start in range(0, len(answers), AT_ONCE):
        some = answers[start : start + AT_ONCE]
        grades = {answer: grader.grade(correction.new, answer).correct for answer in some}
        answer_corrections.grade(by=by, correction=correction, grades=grades)
