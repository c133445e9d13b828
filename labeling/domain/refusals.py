"""The one base of every refusal. Its text is for the user and written once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labeling.domain.phrases import Spoken


class Refusal(Spoken):
    """A request that the rules forbid. Translated once each: HTML, API, task.

    `details` are JSON-ready values that let the asker mend the request.
    """

    status = 409
    code = "refused"
    details: Mapping[str, Any] = {}


class NotAllowed(Refusal):
    """The actor's role does not permit the action."""

    status = 403
    code = "not_allowed"


class NotFound(Refusal):
    """There is no such thing, or not for the actor: which of both is not told."""

    status = 404
    code = "not_found"


class Invalid(Refusal):
    """The input itself is wrong."""

    status = 400
    code = "invalid"
