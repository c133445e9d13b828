"""Content hashes and the split by problem that follows from them."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from operator import add
from typing import Any

_pack_length = struct.Struct("!i").pack
_LEFT = bytes(4)
"""Lengths are hashed as eight bytes, of which the left four are always 0."""


def framed(parts: Iterable[str]) -> list[bytes]:
    """Return each part in UTF-8 after its length in four bytes: what hash_of takes."""
    texts = [*map(str.encode, parts)]
    return [*map(add, map(_pack_length, map(len, texts)), texts)]


def hash_of(frames: Iterable[bytes]) -> str:
    """Return content_hash of the parts that were framed."""
    return hashlib.blake2b(_LEFT.join((b"", *frames)), digest_size=16).hexdigest()


def content_hash(parts: Iterable[str]) -> str:
    """Return 32 hex digits over the parts; their borders count."""
    return hash_of(framed(parts))


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


def problem_hash(statement: str) -> str:
    """Return the hash that makes a problem unique in its project; white space does not count.

    The reference answer does not count either: files that write it differently, or have none,
    hold the same problem, on the same side of the split.
    """
    return content_hash([" ".join(statement.split())])


def solution_hash(problem_hash: str, steps: Sequence[str]) -> str:
    """Return the hash that makes a solution unique in its project."""
    return content_hash([problem_hash, *steps])
