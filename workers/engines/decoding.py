"""Draw the texts of many samples together; a row joins whenever another one has ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from workers.engines.batching import alike
from workers.engines.prefixes import Tokens
from workers.engines.protocol import Sample
from workers.engines.sampling import draw, uniforms
from workers.engines.states import States

SHARE = 8
"""Rows leave and join once they are one in so many: moving them costs time as well."""
PATIENCE = 4
"""Steps after which rows join however few they are."""


@dataclass(slots=True, eq=False)
class Row:
    """One sample to decode, and what has been drawn."""

    sample: Sample
    prompt: Tokens
    may_end: frozenset[int] = frozenset()
    """Tokens after which it is worth asking whether a stop string has come."""
    tokens: list[int] = field(default_factory=list)
    stopped: bool = False
    over: bool = False

    @property
    def longest(self) -> int:
        """The most tokens that prompt and text can have."""
        return len(self.prompt) + self.sample.max_tokens


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is done at once; `overhead` is a pass's cost in tokens however little it reads."""

    rows: int
    prefill_tokens: int
    overhead: int


class Batch:
    """The rows that decode in step. `ends` are the model's end tokens."""

    def __init__(
        self,
        states: States,
        ends: frozenset[int],
        says_stop: Callable[[Row], bool],
        limits: Limits,
    ) -> None:
        self._states, self._ends, self._says_stop, self._limits = states, ends, says_stop, limits
        self.waiting: deque[Row] = deque()
        self.clear()

    def clear(self) -> None:
        """Let all rows go."""
        self.waiting.clear()
        self._states.clear()
        self._rows: list[Row] = []
        self._live = self._waited = 0

    def shrink(self) -> int:
        """Let all rows go and hold at most half as many from now on; return how many."""
        rows = max(1, min(self._limits.rows, len(self._rows)) // 2)
        self._limits = replace(self._limits, rows=rows)
        self.clear()
        return rows

    @torch.inference_mode()
    def step(self) -> list[Row]:
        """Let waiting rows join and draw a token for every row; return those that ended."""
        ended: list[Row] = []
        if not self._live:
            self._rows = []
            self._states.clear()
        for rows in self._joining():
            places = self._seat(rows)
            logits = self._states.join([row.prompt for row in rows], places)
            ended += self._hear(places, self._draw(rows, logits))
        self._leave()
        if self._live:
            logits = self._states.feed([row.tokens[-1] for row in self._rows])
            ended += self._hear(range(len(self._rows)), self._draw(self._rows, logits))
        return ended

    def _joining(self) -> Iterator[list[Row]]:
        """Yield groups of waiting rows that join now."""
        room = self._limits.rows - self._live
        self._waited += 1
        if not room or not self.waiting or (self._live and not self._states.joinable):
            return
        if min(room, len(self.waiting)) * SHARE < self._live and self._waited < PATIENCE:
            return
        self._waited = 0
        rows = self._taken(room)
        if rows and not self._states.joinable:
            yield rows
        elif rows:
            yield from self._alike(rows)

    def _alike(self, rows: Sequence[Row]) -> Iterator[list[Row]]:
        """Yield groups of rows that read about as many tokens."""
        unread = self._unread(rows)
        prompts = sorted(unread, key=lambda prompt: -unread[prompt])
        most = max(1, self._limits.prefill_tokens // max(map(len, prompts)))
        for group in alike([unread[prompt] for prompt in prompts], self._limits.overhead, most):
            chosen = set(prompts[group.start : group.stop])
            yield [row for row in rows if row.prompt in chosen]

    def _unread(self, rows: Sequence[Row]) -> dict[Tokens, int]:
        """Return how much of each prompt must be read, once those that must read more were."""
        prompts = sorted({row.prompt for row in rows})
        unread = {prompt: self._states.unread(prompt) for prompt in prompts}
        for prompt, after in pairwise(prompts):
            if after[: len(prompt)] == prompt:
                unread[prompt] = 1
        return unread

    def _seat(self, rows: Sequence[Row]) -> list[int]:
        """Seat rows where others have ended, and behind all; return their places."""
        free = [place for place, row in enumerate(self._rows) if row.over][: len(rows)]
        places = free + list(range(len(self._rows), len(self._rows) + len(rows) - len(free)))
        self._rows += rows[len(free) :]
        for place, row in zip(free, rows, strict=False):
            self._rows[place] = row
        self._live += len(rows)
        return places

    def _leave(self) -> None:
        """Let the rows that are over leave, once they are many; the last ones take their places."""
        gone = len(self._rows) - self._live
        if gone * SHARE < len(self._rows) or not self._live:
            return
        last = (place for place in range(self._live, len(self._rows)) if not self._rows[place].over)
        kept = [next(last) if self._rows[place].over else place for place in range(self._live)]
        self._states.keep(kept)
        self._rows = [self._rows[place] for place in kept]

    def _taken(self, room: int) -> list[Row]:
        """Take the rows that have waited longest, as many as memory holds."""
        rows: list[Row] = []
        longest = max((row.longest for row in self._rows if not row.over), default=0)
        prompt = 0
        while self.waiting and len(rows) < room:
            row = self.waiting[0]
            count = self._live + len(rows) + 1
            prompt, longest = max(prompt, len(row.prompt)), max(longest, row.longest)
            if count > 1 and not self._states.holds(count, prompt, longest):
                break
            rows.append(self.waiting.popleft())
        return rows

    def _draw(self, rows: Sequence[Row], logits: Tensor) -> list[int]:
        exact = logits.to(torch.promote_types(logits.dtype, torch.float32))
        seeds = np.array([row.sample.seed % 2**64 for row in rows], dtype=np.uint64)
        drawn = np.array([len(row.tokens) for row in rows], dtype=np.uint64)
        uniform = torch.from_numpy(uniforms(seeds, drawn)).to(exact.device)
        temperature = exact.new_tensor([row.sample.temperature for row in rows])
        tokens: list[int] = draw(exact, uniform, temperature).tolist()
        return tokens

    def _hear(self, places: Sequence[int], tokens: Sequence[int]) -> list[Row]:
        """Append each place's token to its row; return the rows that it ended."""
        ended = []
        for place, token in zip(places, tokens, strict=True):
            row = self._rows[place]
            if row.over:
                continue
            row.tokens.append(token)
            row.stopped = token in self._ends or (token in row.may_end and self._says_stop(row))
            row.over = row.stopped or len(row.tokens) == row.sample.max_tokens
            if row.over:
                ended.append(place)
        if ended:
            self._states.finish(ended)
            self._live -= len(ended)
        return [self._rows[place] for place in ended]
