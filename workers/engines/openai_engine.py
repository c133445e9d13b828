"""OpenAI-compatible servers over HTTP, one or many: `vllm serve`, or any provider.

Each server has threads that take the next sample from a shared pool, so that servers of different
speed balance themselves (workers.engines.crew, workers.engines.pool).
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence

from labeling.domain.engines import Endpoint
from workers.engines.breaker import Breaker
from workers.engines.crew import Crew
from workers.engines.endpoints import Outcome, Server, shown
from workers.engines.openai_api import Failure
from workers.engines.pool import Job
from workers.engines.protocol import Answer, Completion, EngineRefused, EngineUnavailable, Sample
from workers.engines.retrying import Retrying

RESERVE = 1.25
"""Samples in flight per request under way: no thread idles while the caller thinks."""

Done = tuple[Sample, Answer]


class OpenAIEngine:
    """Completes prompts through /v1/completions (texts) and /v1/chat/completions (chats).

    Every sample is its own request with its own seed. A server that ignores seeds or
    `continue_final_message` (a vLLM extension that chats ending with the assistant need) still
    answers, but not reproducibly.
    """

    def __init__(
        self,
        endpoints: str | Sequence[Endpoint],
        model: str,
        *,
        timeout: float = 300.0,
        patience: float = 60.0,
        retrying: Retrying | None = None,
    ) -> None:
        """Connect lazily to one server's address, or to several servers.

        `timeout` is seconds per request. After `patience` seconds without any server that answers
        the samples in flight are given up.
        """
        given = (Endpoint(endpoints),) if isinstance(endpoints, str) else tuple(endpoints)
        self.name = f"openai:{model}@{shown([endpoint.root for endpoint in given])}"
        self.slots = math.ceil(RESERVE * sum(endpoint.max_concurrency for endpoint in given))
        self._patience, self._retrying = patience, retrying or Retrying()
        # One lock for all below; it is held for microseconds, never while a server is asked.
        self._lock = threading.Lock()
        self._news = threading.Condition(self._lock)
        self._servers = [
            Server(
                place=place,
                endpoint=endpoint,
                model=model,
                timeout=timeout,
                breaker=Breaker(endpoint.max_concurrency, self._retrying),
                bell=threading.Condition(self._lock),
            )
            for place, endpoint in enumerate(given)
        ]
        self._crew = Crew(self._servers, self._lock, self._settle)
        self._resting: list[tuple[float, Job]] = []
        self._done: list[Done] = []
        self._in_flight = self._answered = 0
        self._broken: Exception | None = None

    def submit(self, samples: Sequence[Sample]) -> None:
        """See workers.engines.protocol."""
        with self._lock:
            self._in_flight += len(samples)
            self._crew.put([Job(sample, answered=self._answered) for sample in samples])

    def finished(self, wait: float) -> list[Done]:
        """See workers.engines.protocol."""
        end = time.monotonic() + wait
        with self._lock:
            while True:
                now = time.monotonic()
                self._tick(now)
                if self._done or not self._in_flight or now >= end:
                    done, self._done = self._done, []
                    self._in_flight -= len(done)
                    return done
                self._news.wait(min(end, self._next_event(now)) - now)

    def cancel(self) -> None:
        """Give up all samples in flight; servers see their connections end."""
        with self._lock:
            self._give_up()

    def close(self) -> None:
        """End the threads with their connections."""
        with self._lock:
            self._give_up()
            threads = self._crew.close()
        end = time.monotonic() + 2  # one may still be connecting
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))

    # The rest runs with the lock held.

    def _tick(self, now: float) -> None:
        """Do what time brings: samples have rested, servers may be asked again, patience ends."""
        ripe = [job for at, job in self._resting if at <= now]
        if ripe:
            self._resting = [(at, job) for at, job in self._resting if at > now]
        self._crew.put(ripe)
        failure = self._broken or self._despair(now)
        if failure and not self._done:
            self._give_up()
            raise failure

    def _next_event(self, now: float) -> float:
        """Return when time brings something next."""
        times = [at for at, _ in self._resting]
        for breaker in (server.breaker for server in self._servers):
            times.append(breaker.next_try)
            if breaker.failing_since is not None:
                times.append(breaker.failing_since + self._patience)
        return min((at for at in times if at > now), default=math.inf)

    def _despair(self, now: float) -> EngineUnavailable | None:
        """Return why no server answers, if none does for too long or ever will."""
        hopeless = all(server.breaker.hopeless for server in self._servers)
        down = hopeless or all(server.is_down(now, self._patience) for server in self._servers)
        if not self._in_flight or not down:
            return None
        errors = [error for server in self._servers if (error := server.breaker.error)]
        waits = [error.wait for error in errors if error.wait is not None]
        return EngineUnavailable(
            "; ".join(map(str, errors)), retry=not hopeless, wait=min(waits, default=None)
        )

    def _give_up(self) -> None:
        self._crew.give_up()
        self._resting, self._done, self._in_flight, self._broken = [], [], 0, None
        for server in self._servers:
            server.breaker.forget()

    def _settle(self, server: Server, job: Job, outcome: Outcome | Exception, probe: bool) -> None:
        """Note what became of a sample, in the thread that asked for it."""
        now = time.monotonic()
        match outcome:
            case Failure():
                server.breaker.failed(now, outcome.error, probe=probe, overload=outcome.overload)
                self._bring_back(job, outcome, now)
            case Completion() | EngineRefused():
                server.breaker.succeeded(probe)
                self._answered += 1
                self._done.append((job.sample, outcome))
            case _:
                self._broken = outcome
        self._news.notify()

    def _bring_back(self, job: Job, failure: Failure, now: float) -> None:
        """Let a sample wait for another try; one that fails while others succeed is refused."""
        if not failure.unseen and self._answered > job.answered:
            job.strikes, job.answered = job.strikes + 1, self._answered
        if job.strikes >= self._retrying.attempts:
            said = f"failed {job.strikes} times while others were answered: {failure.error}"
            self._done.append((job.sample, EngineRefused(said)))
        elif failure.unseen:
            self._crew.put([job])
        else:
            self._resting.append((now + self._retrying.wait(max(1, job.strikes)), job))
            self._crew.rouse(now)  # its server's other samples may be free for all by now
