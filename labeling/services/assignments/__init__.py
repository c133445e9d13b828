"""Hand solutions to people: lease, draft, submit, correct, skip, reject.

A person has at most one open item per project and one leased ahead of it. Whoever adds an open item
locks the person's membership first (leases.turn): two tabs take turns. Rows are locked in the
order membership, current item, item ahead, solution, decision.
"""

from labeling.services.assignments.drafting import StaleDraft, save_draft
from labeling.services.assignments.leases import NotCurrent, lease_ahead, lease_next, release
from labeling.services.assignments.places import Taken
from labeling.services.assignments.rows import Closed
from labeling.services.assignments.skips import NotSkipped, skip, unskip
from labeling.services.assignments.submissions import (
    Incomplete,
    correct,
    reject,
    see_evidence,
    submit,
)

__all__ = [
    "Closed",
    "Incomplete",
    "NotCurrent",
    "NotSkipped",
    "StaleDraft",
    "Taken",
    "correct",
    "lease_ahead",
    "lease_next",
    "reject",
    "release",
    "save_draft",
    "see_evidence",
    "skip",
    "submit",
    "unskip",
]
