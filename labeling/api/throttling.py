"""How many requests one token and one address may make, counted by all web processes together."""

from __future__ import annotations

import time
from hashlib import blake2b
from typing import Any

from django.conf import settings
from django.core.cache import caches
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from labeling.models import ApiToken
from labeling.selectors.callers import address_of

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Counted(BaseThrottle):
    """Count in windows of fixed length; a subclass says whom and how many."""

    _left = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:  # noqa: ARG002
        """Count the request; say whether it is within the rate.

        With Redis away nothing is counted: labels are worth more than a limit.
        """
        most, period = self.rate()
        window, passed = divmod(time.time(), period)
        self._left = period - passed
        who = blake2b(self.whom(request).encode(), digest_size=16).hexdigest()
        try:
            return _count(f"{who}.{int(window)}", period) <= most
        except (RedisError, OSError):
            return True

    def wait(self) -> float:
        """Return the seconds until the window ends: what Retry-After says."""
        return self._left

    def rate(self) -> tuple[int, int]:
        """Return how many requests in how many seconds."""
        raise NotImplementedError

    def whom(self, request: Request) -> str:
        """Return who is counted."""
        raise NotImplementedError


class OfToken(Counted):
    """One token; one person, where the browser's session calls."""

    def rate(self) -> tuple[int, int]:
        """Return API_RATE."""
        return _rate(settings.API_RATE)

    def whom(self, request: Request) -> str:
        """Return the token, or the person."""
        if isinstance(request.auth, ApiToken):
            return f"token {request.auth.pk}"
        return f"user {request.user.pk} {address_of(request)}"


class OfAddress(Counted):
    """One address, before anybody looks at its token: guesses count as well."""

    def rate(self) -> tuple[int, int]:
        """Return API_ADDRESS_RATE."""
        return _rate(settings.API_ADDRESS_RATE)

    def whom(self, request: Request) -> str:
        """Return the address."""
        return f"address {address_of(request)}"


def _count(key: str, period: int) -> int:
    counts = caches["counts"]
    if counts.add(key, 1, timeout=period):
        return 1
    try:
        return int(counts.incr(key))
    except ValueError:  # the window ended between the two lines
        return 1


def _rate(text: str) -> tuple[int, int]:
    number, _, period = text.partition("/")
    return int(number), _SECONDS[period.strip()[0]]
