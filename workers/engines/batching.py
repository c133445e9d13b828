"""Choose which prompts are read in one pass: such that lack about as many tokens each."""

from __future__ import annotations

from collections.abc import Sequence


def alike(unread: Sequence[int], overhead: int, most: int) -> list[range]:
    """Split prompts, ordered by falling numbers of unread tokens, at the least cost.

    Every prompt of a group costs as many tokens as the group's first one reads, and a group
    `overhead` tokens more: what a pass costs however little it reads. At most `most` prompts are
    one group. Return the groups' places in the given order.
    """
    costs, begins = [0], [0]
    for end in range(1, len(unread) + 1):
        cost, begin = min(
            (costs[begin] + overhead + unread[begin] * (end - begin), begin)
            for begin in range(max(0, end - most), end)
        )
        costs.append(cost)
        begins.append(begin)
    groups, end = [], len(unread)
    while end:
        groups.append(range(begins[end], end))
        end = begins[end]
    return groups[::-1]
