"""Who decodes with whom: first come, first served, as far as rows and memory go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor

from workers.engines.decoding import Batch, Limits, Row
from workers.engines.prefixes import Tokens
from workers.engines.protocol import Sample

END = 9


@dataclass
class Counting:
    """States whose model counts up from a row's last token; 9 is its end token."""

    joinable: bool = True
    room: int = 1_000
    known: set[Tokens] = field(default_factory=set)
    joined: list[list[Tokens]] = field(default_factory=list)
    fed: list[int] = field(default_factory=list)

    def holds(self, rows: int, prompt: int, longest: int) -> bool:
        return rows * longest <= self.room

    def unread(self, prompt: Tokens) -> int:
        return 1 if prompt in self.known else len(prompt)

    def join(self, prompts: Sequence[Tokens], places: Sequence[int]) -> Tensor:
        self.joined.append(list(prompts))
        return self._next([prompt[-1] for prompt in prompts])

    def feed(self, tokens: Sequence[int]) -> Tensor:
        self.fed.append(len(tokens))
        return self._next(tokens)

    def _next(self, tokens: Sequence[int]) -> Tensor:
        return torch.eye(10)[[token + 1 for token in tokens]]

    def finish(self, rows: Sequence[int]) -> None: ...
    def keep(self, rows: Sequence[int]) -> None: ...
    def clear(self) -> None: ...


def row(*prompt: int, tokens: int = 20) -> Row:
    return Row(Sample("", 0, tokens, 0.0), prompt)


def batch(states: Counting, rows: int = 4, prefill_tokens: int = 100, overhead: int = 5) -> Batch:
    limits = Limits(rows, prefill_tokens, overhead)
    return Batch(states, frozenset({END}), lambda row: row.tokens[-1] == 7, limits)


def decoded(batch: Batch, rows: Sequence[Row]) -> list[Row]:
    """Decode all rows; return them in the order in which they ended."""
    batch.waiting.extend(rows)
    ended: list[Row] = []
    for _ in range(200):
        ended += batch.step()
    assert len(ended) == len(rows)
    return ended


def test_a_text_ends_at_the_limit_the_end_token_or_a_stop_string() -> None:
    short, long = row(3, tokens=3), row(3)
    stop = Row(Sample("", 0, 20, 0.0), (3,), may_end=frozenset({5, 7}))
    decoded(batch(Counting()), [short, long, stop])
    assert (short.tokens, short.stopped) == ([4, 5, 6], False)
    assert (long.tokens, long.stopped) == ([4, 5, 6, 7, 8, 9], True)
    # 5 may end a stop string and does not, 7 does.
    assert (stop.tokens, stop.stopped) == ([4, 5, 6, 7], True)


def test_those_who_came_first_decode_first() -> None:
    rows = [row(1 + k % 3) for k in range(30)]
    ended = decoded(batch(Counting(), rows=4), rows)
    # 4 decode at a time and none takes more than 8 steps: nobody is overtaken by more than a few.
    places = {id(item): place for place, item in enumerate(rows)}
    assert all(abs(places[id(item)] - place) < 8 for place, item in enumerate(ended))


def test_memory_bounds_the_rows_but_one_always_decodes() -> None:
    states = Counting(room=45)
    decoded(batch(states), [row(1, 2, tokens=13) for _ in range(6)])
    # Rows of up to 2 + 13 tokens: three of them fit into 45.
    assert max(states.fed) == 3
    states = Counting(room=5)
    decoded(batch(states), [row(1, 2, tokens=13), row(1, 2, tokens=13)])
    assert max(states.fed) == 1


def test_what_begins_another_prompt_is_read_after_it() -> None:
    states = Counting()
    decoded(batch(states, overhead=1), [row(1), row(1, 1, 1), row(1, 1), row(1, 1, 1, 1, 1, 1)])
    # Once the longest was read only the last token of each other is: one pass for all of them.
    longest, others = states.joined
    assert longest == [(1, 1, 1, 1, 1, 1)]
    assert sorted(others) == [(1,), (1, 1), (1, 1, 1)]


def test_prompts_that_lack_much_and_little_are_read_apart() -> None:
    known = {(2, 1, 1, 1), (3, 1, 1, 1), (4, 1, 1, 1)}
    states = Counting(known=known)
    decoded(batch(states), [row(1, 1, 1, 1), *(row(*prompt) for prompt in sorted(known))])
    # Together 4 * 4 tokens and one pass for 5; apart 4 + 3 * 1 and two: 21 > 17.
    assert states.joined == [[(1, 1, 1, 1)], sorted(known)]


def test_a_pass_reads_no_more_tokens_than_it_may() -> None:
    states = Counting()
    decoded(batch(states, prefill_tokens=10), [row(k, 1, 1, 1) for k in range(1, 5)])
    assert [len(group) for group in states.joined] == [2, 2]


@pytest.mark.parametrize("joinable", [True, False])
def test_rows_that_cannot_join_wait_for_all_others(joinable: bool) -> None:
    states = Counting(joinable=joinable)
    decoded(batch(states, rows=2), [row(1), row(7), row(7), row(7)])
    # The first text has 8 tokens, the others 2.
    assert len(states.joined) == (3 if joinable else 2)


def test_few_wait_some_steps_for_more_to_come() -> None:
    states = Counting(room=10_000)
    machine = batch(states, rows=100)
    machine.waiting.extend(row(1) for _ in range(50))
    machine.step()
    machine.waiting.append(row(2))
    for joined in (1, 1, 1, 2):
        machine.step()
        assert len(states.joined) == joined
