"""Talks go on without waiting for each other, and no answer is drawn twice or lost."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.engines import ScriptedEngine
from workers.engines.protocol import Answer, Completion, EngineUnavailable, Sample
from workers.labeling.flow import Talk, converse


def sample(name: str, seed: int = 0) -> Sample:
    return Sample(name, seed, 50, 1.0)


def talk(name: str, *waves: Sequence[Sample]) -> Talk[tuple[str, list[str], int]]:
    """Ask wave after wave; return the name, the texts and how many were fresh."""
    texts, fresh = [], 0
    for wave in waves:
        for drawn in (yield wave):
            assert isinstance(drawn.answer, Completion)
            texts.append(drawn.answer.text)
            fresh += drawn.fresh
    return name, texts, fresh


class Source:
    """Gives talks out a few at a time and remembers how many were asked for."""

    def __init__(self, talks: Sequence[Talk]) -> None:
        self.talks, self.asked = list(talks), []

    def pull(self, room: int) -> list[Talk]:
        self.asked.append(room)
        some, self.talks = self.talks[:room], self.talks[room:]
        return some


def echo(prompt: str, seed: int) -> str:
    return f"{prompt}:{seed}"


def results(engine: ScriptedEngine, talks: Sequence[Talk]) -> dict[str, tuple[list[str], int]]:
    rounds = converse(engine, Source(talks).pull)
    return {name: (texts, fresh) for some in rounds for name, texts, fresh in some}


def test_each_talk_hears_its_own_answers_in_order() -> None:
    talks = [
        talk(str(k), [sample(f"a{k}", 1), sample(f"b{k}", 2)], [sample(f"c{k}")])
        for k in range(100)
    ]
    found = results(ScriptedEngine(echo, slots=10, batch=3), talks)
    assert found == {str(k): ([f"a{k}:1", f"b{k}:2", f"c{k}:0"], 3) for k in range(100)}


def test_equal_samples_are_drawn_once_at_the_same_time_and_later() -> None:
    engine = ScriptedEngine(echo, slots=4, batch=1)
    shared, own = sample("shared"), sample("own")
    talks = [talk("x", [shared], [own]), talk("y", [shared]), talk("z", [own, shared])]
    found = results(engine, talks)
    assert engine.samples == [("shared", 0), ("own", 0)]
    assert sum(fresh for _, fresh in found.values()) == 2
    assert found["z"][0] == ["own:0", "shared:0"]


def test_a_long_talk_holds_up_no_other_one_and_the_engine_stays_full() -> None:
    engine = ScriptedEngine(echo, slots=8, batch=4)
    long = talk("long", *([sample("long", k)] for k in range(40)))
    short = [talk(f"s{k}", [sample(f"s{k}")]) for k in range(60)]
    order = [name for some in converse(engine, Source([long, *short]).pull) for name, *_ in some]
    assert order[-1] == "long"
    assert len(order) == 61
    assert engine.busiest == 8


def test_hardly_more_samples_are_in_flight_than_the_engine_has_room_for() -> None:
    engine = ScriptedEngine(echo, slots=40, batch=2)
    results(engine, [talk(str(k), [sample(str(k), s) for s in range(8)]) for k in range(90)])
    assert 40 <= engine.busiest < 40 + 8


def test_talks_that_need_no_sample_end_at_once() -> None:
    engine = ScriptedEngine(echo)
    found = results(engine, [talk("free"), talk("empty", [])])
    assert found == {"free": ([], 0), "empty": ([], 0)}
    assert engine.asked == []


def test_talks_that_come_while_others_are_under_way_are_taken_up() -> None:
    late = [talk("late", [sample("late")])]
    calls = []

    def pull(room: int) -> list[Talk]:
        calls.append(room)
        if len(calls) == 1:
            return [talk("early", [sample("e", 1)], [sample("e", 2)], [sample("e", 3)])]
        return [late.pop()] if late and len(calls) > 3 else []

    found = [name for some in converse(ScriptedEngine(echo, batch=1), pull) for name, *_ in some]
    assert sorted(found) == ["early", "late"]


class Dying(ScriptedEngine):
    """Gives a few answers, then is gone."""

    cancelled = False

    def finished(self, wait: float) -> list[tuple[Sample, Answer]]:
        if len(self._pool) <= 5:
            raise EngineUnavailable("gone")
        return super().finished(wait)

    def cancel(self) -> None:
        self.cancelled = True


def test_what_was_yielded_before_the_engine_died_stands() -> None:
    engine = Dying(echo, slots=8, batch=2)
    rounds = converse(engine, Source([talk(str(k), [sample(str(k))]) for k in range(9)]).pull)
    assert [len(next(rounds)), len(next(rounds))] == [2, 2]
    with pytest.raises(EngineUnavailable, match="gone"):
        next(rounds)
    assert engine.cancelled


def test_an_abandoned_conversation_gives_the_engine_back_empty() -> None:
    engine = Dying(echo, slots=8, batch=1)
    rounds = converse(engine, Source([talk(str(k), [sample(str(k))]) for k in range(9)]).pull)
    next(rounds)
    rounds.close()
    assert engine.cancelled


def test_an_engine_that_never_answers_is_given_up() -> None:
    engine = ScriptedEngine(echo, batch=0)
    with pytest.raises(EngineUnavailable, match="no answer"):
        list(converse(engine, Source([talk("x", [sample("x")])]).pull, patience=0.05))
