"""A person's own numbers, made so that they give no hidden item and nobody's label away.

Accuracy pools hidden gold with what was adjudicated later, counts only whole blocks of items, and
changes once a day: after a submission nothing here moves, so nobody learns what the item was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from labeling.domain.exams import Standing
from labeling.domain.quality import FEWEST_SHOWN, Accuracy, Pace, settled_block
from labeling.domain.statistics.agreement import compare
from labeling.domain.statistics.confusion import Confusion
from labeling.domain.statistics.intervals import Proportion
from labeling.models import Project, User
from labeling.selectors import accuracy, exams
from labeling.selectors.remembered import Remembered

_REMEMBERED = Remembered()


@dataclass(frozen=True, slots=True)
class Own:
    """`known`: against answers known for certain. `alike`: against other people's, the same."""

    known: Accuracy
    alike: Proportion
    pace: Pace
    exam: Standing
    until: datetime


def numbers(user: User, project: Project, now: datetime) -> Own:
    """Return the person's own numbers as of the last midnight (UTC); their pace as of now."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    key = (project.pk, user.pk, midnight, project.policy.too_fast_seconds)
    shared, answers, paces = _REMEMBERED.get(
        key,
        lambda: (
            accuracy.agreements(project, user=user.pk, until=midnight),
            accuracy.answers(project, user.pk, until=midnight),
            accuracy.paces(project, user=user.pk),
        ),
    )
    agreed = compare(shared.get(user.pk, Confusion({})))
    alike = Proportion(agreed.both_right + agreed.same_error, agreed.n)
    return Own(
        known=settled_block(answers),
        alike=alike if alike.whole >= FEWEST_SHOWN else Proportion(0, 0),
        pace=paces.get(user.pk, Pace()),
        exam=exams.standing(user, project),
        until=midnight,
    )
