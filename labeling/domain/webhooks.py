"""What webhooks tell, how they are signed, when they are tried again.

The form is that of https://www.standardwebhooks.com, so that its libraries verify it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from urllib.parse import SplitResult, urlsplit

from labeling.domain.addresses import is_public
from labeling.domain.phrases import marked
from labeling.domain.refusals import Invalid


class Hook(StrEnum):
    """What a webhook can be told."""

    RUN_FINISHED = "run.finished"
    SNAPSHOT_FROZEN = "snapshot.frozen"
    MODEL_PROMOTED = "model.promoted"
    PING = "ping"

    @property
    def words(self) -> str:
        """Return the event in words."""
        return _WORDS[self]


_WORDS = {
    Hook.RUN_FINISHED: marked("a run is done, failed or cancelled"),
    Hook.SNAPSHOT_FROZEN: marked("a snapshot is frozen"),
    Hook.MODEL_PROMOTED: marked("a reward model is promoted"),
    Hook.PING: marked("a test"),
}
CHOSEN = (Hook.RUN_FINISHED, Hook.SNAPSHOT_FROZEN, Hook.MODEL_PROMOTED)
"""What one can ask for; a test is sent on request."""

_SUBJECTS: Mapping[str, tuple[Hook, str, Mapping[str, Any]]] = MappingProxyType(
    {
        "run done": (Hook.RUN_FINISHED, "run", {"state": "done"}),
        "run failed": (Hook.RUN_FINISHED, "run", {"state": "failed"}),
        "run cancelled": (Hook.RUN_FINISHED, "run", {"state": "cancelled"}),
        "snapshot frozen": (Hook.SNAPSHOT_FROZEN, "snapshot", {}),
        "PRM promoted": (Hook.MODEL_PROMOTED, "model", {}),
    }
)
"""By an audit event's action: what is told, what its subject is, what else is known."""

_TOLD = ("reason", "content_hash", "f1", "requested_as")
"""What of an audit event's details is told."""

WAITS = (10, 60, 300, 1800, 7200, 21_600, 43_200)
"""Seconds before each further attempt: the last one comes after 21 hours."""

ATTEMPTS = len(WAITS) + 1

URL_LIMIT = 500


def told(
    action: str, subject: str, details: Mapping[str, Any]
) -> tuple[Hook, dict[str, Any]] | None:
    """Return what an audit event tells webhooks, and its data; None: nothing."""
    if action not in _SUBJECTS:
        return None
    hook, name, known = _SUBJECTS[action]
    more = {key: details[key] for key in _TOLD if details.get(key) is not None}
    return hook, {name: subject, **known, **more}


def signature(secret: str, uid: str, timestamp: int, body: str) -> str:
    """Return "v1,…": HMAC-SHA256 over "id.timestamp.body", base64; the secret is "whsec_…"."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{uid}.{timestamp}.{body}".encode()
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def wait_after(attempts: int) -> int | None:
    """Return the seconds from so many failed attempts to the next; None: that was the last."""
    return WAITS[attempts - 1] if attempts < ATTEMPTS else None


def split_url(url: str, private: frozenset[str]) -> SplitResult:
    """Return the parts of an address that may be asked; raise Invalid.

    `private`: names of hosts that the operator allows although they are not public. What a name
    leads to is looked at when it is asked (workers.posting).
    """
    if len(url) > URL_LIMIT or not url.isascii() or not url.isprintable() or " " in url:
        raise Invalid("url: at most {limit} plain ASCII characters are expected", limit=URL_LIMIT)
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise Invalid("url: this is no address") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Invalid("url: an address that begins with https:// or http:// is expected")
    if parts.username or parts.password or parts.fragment:
        raise Invalid("url: without a name, a password or a # part")
    host = parts.hostname.lower()
    numeric = host.replace(".", "").isdecimal() or ":" in host
    closed = host == "localhost" or (numeric and not is_public(host))
    if closed and host not in private:
        raise Invalid("url: {host} is no public address", host=host)
    return parts
