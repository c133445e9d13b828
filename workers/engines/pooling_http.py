"""One request to a /pooling endpoint: what goes out, and what its answer means."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labeling.domain.engines import Endpoint
from trainer.encoding import Encoded
from workers.engines.connection import Broken, Connection, Response, Unreached
from workers.engines.endpoints import api_key, authorization
from workers.engines.protocol import EngineRefused, EngineUnavailable

_AT_FAULT = (400, 413, 422)
_PASSING = (408, 409, 425, 429)


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A connection to a server, made when first used, and the key that is shown there."""

    connection: Connection
    key: str


def connect(endpoint: Endpoint) -> Line:
    """Return a line to a server; raise EngineUnavailable where the environment has no key."""
    key = api_key(endpoint)
    return Line(Connection(endpoint.root, authorization(key)), key)


def ask(line: Line, model: str, asked: Sequence[Encoded], limit: float) -> Any:
    """Return the JSON answer for some inputs, after `limit` seconds at most.

    Raise EngineRefused where the server says that an input is at fault, EngineUnavailable for
    anything else.
    """
    body = {
        "model": model,
        "input": [item.ids for item in asked],
        # Asked for, a server gives probabilities even where it was started to give logits.
        "use_activation": True,
    }
    try:
        response = line.connection.post("/pooling", json.dumps(body).encode(), limit)
    except (Unreached, Broken) as error:
        raise EngineUnavailable(str(error)) from error
    if response.status != 200:
        raise _failure(response, line.key)
    try:
        return json.loads(response.body)
    except (ValueError, RecursionError) as error:
        raise EngineUnavailable(f"the answer is no JSON: {error!r:.200}") from error


def _failure(response: Response, key: str) -> EngineRefused | EngineUnavailable:
    """Tell a request at fault from a server that cannot serve now or is set up wrongly."""
    status = response.status
    text = response.body.decode(errors="replace")
    if key:  # which a server may repeat in its complaint
        text = text.replace(key, "***")
    said = " ".join(text[:2_000].split())[:300]
    message = f"HTTP {status}: {said}"
    if status in _AT_FAULT:
        return EngineRefused(message)
    if status == 404 and "does not exist" not in said:
        message += " (a PRM's server has /pooling: start it with --runner pooling)"
    # A wrong key, address or model: every request would fail.
    hopeless = 300 <= status < 500 and status not in _PASSING
    return EngineUnavailable(message, retry=not hopeless, wait=_wished(response.headers))


def _wished(headers: Mapping[str, str]) -> float | None:
    wait = headers.get("retry-after", "")
    return float(wait) if wait.isascii() and wait.isdigit() and len(wait) < 10 else None
