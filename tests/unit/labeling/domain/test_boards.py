from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.boards import (
    Board,
    Facts,
    Said,
    contributions,
    pattern_text,
    read_pattern,
    read_votes,
)
from labeling.domain.consensus import DecisionState
from labeling.domain.labels import LabelerKind, VerdictState, labels_up_to
from labeling.domain.statistics.confusion import step_pattern

STEPS = 4


def said(labeler, kind, first_error, state="scored", **fields):
    labels = () if first_error is None else labels_up_to(first_error, STEPS)
    return Said(labeler, LabelerKind(kind), VerdictState(state), first_error, labels, "2026-01-05",
                **fields)  # fmt: skip


def facts(*verdicts, state="undecided", first_error=None, **fields):
    defaults = {"source": "gsm8k", "generator": "m", "steps": STEPS, "answer": True,
                "audited": False, "opens": False}  # fmt: skip
    return Facts(state=DecisionState(state), first_error=first_error, verdicts=verdicts,
                 **{**defaults, **fields})  # fmt: skip


def board(found, name):
    return {key: n for (where, key), n in found.items() if where is name}


def test_a_solution_stands_once_in_the_flow():
    found = contributions(facts(state="consensus", first_error=2, answer=False))
    assert board(found, Board.FLOW) == {("consensus", "wrong", "error"): 1}


def test_a_problem_is_counted_with_its_first_solution():
    assert board(contributions(facts(opens=True)), Board.PROBLEMS) == {("solved",): 1}
    assert board(contributions(facts()), Board.PROBLEMS) == {}


def test_two_first_errors_and_their_steps_are_a_pair_in_the_order_of_the_labelers():
    found = contributions(facts(said(9, "judge", -1), said(3, "mc", 1)))
    assert board(found, Board.PAIR) == {("3", "9", "1", "-1"): 1}
    # MC: right, wrong; the judge: all four right. Both judged two steps.
    assert board(found, Board.STEPS) == {("3", "9", "-1,1,1 1,1,1"): 1}


def test_a_refutation_is_compared_without_a_first_error():
    found = contributions(facts(said(3, "mc", None, "refuted"), said(9, "judge", 1)))
    assert board(found, Board.PAIR) == {("3", "9", "refuted", "1"): 1}
    assert board(found, Board.STEPS) == {}


def test_an_unscored_verdict_is_counted_but_not_compared():
    found = contributions(facts(said(3, "mc", 0), said(9, "judge", None, "unscored")))
    assert board(found, Board.PAIR) == {}
    assert board(found, Board.SAID)[("9", "unscored", "open")] == 1


def test_what_a_person_said_after_seeing_others_is_no_independent_verdict():
    found = contributions(facts(said(3, "mc", 0), said(5, "human", 0, informed=True)))
    assert board(found, Board.PAIR) == board(found, Board.PEOPLE) == {}


def test_annotators_votes_are_one_key_in_any_order():
    found = contributions(facts(said(7, "human", 2), said(5, "human", -1), said(6, "human", -1)))
    assert board(found, Board.PEOPLE) == {("5:-1 6:-1 7:2",): 1}
    assert read_votes("5:-1 7:2") == [("5", -1), ("7", 2)]


def test_a_machine_is_checked_only_where_people_decided():
    one = said(3, "mc", 0)
    assert board(contributions(facts(one, state="consensus", first_error=2)), Board.NOISE) == {}
    found = contributions(facts(one, state="adjudicated", first_error=2))
    noise = board(found, Board.NOISE)
    assert noise[("3", "all", "all", "early")] == noise[("3", "source", "gsm8k", "early")] == 1
    assert noise[("3", "length", "4-5", "early")] == 1
    # step 1: MC wrong, in truth right; then MC judged nothing
    assert board(found, Board.POSITIONS) == {("3", "1", "wrong"): 1}
    assert board(found, Board.DAYS) == {("3", "2026-01-05", "early"): 1}


