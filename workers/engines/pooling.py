"""A process reward model behind vLLM's /pooling, on one server or several.

Token ids go out, one row per step comes back. Every connection of every server takes the next
batch as soon as it is free, so that a fast server does more; what fails goes back for any of them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from queue import LifoQueue

from labeling.domain.engines import Endpoint
from trainer.encoding import Encoded, EncodingError
from trainer.formats import open_encoder, vllm_flags
from workers.engines.batchwork import BatchWork
from workers.engines.endpoints import shown
from workers.engines.pooling_http import Line, ask, connect
from workers.engines.pooling_options import PoolingOptions
from workers.engines.pooling_rows import read_answer
from workers.engines.protocol import EngineRefused, EngineUnavailable
from workers.engines.retrying import Retrying
from workers.engines.scorers import Solution, StepScores, Values, score_fitting

BATCH = 64
"""Solutions in one request, at most: what is lost when a request fails."""

REST = 30.0
"""Seconds for which a server that failed too often gets no work while others do."""

EXAMPLE: Solution = ("What is 2 + 3?", ("We add 2 and 3.", "2 + 3 = 5.", "So the answer is 5."))
"""Three steps: a chat has two ends of turns before them, which may be taken for two steps."""


class _Server:
    def __init__(self, endpoint: Endpoint) -> None:
        self.address, self.rests_until = endpoint.root, 0.0
        self.lines = [connect(endpoint) for _ in range(endpoint.max_concurrency)]
        self._free: LifoQueue[Line] = LifoQueue()
        for line in self.lines:
            self._free.put(line)

    @contextmanager
    def line(self, held: set[Line]) -> Iterator[Line]:
        """Wait for a free line, which stands in `held` meanwhile."""
        line = self._free.get()
        line.connection.begin()
        held.add(line)
        try:
            yield line
        finally:
            held.discard(line)
            self._free.put(line)


class PoolingScorer:
    """See workers.engines.scorers.StepScorer. Two calls share the lines to the servers."""

    calls = 2

    def __init__(
        self, model: str, form: str, options: PoolingOptions, retrying: Retrying | None = None
    ) -> None:
        """Load the tokenizer; connect when asked. `form` is a name of trainer.formats.

        Raise EngineUnavailable where the format or the tokenizer does not fit.
        """
        try:
            self.encoder = open_encoder(form, options.tokenizer, options.max_length)
        except EncodingError as error:
            raise EngineUnavailable(f"cannot ask {model}: {error}", retry=False) from error
        self.name = f"pooling:{model}@{shown([place.root for place in options.endpoints])}"
        self._model, self._options = model, options
        self.flags = vllm_flags(self.encoder, form)
        self.retrying = retrying or Retrying()
        self._servers = [_Server(endpoint) for endpoint in options.endpoints]

    def score_many(self, solutions: Sequence[Solution]) -> list[StepScores | EngineRefused]:
        """See workers.engines.scorers.StepScorer."""
        return score_fitting(self.encoder, solutions, self._ask)

    def close(self) -> None:
        """Close the connections."""
        for server in self._servers:
            for line in server.lines:
                line.connection.close()

    def _ask(self, asked: Sequence[Encoded]) -> list[Values]:
        now = time.monotonic()
        servers = [s for s in self._servers if s.rests_until <= now] or self._servers
        batches = list(_batches(asked, self._options.batch_tokens))
        places = [server for server in servers for _ in server.lines[: len(batches)]]
        work: BatchWork[Values] = BatchWork(batches, len(places))
        held: set[Line] = set()
        with ThreadPoolExecutor(len(places)) as pool:
            try:
                for server in places:
                    pool.submit(_Hand(self, server, work, asked, held).lend)
                return work.results()
            except BaseException as error:
                work.fail(error)
                for line in list(held):  # wait for nobody
                    line.connection.abort()
                raise

    def post(self, asked: Sequence[Encoded], address: str, line: Line) -> list[Values]:
        """Return what a server makes of some inputs; raise EngineRefused, EngineUnavailable."""
        where = f"{address}/pooling"
        try:
            answer = ask(line, self._model, asked, self._options.timeout)
            return read_answer(answer, asked, self.flags)
        except EngineRefused as error:
            raise EngineRefused(f"{where}: {error}") from error
        except EngineUnavailable as error:
            words = f"{where}: {error}"
            raise EngineUnavailable(words, retry=error.retry, wait=error.wait) from error


@dataclass(frozen=True, slots=True)
class _Hand:
    """A thread's part in one call."""

    scorer: PoolingScorer
    server: _Server
    work: BatchWork[Values]
    asked: Sequence[Encoded]
    held: set[Line]
    """The lines that this call uses just now."""

    def lend(self) -> None:
        """Work on batches until there are none, or the server failed too often."""
        failures, retrying = 0, self.scorer.retrying
        while (batch := self.work.take()) is not None:
            try:
                self._settle(batch)
                failures = 0
            except EngineUnavailable as error:
                self.work.put_back(batch)
                failures += 1
                if not error.retry:  # set up wrongly, and the others may be as well
                    return self.work.fail(error)
                if failures >= retrying.attempts:
                    self.server.rests_until = time.monotonic() + REST
                    return self.work.leave(error)
                self.work.pause(retrying.wait(failures, error.wait))
            except BaseException as error:
                return self.work.fail(error)
        return None

    def _settle(self, batch: range) -> None:
        """Note what the server makes of a batch; one that it refuses is halved to find out why."""
        try:
            values = self._post([self.asked[index] for index in batch])
        except EngineRefused as error:
            if len(batch) > 1:
                half = len(batch) // 2
                return self.work.put_back(batch[:half], batch[half:])
            self._try_example()
            values = [error]
        return self.work.settle(batch, values)

    def _try_example(self) -> None:
        """Raise EngineUnavailable where no solution is at fault: the server refuses any."""
        try:
            self._post(self.scorer.encoder.encode_many([EXAMPLE]))
        except EngineRefused as error:
            words = f"{error}; start it with {self.scorer.flags}"
            raise EngineUnavailable(words, retry=False) from error

    def _post(self, asked: Sequence[Encoded]) -> list[Values]:
        with self.server.line(self.held) as line:
            return self.scorer.post(asked, self.server.address, line)


def _batches(asked: Sequence[Encoded], max_tokens: int) -> Iterator[range]:
    """Yield neighbors of at most `max_tokens` tokens together; a longer input stands alone."""
    begin = tokens = 0
    for index, item in enumerate(asked):
        full = index - begin == BATCH or tokens + len(item.ids) > max_tokens
        if index > begin and full:
            yield range(begin, index)
            begin, tokens = index, 0
        tokens += len(item.ids)
    if begin < len(asked):
        yield range(begin, len(asked))
