"""Prompts that lack about as much are read together, at the least cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hypothesis import given
from hypothesis import strategies as st

from workers.engines.batching import alike

counts = st.lists(st.integers(1, 60), min_size=1, max_size=9).map(lambda x: sorted(x)[::-1])


def cost(unread: Sequence[int], groups: Sequence[range], overhead: int) -> int:
    return sum(overhead + unread[group.start] * len(group) for group in groups)


def splits(count: int) -> Iterator[list[range]]:
    """Every way to cut so many items into consecutive groups."""
    for cuts in range(2 ** (count - 1)):
        ends = [place + 1 for place in range(count - 1) if cuts >> place & 1] + [count]
        yield [range(begin, end) for begin, end in zip([0, *ends], ends, strict=False)]


@given(counts, st.integers(0, 100), st.integers(1, 9))
def test_no_other_split_costs_less(unread: list[int], overhead: int, most: int) -> None:
    groups = alike(unread, overhead, most)
    assert [place for group in groups for place in group] == list(range(len(unread)))
    assert all(1 <= len(group) <= most for group in groups)
    allowed = [split for split in splits(len(unread)) if all(len(g) <= most for g in split)]
    assert cost(unread, groups, overhead) == min(cost(unread, s, overhead) for s in allowed)


def test_a_pass_of_its_own_is_worth_what_it_saves() -> None:
    # Together 4 * 40 tokens and one pass; apart 40 + 3 * 1 tokens and two: 160 + p > 43 + 2 p
    # until a pass costs 117 tokens.
    assert alike([40, 1, 1, 1], 116, 9) == [range(1), range(1, 4)]
    assert alike([40, 1, 1, 1], 118, 9) == [range(4)]
