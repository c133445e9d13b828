"""What OpenAI-compatible servers say of themselves: models, context, cache counters."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from labeling.domain.engines import Endpoint
from workers.engines.connection import Broken, Connection, Response, Unreached
from workers.engines.endpoints import api_key, authorization
from workers.engines.findings import Finding, bad, note, ok
from workers.engines.openai_api import said
from workers.engines.protocol import EngineUnavailable

SECONDS = 15.0
_START = "Start it, or correct its url (`manage.py engine add` again changes the engine)."


@dataclass(slots=True)
class Served:
    """One server's own words; `context` is in tokens, None where it does not say."""

    endpoint: Endpoint
    reached: bool = False
    context: int | None = None
    models: list[str] = field(default_factory=list)

    def look(self, model: str) -> Iterator[Finding]:
        """Ask for the list of models; yield what that says."""
        where = self.endpoint.root
        check = f"reachable: {where}"
        try:
            response = _get(self.endpoint, self.endpoint.api, "/models")
        except EngineUnavailable as error:
            yield bad(check, str(error), "Set that variable where the workers run.")
        except Unreached as error:
            yield bad(check, f"no connection: {error}", _START)
        except Broken as error:
            yield bad(check, f"it is there, but does not answer: {error}", _START)
        else:
            yield from self._read(response, check, model)

    def _read(self, response: Response, check: str, model: str) -> Iterator[Finding]:
        if response.status in (401, 403):
            advice = "Set api_key_env to the variable that holds its key, and check the key."
            yield bad(check, f"it wants another key ({said(response)})", advice)
            return
        self.reached = response.status < 500
        if not self.reached:
            yield bad(check, said(response), "See the server's log; restart it.")
            return
        yield ok(check, "it answers")
        yield self._find(response, model)

    def _find(self, response: Response, model: str) -> Finding:
        check = f"model: {self.endpoint.root}"
        try:
            rows = json.loads(response.body)["data"]
            self.models = [str(row["id"]) for row in rows]
        except (ValueError, LookupError, TypeError, RecursionError):
            return note(check, "it has no list of models", "Whether it knows the name shows below.")
        for row in rows:
            if row["id"] == model and isinstance(row.get("max_model_len"), int):
                self.context = row["max_model_len"]
        if model in self.models:
            room = f", {self.context} tokens of context" if self.context else ""
            return ok(check, f"it serves {model}{room}", **_context(self.context))
        return bad(
            check,
            f"it does not serve {model}, but {', '.join(self.models[:5]) or 'nothing'}",
            "Give the engine one of these names as its model.",
        )


def cached_tokens(endpoints: Sequence[Endpoint]) -> tuple[float, float] | None:
    """Return the tokens that vLLM servers looked up in their prefix caches and found there.

    None where one of them does not say.
    """
    sums = [0.0, 0.0]
    for endpoint in endpoints:
        try:
            response = _get(endpoint, endpoint.root, "/metrics")
        except (EngineUnavailable, Unreached, Broken):
            return None
        text = response.body.decode(errors="replace") if response.status == 200 else ""
        for place, name in enumerate(("queries", "hits")):
            found = re.findall(
                rf"^vllm:prefix_cache_{name}(?:_total)?(?:{{.*}})? (\S+)$", text, re.M
            )
            if not found:
                return None
            sums[place] += sum(map(float, found))
    return sums[0], sums[1]


def _get(endpoint: Endpoint, address: str, path: str) -> Response:
    connection = Connection(address, authorization(api_key(endpoint)))
    try:
        return connection.get(path, SECONDS)
    finally:
        connection.close()


def _context(tokens: int | None) -> dict[str, float]:
    return {"context": tokens} if tokens else {}
