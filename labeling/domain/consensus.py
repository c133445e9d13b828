"""The decision of a solution: a pure function of its verdicts and the project's policy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from labeling.domain.labels import LabelerKind, VerdictState, VerdictView
from labeling.domain.policy import Policy


class DecisionState(StrEnum):
    """Where a solution stands."""

    UNDECIDED = "undecided"
    CONSENSUS = "consensus"
    DISPUTED = "disputed"
    ADJUDICATED = "adjudicated"
    DISCARDED = "discarded"


DECIDED = frozenset({DecisionState.CONSENSUS, DecisionState.ADJUDICATED})
"""States that carry a first error."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A solution's state, its first error where decided, and the verdicts that it follows from."""

    state: DecisionState
    first_error: int | None = None
    follows_from: tuple[int, ...] = ()


def decide(verdicts: Iterable[VerdictView], policy: Policy) -> Decision:
    """Return the decision that these verdicts imply, whatever their order.

    The latest adjudicator outranks; then unanimous people, `policy.human_overlap` of them; then
    agreement of every kind in `policy.consensus_kinds` on the first error (the instance-level
    consensus of arXiv 2501.07301 §3.1.3), which a refuted verdict denies. Gold keys and PRMs
    never decide.
    """
    ordered = sorted(verdicts, key=lambda verdict: verdict.id)
    adjudications = _spoken(ordered, LabelerKind.ADJUDICATOR)
    if adjudications:
        return _settled(adjudications[-1:])
    people = _spoken(ordered, LabelerKind.HUMAN)
    if len({(v.state, v.first_error) for v in people}) > 1:
        return Decision(DecisionState.DISPUTED, follows_from=_ids(people))
    if len(people) >= policy.human_overlap:
        return _settled(people)
    return _machines_agree(ordered, policy)


def _machines_agree(ordered: Sequence[VerdictView], policy: Policy) -> Decision:
    by_kind = [_heard(ordered, kind) for kind in policy.consensus_kinds]
    if not by_kind or not all(by_kind):
        return Decision(DecisionState.UNDECIDED)
    machines = [verdict for group in by_kind for verdict in group]
    ids = tuple(sorted(_ids(machines)))
    # A refutation names no first error, only that it is another one.
    refuted = any(verdict.state is VerdictState.REFUTED for verdict in machines)
    if not refuted and len({verdict.first_error for verdict in machines}) == 1:
        return Decision(DecisionState.CONSENSUS, machines[0].first_error, ids)
    return Decision(DecisionState.DISPUTED, follows_from=ids)


def _settled(verdicts: Sequence[VerdictView]) -> Decision:
    if verdicts[0].state is VerdictState.REJECTED:
        return Decision(DecisionState.DISCARDED, follows_from=_ids(verdicts))
    return Decision(DecisionState.ADJUDICATED, verdicts[0].first_error, _ids(verdicts))


def _spoken(verdicts: Iterable[VerdictView], kind: LabelerKind) -> list[VerdictView]:
    said = (VerdictState.SCORED, VerdictState.REJECTED)
    return [v for v in verdicts if v.kind is kind and v.state in said]


def _heard(ordered: Iterable[VerdictView], kind: LabelerKind) -> list[VerdictView]:
    said = (VerdictState.SCORED, VerdictState.REFUTED)
    return [v for v in ordered if v.kind is kind and v.state in said]


def _ids(verdicts: Iterable[VerdictView]) -> tuple[int, ...]:
    return tuple(verdict.id for verdict in verdicts)
