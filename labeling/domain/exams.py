"""Where a person stands in the screening exam: a rule over counts."""

from __future__ import annotations

from dataclasses import dataclass

_ROUNDING = 1e-9
"""A share such as 0.55 of 20 is not exactly 11 in floating point."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Counts of exam items: asked for, answered (submitted or skipped), with a right first error.

    `pass_share`: the share of right ones, 0..1, that passes. Nothing asked for is passed.
    """

    required: int
    answered: int
    right: int
    pass_share: float
    given: int = 0
    """Items that were leased to the person, answered or not."""

    @property
    def over(self) -> bool:
        """Whether all items are answered."""
        return self.answered >= self.required

    @property
    def passed(self) -> bool:
        """Whether the person may label."""
        return self.over and self.right >= self.pass_share * self.required - _ROUNDING

    @property
    def failed(self) -> bool:
        """Whether the exam is over without being passed."""
        return self.over and not self.passed

    @property
    def left(self) -> int:
        """How many items are still to be answered."""
        return max(0, self.required - self.answered)
