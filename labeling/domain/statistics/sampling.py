"""Which consensus solutions of each stratum are audited: by hash."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from heapq import heappush, heappushpop
from typing import TypeVar

from labeling.domain.hashing import content_hash

Key = TypeVar("Key", bound=Hashable)


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
