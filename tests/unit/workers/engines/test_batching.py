"""Every sample is decoded once, in batches within their limits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from workers.engines.batching import ALONE, batches


@dataclass(frozen=True)
class Item:
    prompt: tuple[int, ...]
    name: int


items = st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=4), max_size=120).map(
    lambda prompts: [Item(tuple(prompt), name) for name, prompt in enumerate(prompts)]
)


@given(items, st.integers(1, 50), st.integers(1, 40))
def test_every_item_comes_once_and_the_limits_hold(
    given_items: list[Item], max_rows: int, max_prefill: int
) -> None:
    made = list(batches(given_items, max_rows, max_prefill))
    assert Counter(item for batch in made for item in batch) == Counter(given_items)
    for batch in made:
        prompts = {item.prompt for item in batch}
        assert 1 <= len(batch) <= max_rows
        assert len(prompts) == 1 or max(map(len, prompts)) * len(prompts) <= max_prefill


def test_many_prompts_of_one_length_are_not_padded() -> None:
    short = [Item((0,), name) for name in range(ALONE)]
    long = [Item((0, 1), name) for name in range(ALONE)]
    rest = [Item((0, 1, 0), 0), Item((0, 1, 0, 1), 0)]
    assert [len(batch) for batch in batches([*long, *rest, *short], 1000, 1000)] == [
        ALONE,
        ALONE,
        2,
    ]


def test_samples_of_one_prompt_stay_together() -> None:
    mixed = [Item((name % 2,), name) for name in range(10)]
    (batch,) = batches(mixed, 1000, 1000)
    assert [item.prompt[0] for item in batch] == [0] * 5 + [1] * 5
