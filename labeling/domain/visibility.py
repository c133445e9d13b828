"""Blindness: which labelers' verdicts a person may see on a solution. A truth table, no storage."""

from __future__ import annotations

from labeling.domain.assignments import Purpose
from labeling.domain.labels import LabelerKind
from labeling.domain.policy import Policy
from labeling.domain.roles import Action, Role, can

_MACHINES = frozenset({LabelerKind.MC, LabelerKind.JUDGE, LabelerKind.PRM})
_ANNOTATORS = frozenset({LabelerKind.HUMAN})
_PEOPLE = _ANNOTATORS | {LabelerKind.ADJUDICATOR}


def visible_kinds(
    role: Role | None,
    policy: Policy,
    *,
    labeling: bool,
    submitted: bool,
    purpose: Purpose = Purpose.LABEL,
) -> frozenset[LabelerKind]:
    """Return the kinds of labelers whose verdicts may reach this person's browser.

    `labeling`: the person was given the solution to label it, for this purpose. `submitted`: their
    own verdict on it stands. Before submitting a blind project shows nothing. An annotator never
    sees the gold key or an adjudicator's verdict, and other people's only where the policy says
    so; only who manages sees the gold key. Whom a hidden gold item tests sees no person's verdict
    on it: it has the key and many more than others have. An exam item shows nothing: it may be
    corrected until the exam is over.
    """
    if role is None or not (can(role, Action.VIEW) or can(role, Action.ANNOTATE)):
        return frozenset()
    if labeling:
        return _while_labeling(role, policy, submitted, purpose)
    if can(role, Action.MANAGE):
        return frozenset(LabelerKind)
    return _MACHINES | _PEOPLE if can(role, Action.VIEW) else _after(submitted)


def _while_labeling(
    role: Role, policy: Policy, submitted: bool, purpose: Purpose
) -> frozenset[LabelerKind]:
    if purpose is Purpose.EXAM or (policy.blind and not submitted):
        return frozenset()
    if purpose is Purpose.GOLD:
        return _MACHINES
    if can(role, Action.VIEW):
        return _MACHINES | _PEOPLE
    return _MACHINES | _ANNOTATORS if submitted and policy.show_people else _MACHINES


def _after(submitted: bool) -> frozenset[LabelerKind]:
    return _MACHINES if submitted else frozenset()
