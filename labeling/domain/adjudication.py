"""When a solution needs an adjudicator, and when an adjudicator has to give a reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from labeling.domain.labels import LabelerKind, VerdictState, VerdictView
from labeling.domain.phrases import marked

GIVEN_UP = 2
"""People who gave up on a solution before an adjudicator is asked: one may just be tired."""

_SPOKEN = (VerdictState.SCORED, VerdictState.REJECTED)


class Cause(StrEnum):
    """Why an adjudicator is wanted. GIVEN_UP is no matter of verdicts: who gives up leaves none."""

    REPORTED = "reported"
    DISAGREE = "disagree"
    GIVEN_UP = "given_up"

    @property
    def words(self) -> str:
        """Return the cause in words."""
        return _WORDS[self]


_WORDS = {
    Cause.REPORTED: marked("reported as bad"),
    Cause.DISAGREE: marked("people disagree"),
    Cause.GIVEN_UP: marked("given up"),
}


def cause_of(views: Iterable[VerdictView]) -> Cause | None:
    """Return why these verdicts need an adjudicator; None where they do not, or one has spoken.

    A report comes before a disagreement: a wrong problem or reference answer spoils other solutions
    as well.
    """
    said = [view for view in views if view.state in _SPOKEN]
    if any(view.kind is LabelerKind.ADJUDICATOR for view in said):
        return None
    people = [view for view in said if view.kind is LabelerKind.HUMAN]
    if any(view.by_user and view.state is VerdictState.REJECTED for view in people):
        return Cause.REPORTED
    if len({(view.state, view.first_error) for view in people}) > 1:
        return Cause.DISAGREE
    return None


def overrules_all(first_error: int, sides: Sequence[int | None]) -> bool:
    """Say whether no side has this first error: such a verdict needs a reason of its own."""
    return first_error not in sides
