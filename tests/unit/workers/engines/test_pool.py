"""Which waiting sample a server takes next."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.prompts import Message
from workers.engines import pool as pools
from workers.engines.pool import Job, Pool
from workers.engines.protocol import Sample


def job(prompt: str, group: str = "", seed: int = 0) -> Job:
    return Job(Sample(prompt, seed, 8, 1.0, group=group))


def filled(places: int, jobs: Iterable[Job]) -> Pool:
    pool = Pool(places)
    for one in jobs:
        pool.put(one)
    return pool


def keeps_all(_place: int) -> int:
    """Every place begins all its jobs at once."""
    return 10**9


def gives_all(_place: int) -> int:
    """No place can begin any of its jobs."""
    return 0


def taken(pool: Pool, place: int, count: int) -> list[str]:
    found = [pool.take(place, keeps_all) for _ in range(count)]
    return [str(one.sample.prompt) for one in found if one]


def test_prompts_of_a_group_come_in_their_order_and_groups_one_after_the_other() -> None:
    pool = filled(1, [job("ab", "x"), job("d", "y"), job("abc", "x"), job("c", "y"), job("a", "x")])
    assert taken(pool, 0, 6) == ["a", "ab", "abc", "c", "d"]


def test_without_groups_prompts_that_share_their_beginning_come_together() -> None:
    chats = [(Message("system", s), Message("user", u)) for s, u in ("bx", "ay", "ax", "by")]
    pool = filled(1, [job("A text")])
    for chat in chats:
        pool.put(Job(Sample(chat, 0, 8, 1.0)))
    assert taken(pool, 0, 1) == ["A text"]
    found = [pool.take(0, keeps_all) for _ in range(4)]
    order = ["".join(m.content for m in one.sample.prompt) for one in found if one]  # type: ignore[union-attr]
    assert order == ["ax", "ay", "bx", "by"]


def test_a_group_goes_where_it_was_served_last() -> None:
    pool = filled(2, [job("x1", "x"), job("y1", "y")])
    assert taken(pool, 1, 1) == ["x1"]
    assert taken(pool, 0, 1) == ["y1"]
    for one in (job("x2", "x"), job("y2", "y"), job("x3", "x")):
        pool.put(one)
    assert (pool.count(0), pool.count(1), pool.count(None)) == (1, 2, 0)
    assert taken(pool, 0, 3) == ["y2"]
    assert taken(pool, 1, 3) == ["x2", "x3"]
    assert len(pool) == 0


def test_what_its_place_cannot_begin_is_taken_by_another_the_last_group_first() -> None:
    pool = filled(2, [job("x1", "x"), job("y1", "y")])
    taken(pool, 0, 2)
    for one in (job("x2", "x"), job("y2", "y"), job("y3", "y")):
        pool.put(one)
    assert pool.take(1, keeps_all) is None
    stolen = pool.take(1, gives_all)
    assert stolen is not None
    assert stolen.sample.prompt == "y2"
    # The rest of the group follows: its prefix is there now.
    assert (pool.count(0), pool.count(1)) == (1, 1)
    assert taken(pool, 1, 2) == ["y3"]
    assert taken(pool, 0, 2) == ["x2"]


def test_samples_without_a_group_belong_to_nobody() -> None:
    pool = filled(2, [job("a"), job("b"), job("c")])
    taken(pool, 0, 1)
    assert pool.count(None) == 2
    assert taken(pool, 1, 2) == ["b", "c"]


def test_nothing_is_overtaken_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "OVERTAKEN", 10)
    pool = filled(1, [job("z")])
    order = []
    for seed in range(40):  # there is always one that comes before it
        pool.put(job("a", seed=seed))
        order += taken(pool, 0, 1)
    assert order.index("z") == 11
    assert order.count("a") == 39


def test_only_the_latest_groups_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "REMEMBERED", 2)
    pool = filled(2, [job(name, name) for name in "abc"])
    taken(pool, 1, 3)
    for name in "abc":
        pool.put(job(name, name))
    assert (pool.count(None), pool.count(1)) == (1, 2)
    assert taken(pool, 0, 3) == ["a"]


def test_clear_forgets_the_jobs_but_not_where_groups_are_at_home() -> None:
    pool = filled(2, [job("x", "x"), job("y", "x"), job("z")])
    taken(pool, 1, 1)
    pool.clear()
    assert (len(pool), pool.count(0), pool.count(1), pool.count(None)) == (0, 0, 0, 0)
    assert pool.take(0, gives_all) is None
    pool.put(job("x", "x"))
    assert pool.count(1) == 1


@given(st.randoms(use_true_random=False))
def test_every_job_is_taken_once_by_someone(chance: random.Random) -> None:
    pool, jobs, found = Pool(3), [], []
    for seed in range(120):
        jobs.append(job(chance.choice("abcd"), chance.choice(["", "x", "y", "z"]), seed))
        pool.put(jobs[-1])
        if chance.random() < 0.7:
            found.append(pool.take(chance.randrange(3), gives_all))
        assert len(pool) == sum(pool.count(place) for place in (None, 0, 1, 2))
    while len(pool):
        found.append(pool.take(chance.randrange(3), gives_all))
    assert Counter(one.sample for one in found if one) == Counter(one.sample for one in jobs)


def test_an_idle_place_is_never_left_without_work_while_there_is_some() -> None:
    pool = filled(4, [job(str(n), "one group", n) for n in range(100)])
    chance = random.Random(3)
    assert all(pool.take(chance.randrange(4), gives_all) for _ in range(100))
