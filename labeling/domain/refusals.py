"""The one base of every refusal. Its text is for the user and written once."""

from __future__ import annotations

from labeling.domain.phrases import Spoken


class Refusal(Spoken):
    """A request that the rules forbid. Translated once each: HTML, API, task."""

    status = 409
    code = "refused"


class NotAllowed(Refusal):
    """The actor's role does not permit the action."""

    status = 403
    code = "not_allowed"


class Invalid(Refusal):
    """The input itself is wrong."""

    status = 400
    code = "invalid"
