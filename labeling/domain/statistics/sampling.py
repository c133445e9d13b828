"""Which consensus solutions are audited: how many of each stratum, and by hash which ones."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from heapq import heappush, heappushpop
from typing import TypeVar

from labeling.domain.hashing import content_hash

Key = TypeVar("Key", bound=Hashable)


def allocate(total: int, sizes: Mapping[Key, int], at_least: int = 0) -> dict[Key, int]:
    """Spread so many audits over strata by their sizes.

    Each non-empty stratum first gets `at_least` (as far as it and the total reach, the largest
    first); the rest follows the sizes by largest remainders. Never more than a stratum holds.
    Ties go to the stratum named first, so equal input gives equal plans.
    """
    given = dict.fromkeys(sizes, 0)
    by_size = sorted(sizes, key=lambda key: -sizes[key])
    for _ in range(at_least):
        for key in by_size:
            if sum(given.values()) < total and given[key] < sizes[key]:
                given[key] += 1
    left = min(total, sum(sizes.values())) - sum(given.values())
    rooms = {key: sizes[key] - given[key] for key in sizes}
    room = sum(rooms.values())
    if left <= 0:
        return given
    exact = {key: left * rooms[key] / room for key in sizes}
    for key, wanted in exact.items():
        given[key] += int(wanted)
    rest = left - sum(int(wanted) for wanted in exact.values())
    for key in sorted(sizes, key=lambda key: int(exact[key]) - exact[key])[:rest]:
        given[key] += 1
    return given


def audit_order(content: str, plan: str) -> int:
    """Return a solution's place in the order of an audit plan, by hash alone.

    The solutions of lowest order in a stratum are a simple random sample of it, whatever the
    labelers said, and a larger sample contains every smaller one: audits are never wasted.
    """
    return int(content_hash(["precision audit", plan, content])[:15], 16)


def chosen(
    solutions: Iterable[tuple[Key, str]], quotas: Mapping[Key, int], plan: str
) -> dict[Key, list[str]]:
    """Return the content hashes to audit: in each stratum the quota of lowest order.

    `solutions`: (stratum, content hash). Quotas count all audits of the stratum, done ones too:
    with a raised quota the done ones come first again.
    """
    lowest: dict[Key, list[tuple[int, str]]] = {key: [] for key in quotas}
    for key, content in solutions:
        if not quotas.get(key):
            continue
        heap, entry = lowest[key], (-audit_order(content, plan), content)
        if len(heap) < quotas[key]:
            heappush(heap, entry)
        else:
            heappushpop(heap, entry)
    return {key: [c for _, c in sorted(heap, reverse=True)] for key, heap in lowest.items()}
