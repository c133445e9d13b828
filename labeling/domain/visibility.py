"""Blindness: which labelers' verdicts a person may see on a solution. A truth table, no storage."""

from __future__ import annotations

from labeling.domain.labels import LabelerKind
from labeling.domain.policy import Policy
from labeling.domain.roles import Action, Role, can

_MACHINES = frozenset({LabelerKind.MC, LabelerKind.JUDGE, LabelerKind.PRM})
_PEOPLE = frozenset({LabelerKind.HUMAN, LabelerKind.ADJUDICATOR})


def visible_kinds(
    role: Role | None, policy: Policy, *, labeling: bool, submitted: bool
) -> frozenset[LabelerKind]:
    """Return the kinds of labelers whose verdicts may reach this person's browser.

    `labeling`: the person holds the solution to label it now. `submitted`: their own verdict on
    it stands. Before submitting a blind project shows nothing; an annotator never sees other
    people's labels or the gold key; only who manages sees the gold key.
    """
    if role is None or not (can(role, Action.VIEW) or can(role, Action.ANNOTATE)):
        return frozenset()
    if labeling and policy.blind and not submitted:
        return frozenset()
    if can(role, Action.MANAGE) and not labeling:
        return frozenset(LabelerKind)
    if can(role, Action.VIEW):
        return _MACHINES | _PEOPLE
    return _MACHINES if submitted or (labeling and not policy.blind) else frozenset()
