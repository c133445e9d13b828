"""One server of an engine: how a sample is asked for, and what is under way there.

Everything but `ask` is called with the engine's lock held.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from labeling.domain.engines import Endpoint
from workers.engines.breaker import Breaker
from workers.engines.connection import Broken, Connection, Unreached
from workers.engines.openai_api import Failure, read, written
from workers.engines.protocol import Completion, EngineRefused, EngineUnavailable, Sample

REFUSALS = 32
"""Refusals of one form of prompts, without a single answer, that say: it is set up wrongly."""

KEPT = 4
"""One sample for so many requests at once may wait for the server that knows its prefix while
others are free: for a fraction of a request's time. Simulated with 2 servers of 8 requests and a
caller that takes a tenth of a request's time, 6 % of the prompts' tokens are read needlessly;
without it 43 %, with any server for any sample 84 %. All are as busy: more than so many wait."""

Outcome = Completion | EngineRefused | Failure

Form = tuple[bool, bool]
"""Whether a prompt is a chat, and whether that begins the answer: not every server takes all."""


@dataclass(slots=True, eq=False)
class Server:
    """A place where at most `endpoint.max_concurrency` threads work."""

    place: int
    endpoint: Endpoint
    model: str
    timeout: float
    breaker: Breaker
    bell: threading.Condition
    """What threads without work wait for."""
    threads: list[threading.Thread] = field(default_factory=list)
    idle: int = 0
    woken: int = 0
    """Threads on their way to take a sample each."""
    under_way: set[Connection] = field(default_factory=set)
    """The connections with a request."""
    _answered: set[Form] = field(default_factory=set)
    _refusals: Counter[Form] = field(default_factory=Counter)
    _key: str = ""

    def __post_init__(self) -> None:
        self._key = api_key(self.endpoint)

    def connect(self) -> Connection:
        """Return a thread's connection, to be made when needed."""
        return Connection(self.endpoint.api, authorization(self._key))

    def ask(self, connection: Connection, sample: Sample) -> Outcome:
        """Return what the server makes of a sample."""
        path, body = written(self.model, sample)
        where = f"{self.endpoint.api}{path}"
        try:
            response = connection.post(path, body, self.timeout)
        except Unreached as error:
            return Failure(EngineUnavailable(f"{where}: cannot connect: {error}"), unseen=True)
        except Broken as error:
            return Failure(EngineUnavailable(f"{where}: {error}"))
        if self._key:  # which a server may repeat in its complaint
            response = replace(response, body=response.body.replace(self._key.encode(), b"***"))
        return self._suspecting(_form(sample), read(response, where, sample.stop))

    def free(self, now: float) -> int:
        """Return how many more requests could begin now."""
        unused = self.idle + self.endpoint.max_concurrency - len(self.threads)
        if not unused:
            return 0
        return max(0, min(unused, self.breaker.room(now, len(self.under_way)) - self.woken))

    def keeps(self, now: float) -> int:
        """Return how many samples that it cannot begin yet it keeps from other servers."""
        return self.breaker.room(now, 0) // KEPT

    def ready(self, now: float) -> int:
        """Return how many samples other servers leave to it."""
        return self.woken + self.free(now) + self.keeps(now)

    def load(self) -> float:
        """Return the share of its threads that work or are about to."""
        return (len(self.under_way) + self.woken) / self.endpoint.max_concurrency

    def is_down(self, now: float, patience: float) -> bool:
        """Say whether it only failed for `patience` seconds and nothing is under way there."""
        since = self.breaker.failing_since
        return since is not None and now - since >= patience and not self.under_way

    def abort(self) -> None:
        """End what is under way."""
        for connection in self.under_way:
            connection.abort()

    def _suspecting(self, form: Form, outcome: Outcome) -> Outcome:
        """Return the outcome; but a server that refuses everything is at fault, not the samples."""
        if isinstance(outcome, Completion):
            self._answered.add(form)
        elif isinstance(outcome, EngineRefused) and form not in self._answered:
            self._refusals[form] += 1
            if self._refusals[form] > REFUSALS:
                said = f"the first {REFUSALS} samples were all refused: {outcome}"
                return Failure(EngineUnavailable(said, retry=False), unseen=True)
        return outcome


def _form(sample: Sample) -> Form:
    chat = not isinstance(sample.prompt, str)
    return chat, chat and sample.prompt[-1].role == "assistant"  # type: ignore[union-attr]


def api_key(endpoint: Endpoint) -> str:
    """Return the endpoint's key from the environment; raise EngineUnavailable."""
    if not endpoint.api_key_env:
        return ""
    key = os.environ.get(endpoint.api_key_env, "").strip()
    if not key or not (key.isascii() and key.isprintable()):
        raise EngineUnavailable(
            f"the environment variable {endpoint.api_key_env} holds no API key", retry=False
        )
    return key


def authorization(key: str) -> dict[str, str]:
    """Return the header that shows the key."""
    return {"Authorization": f"Bearer {key}"} if key else {}


def shown(addresses: Sequence[str]) -> str:
    """Return some of the addresses, for a name."""
    more = len(addresses) - 3
    return ", ".join(addresses[:3]) + (f" and {more} more" if more > 0 else "")
