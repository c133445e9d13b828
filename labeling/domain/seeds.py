"""What fixes a random draw: nothing but what it is drawn from. No clock, no counter, no state."""

from __future__ import annotations

from collections.abc import Mapping

from labeling.domain.hashing import config_hash, content_hash

_COMPLETER = ("model", "weights", "template", "temperature", "max_tokens")
"""The keys of a configuration that say what completions are drawn from."""


def completer_hash(config: Mapping[str, object]) -> str:
    """Return the identity of what a labeler's configuration samples from, for `sample_seed`.

    Modes and numbers of samples are no part of it: labelers with one completer draw the same
    completions and can share them.
    """
    return config_hash({name: config.get(name) for name in _COMPLETER})


def sample_seed(completer: str, problem_id: str, prefix_text: str, sample: int) -> int:
    """Return the seed of one completion, in 0..2**63-1.

    It depends on nothing else, so waves, retries and resumed runs draw the same completions, and
    solutions that share a prefix share them.
    """
    digest = content_hash(["completion", completer, problem_id, prefix_text, str(sample)])
    return int(digest[:16], 16) >> 1


def is_audited(content: str, completer: str, share: float) -> bool:
    """Say whether a solution (by its content hash) is in the audited share, 0..1, of a completer.

    Fixed before anything is drawn, so the audited solutions are a fair sample of all.
    """
    digest = content_hash(["audit", completer, content])
    return int(digest[:13], 16) < share * 16**13
