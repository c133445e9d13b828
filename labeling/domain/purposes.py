"""Why a person's next item is leased: a draw by the policy's shares that nobody can foresee."""

from __future__ import annotations

from labeling.domain.assignments import Purpose
from labeling.domain.hashing import content_hash
from labeling.domain.policy import Policy


def drawn(policy: Policy, person: str, number: int) -> Purpose:
    """Return the purpose of a person's `number`-th item: GOLD, AUDIT or LABEL.

    Over many numbers the shares are the policy's. The same person and number always draw the
    same, so that asking again changes nothing. Gold comes first where the shares exceed 1.
    """
    at = fraction("purpose", person, str(number))
    if at < policy.gold_share:
        return Purpose.GOLD
    return Purpose.AUDIT if at < policy.gold_share + policy.audit_share else Purpose.LABEL


def fraction(*parts: str) -> float:
    """Return a number in [0, 1) that depends on the parts alone."""
    return int(content_hash(parts)[:13], 16) / 16**13
