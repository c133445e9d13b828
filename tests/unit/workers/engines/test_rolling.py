"""Rows that join, end and leave at any time have the logits that each has alone."""

from __future__ import annotations

import random
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import pytest
import torch

from tests.tiny_models import tiny_model
from workers.engines.attention import fold_heads
from workers.engines.prefixes import Prefixes, Tokens
from workers.engines.rolling import Rolling
from workers.engines.states import _no_states

CONTEXT = 64
PROBLEMS = [tuple(random.Random(k).choices(range(4, 90), k=1 + 6 * k)) for k in range(3)]


@pytest.fixture(scope="module")
def model() -> Any:
    return tiny_model("qwen2", max_position_embeddings=CONTEXT).double()


@pytest.fixture(scope="module", params=["sdpa", "eager"])
def folded(request: pytest.FixtureRequest, model: Any) -> Any:
    """The same model as Rolling uses it; "eager" attention does not fold."""
    copy = deepcopy(model)
    copy.set_attn_implementation(request.param)
    fold_heads(copy)
    return copy


@pytest.fixture
def rolling(model: Any, folded: Any) -> Rolling:
    """Room for about three prompts: some are forgotten again."""
    with torch.inference_mode():
        empty = _no_states(model)
    # 2 layers of keys and values, 2 heads of width 8, 8 bytes each.
    return Rolling(folded, empty, Prefixes(40 * 2 * 2 * 2 * 8 * 8), 10_000, CONTEXT)


@torch.inference_mode()
@pytest.mark.parametrize("seed", range(4))
def test_a_rows_logits_are_its_own_whatever_the_others_do(
    model: Any, rolling: Rolling, seed: int
) -> None:
    for walker in (seed, seed + 100):
        _Walk(model, rolling, random.Random(walker)).go(40)
        rolling.clear()


class _Walk:
    """Lets rows join, go on, end and leave by chance; compares all logits."""

    def __init__(self, model: Any, rolling: Rolling, dice: random.Random) -> None:
        self.model, self.rolling, self.dice = model, rolling, dice
        self.rows: list[Tokens] = []
        self.over: set[int] = set()

    def go(self, steps: int) -> None:
        for _ in range(steps):
            self.join()
            if len(self.over) < len(self.rows):
                self.feed()
            if len(self.over) > len(self.rows) // 2:
                self.leave()

    def join(self) -> None:
        free = [place for place in sorted(self.over) if self.dice.random() < 0.3]
        places = free + list(
            range(len(self.rows), len(self.rows) + max(0, self.dice.randint(-3, 3)))
        )
        prompts = [self.prompt() for _ in places]
        if not places:
            return
        logits = self.rolling.join(prompts, places)
        self.rows += [()] * (places[-1] + 1 - len(self.rows))
        for place, prompt in zip(places, prompts, strict=True):
            self.rows[place] = prompt
        self.over -= set(places)
        self.compare(places, logits)

    def prompt(self) -> Tokens:
        return self.dice.choice(PROBLEMS) + tuple(
            self.dice.choices((4, 5), k=self.dice.randint(0, 9))
        )

    def feed(self) -> None:
        tokens = [self.dice.randrange(4, 90) for _ in self.rows]
        self.rows = [(*row, token) for row, token in zip(self.rows, tokens, strict=True)]
        self.compare(range(len(self.rows)), self.rolling.feed(tokens))
        ended = [
            place
            for place, row in enumerate(self.rows)
            if self.dice.random() < 0.1 or len(row) == CONTEXT
        ]
        self.rolling.finish(ended)
        self.over |= set(ended)

    def leave(self) -> None:
        kept = [place for place in range(len(self.rows)) if place not in self.over]
        self.dice.shuffle(kept)
        self.rolling.keep(kept)
        self.rows, self.over = [self.rows[place] for place in kept], set()

    def compare(self, places: Sequence[int], logits: torch.Tensor) -> None:
        for place, found in zip(places, logits, strict=True):
            if place not in self.over:
                ids = torch.tensor([self.rows[place]])
                expected = self.model(input_ids=ids, use_cache=False).logits[0, -1]
                torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_a_prompt_that_is_known_is_read_from_where_it_differs(rolling: Rolling) -> None:
    with torch.inference_mode():
        assert rolling.unread((4, 5, 6)) == 3
        rolling.join([(4, 5, 6, 7)], [0])
        # The last token is read again for its logits.
        assert [rolling.unread(p) for p in ((4, 5, 6, 7), (4, 5, 8, 9, 9), (9,))] == [1, 3, 1]


def test_rows_are_held_up_to_the_capacity(rolling: Rolling) -> None:
    assert rolling.holds(100, 1, 100)
    assert not rolling.holds(101, 1, 100)