def test_difficulty_is_known_only_where_all_completions_were_drawn():
    drawn = contributions(facts(said(3, "mc", 0, drawn=(2, 8)), state="adjudicated", first_error=0))
    assert board(drawn, Board.NOISE)[("3", "difficulty", "25-50 %", "right")] == 1


def test_a_consensus_waits_for_its_audit_and_a_drawn_one_tells():
    machines = said(3, "mc", 1), said(9, "judge", 1)
    waiting = contributions(facts(*machines, state="consensus", first_error=1))
    assert board(waiting, Board.AUDIT) == {("error", "gsm8k", "waiting"): 1}
    audited = facts(*machines, said(5, "human", 2), state="adjudicated", first_error=2)
    assert board(contributions(audited), Board.AUDIT) == {}  # a person chose it: no fair sample
    drawn = contributions(replace(audited, audited=True))
    assert board(drawn, Board.AUDIT) == {("error", "gsm8k", "wrong"): 1}


def test_a_prm_tells_where_its_lowest_score_stands():
    found = contributions(facts(said(4, "prm", -1, scores=(0.9, 0.8, 0.9, 0.7))))
    assert board(found, Board.MINIMUM) == {("4", "last"): 1}


def test_tokens_and_time_are_amounts():
    found = contributions(facts(said(3, "mc", 0, tokens=70, milliseconds=12)))
    assert board(found, Board.SPENT) == {("3", "tokens"): 70, ("3", "milliseconds"): 12}


def test_a_decision_is_held_against_the_gold_key():
    found = contributions(facts(said(2, "gold", 3), state="consensus", first_error=1))
    assert board(found, Board.TRUTH) == {("2", "consensus", "1", "3"): 1}


FIRST = st.integers(-1, STEPS - 1)
VERDICT = st.builds(
    said,
    st.integers(1, 50),
    st.sampled_from(list(LabelerKind)),
    FIRST,
    informed=st.booleans(),
    tokens=st.integers(0, 99),
    milliseconds=st.integers(0, 99),
    scores=st.lists(st.floats(0, 1), min_size=STEPS, max_size=STEPS).map(tuple),
    drawn=st.none() | st.tuples(st.integers(0, 8), st.just(8)),
)
FACTS = st.builds(
    lambda verdicts, state, first, **rest: facts(
        *verdicts,
        state=state,
        first_error=first if state in ("consensus", "adjudicated") else None,
        **rest,
    ),
    st.lists(VERDICT, max_size=4, unique_by=lambda v: v.labeler),
    st.sampled_from(list(DecisionState)),
    FIRST,
    audited=st.booleans(),
    opens=st.booleans(),
    answer=st.sampled_from([True, False, None]),
)


@given(FACTS)
def test_facts_come_back_from_json_as_they_were(some):
    assert Facts.from_json(json.loads(json.dumps(some.to_json()))) == some


@given(FACTS)
def test_the_order_of_the_verdicts_does_not_count(some):
    orders = [replace(some, verdicts=tuple(v)) for v in permutations(some.verdicts)]
    assert len({tuple(sorted(contributions(order).items())) for order in orders}) == 1


@given(FACTS)
def test_every_verdict_is_counted_once_and_each_pair_at_most_once(some):
    found = contributions(some)
    assert sum(board(found, Board.SAID).values()) == len(some.verdicts)
    assert sum(board(found, Board.DAYS).values()) == len(some.verdicts)
    independent = [v for v in some.verdicts if not v.informed]
    pairs = len(independent) * (len(independent) - 1) // 2
    assert sum(board(found, Board.PAIR).values()) == pairs
    assert min(found.values()) > 0
    assert all(isinstance(part, str) for _, key in found for part in key)


@given(st.lists(st.tuples(*[st.sampled_from([1, 0, -1, None])] * 2), max_size=9))
def test_a_pattern_of_steps_is_read_as_it_was_written(pairs):
    pattern = step_pattern([a for a, _ in pairs], [b for _, b in pairs])
    assert read_pattern(pattern_text(pattern)) == pattern


def test_contributions_are_a_counter():
    assert isinstance(contributions(facts()), Counter)
