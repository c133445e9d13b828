"""Keys and values of prompts that were read, found again by the tokens that prompts begin with."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor

Tokens = tuple[int, ...]


class Prefixes:
    """The prompts used last, at most `limit` bytes of keys and values; 0 keeps none.

    One tensor per prompt, its tokens in the last dimension but one. A prompt that begins another
    one is not kept beside it: the longer one's keys and values say the same.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes = 0
        self._kept: OrderedDict[Tokens, Tensor] = OrderedDict()
        self._sorted: list[Tokens] = []
        """In order, so that what shares most with a prompt stands beside the prompt's place."""

    def find(self, prompt: Tokens) -> tuple[int, Tensor | None]:
        """Return how many first tokens are known, and the tensor that begins with them."""
        shared, kept = max(
            ((_shared(prompt, kept), kept) for kept in self._beside(prompt)), default=(0, ())
        )
        if not shared:
            return 0, None
        self._kept.move_to_end(kept)
        return shared, self._kept[kept]

    def keep(self, prompt: Tokens, states: Tensor) -> None:
        """Copy a prompt's keys and values, unless they are known."""
        size = states.numel() * states.element_size()
        if size > self._limit:
            return
        for kept in self._beside(prompt):
            shared = _shared(prompt, kept)
            if shared == len(prompt):
                return
            if shared == len(kept):
                self._forget(kept)
        self._kept[prompt] = states.clone()
        insort(self._sorted, prompt)
        self._bytes += size
        while self._bytes > self._limit:
            self._forget(next(iter(self._kept)))

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._sorted.clear()
        self._bytes = 0

    def _beside(self, prompt: Tokens) -> Sequence[Tokens]:
        place = bisect_left(self._sorted, prompt)
        return self._sorted[max(place - 1, 0) : place + 1]

    def _forget(self, prompt: Tokens) -> None:
        states = self._kept.pop(prompt)
        del self._sorted[bisect_left(self._sorted, prompt)]
        self._bytes -= states.numel() * states.element_size()


def _shared(one: Tokens, other: Tokens) -> int:
    """Return how many first tokens are equal."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
