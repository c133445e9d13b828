"""Choose which samples decode together: equal prompt lengths first, for padding costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Protocol, TypeVar

ALONE = 64
"""Samples of one prompt length that are worth a batch of their own. Padding needs a mask, and with
a mask attention copies its shared heads: half the tokens per second (measured, 0.6 M parameters).
"""


class HasPrompt(Protocol):
    """Anything with the token ids of a prompt."""

    @property
    def prompt(self) -> tuple[int, ...]: ...


Item = TypeVar("Item", bound=HasPrompt)


def batches(items: Iterable[Item], max_rows: int, max_prefill_tokens: int) -> Iterator[list[Item]]:
    """Yield every item once, in batches of at most `max_rows` with like prompts side by side.

    The distinct prompts of a batch, padded, hold at most `max_prefill_tokens` tokens (a single
    longer prompt stands alone).
    """
    ordered = sorted(items, key=lambda item: (len(item.prompt), item.prompt))
    leftover: list[Item] = []
    for _, group in groupby(ordered, key=lambda item: len(item.prompt)):
        same = list(group)
        if len(same) < ALONE:
            leftover.extend(same)
        else:
            yield from _chunks(same, max_rows, max_prefill_tokens)
    yield from _chunks(leftover, max_rows, max_prefill_tokens)


def _chunks(
    ordered: Sequence[Item], max_rows: int, max_prefill_tokens: int
) -> Iterator[list[Item]]:
    chunk: list[Item] = []
    prompts = 0
    for item in ordered:
        new = not chunk or chunk[-1].prompt != item.prompt
        full = len(chunk) == max_rows or len(item.prompt) * (prompts + new) > max_prefill_tokens
        if chunk and full:
            yield chunk
            chunk, prompts, new = [], 0, True
        chunk.append(item)
        prompts += new
    if chunk:
        yield chunk
