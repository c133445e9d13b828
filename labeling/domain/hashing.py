"""Content hashes and the split by problem that follows from them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any


def content_hash(parts: Iterable[str]) -> str:
    """Return 32 hex digits over the parts; their borders count."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()


def config_hash(config: Mapping[str, Any]) -> str:
    """Return 32 hex digits over a JSON configuration, whatever the order of its keys."""
    return content_hash([json.dumps(config, sort_keys=True, ensure_ascii=True)])


def split_of(problem_hash: str, test_share: float) -> str:
    """Return "test" for the given share of problems, "train" for the rest, by hash alone.

    Depends on nothing but the problem, so a problem never changes sides and all its solutions
    stand on one side.
    """
    fraction = int(content_hash(["split", problem_hash])[:8], 16) / 16**8
    return "test" if fraction < test_share else "train"
