"""Who may do what in a project: a table, nothing else."""

from __future__ import annotations

from enum import StrEnum

from labeling.domain.phrases import Phrase
from labeling.domain.refusals import NotAllowed


class Role(StrEnum):
    """A member's role in one project."""

    OWNER = "owner"
    MANAGER = "manager"
    ADJUDICATOR = "adjudicator"
    ANNOTATOR = "annotator"
    VIEWER = "viewer"
    SERVICE = "service"


class Action(StrEnum):
    """What a member can ask for."""

    VIEW = "view the project"
    ANNOTATE = "label solutions"
    ADJUDICATE = "adjudicate"
    MANAGE = "manage data, runs, snapshots and training"
    ADMINISTER = "manage members and policy"
    EXPORT = "export labels"


_ALLOWED: dict[Role, frozenset[Action]] = {
    Role.OWNER: frozenset(Action),
    Role.MANAGER: frozenset(Action) - {Action.ADMINISTER},
    Role.ADJUDICATOR: frozenset({Action.VIEW, Action.ANNOTATE, Action.ADJUDICATE}),
    Role.ANNOTATOR: frozenset({Action.ANNOTATE}),
    Role.VIEWER: frozenset({Action.VIEW, Action.EXPORT}),
    Role.SERVICE: frozenset({Action.VIEW, Action.MANAGE, Action.EXPORT}),
}


def can(role: Role | None, action: Action) -> bool:
    """Say whether the role permits the action; no role permits nothing."""
    return role is not None and action in _ALLOWED[role]


def check_can(role: Role | None, action: Action) -> None:
    """Raise NotAllowed unless the role permits the action."""
    if not can(role, action):
        who = Phrase("someone outside the project")
        if role:
            who = Phrase("the role {role}", role=Phrase(role))
        raise NotAllowed("{who} may not {action}", who=who, action=Phrase(action))
