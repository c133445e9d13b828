"""What was read is found by its first tokens, and the least used goes first."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from workers.engines.prefixes import Prefixes, Tokens


def states(prompt: Tokens) -> Tensor:
    """One number per token, 4 bytes each: (1, tokens, 1)."""
    return torch.tensor(prompt, dtype=torch.float32)[None, :, None]


def kept(*prompts: Tokens, limit: int = 1_000) -> Prefixes:
    prefixes = Prefixes(limit)
    for prompt in prompts:
        prefixes.keep(prompt, states(prompt))
    return prefixes


tokens = st.lists(st.integers(0, 2), min_size=1, max_size=6).map(tuple)


@given(st.lists(tokens, max_size=8), tokens)
def test_the_longest_known_beginning_is_found(prompts: list[Tokens], asked: Tokens) -> None:
    shared, found = kept(*prompts).find(asked)
    known = {prompt[:end] for prompt in prompts for end in range(len(prompt) + 1)}
    assert shared == max((n for n in range(len(asked) + 1) if asked[:n] in known), default=0)
    if shared:
        assert found is not None
        assert tuple(found[0, :shared, 0].int().tolist()) == asked[:shared]


def test_a_prompt_and_its_beginning_take_the_room_of_one() -> None:
    # Two prompts of 3 tokens: 24 bytes. Their beginnings come after and before, and cost nothing.
    prefixes = kept((4, 5, 6), (4, 5), (1, 2), (1, 2, 3), limit=24)
    assert prefixes.find((4, 5, 6))[0] == 3
    assert prefixes.find((1, 2, 3, 4))[0] == 3


def test_what_was_used_last_stays() -> None:
    prefixes = kept((1, 1), (2, 2), limit=16)
    prefixes.find((1, 1, 5))
    prefixes.keep((3, 3), states((3, 3)))
    assert [prefixes.find((k, k))[0] for k in (1, 2, 3)] == [2, 0, 2]


def test_what_is_larger_than_the_room_is_not_kept() -> None:
    prefixes = kept((1, 1), (2, 2, 2, 2, 2), limit=16)
    assert [prefixes.find((k, k))[0] for k in (1, 2)] == [2, 0]
    assert kept((1,), limit=0).find((1,)) == (0, None)


def test_what_is_kept_is_a_copy() -> None:
    slab = states((1, 2, 3))
    prefixes = Prefixes(100)
    prefixes.keep((1, 2), slab[:, :2])
    slab.zero_()
    _, found = prefixes.find((1, 2))
    assert found is not None
    assert found.flatten().tolist() == [1, 2]
    prefixes.clear()
    assert prefixes.find((1, 2)) == (0, None)
