"""The decision rule as properties and as a table."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.consensus import DECIDED, Decision, DecisionState, decide
from labeling.domain.labels import LabelerKind, VerdictState, VerdictView
from labeling.domain.policy import Policy

MC, JUDGE, HUMAN = LabelerKind.MC, LabelerKind.JUDGE, LabelerKind.HUMAN
ADJUDICATOR, GOLD, PRM = LabelerKind.ADJUDICATOR, LabelerKind.GOLD, LabelerKind.PRM
POLICY = Policy()


def says(number: int, kind: LabelerKind, first_error: int) -> VerdictView:
    return VerdictView(number, kind, VerdictState.SCORED, first_error)


def unscored(number: int, kind: LabelerKind) -> VerdictView:
    return VerdictView(number, kind, VerdictState.UNSCORED, None)


def rejects(number: int, kind: LabelerKind) -> VerdictView:
    return VerdictView(number, kind, VerdictState.REJECTED, None)


verdicts = st.lists(
    st.builds(
        lambda kind, state, error: (kind, state, error if state == "scored" else None),
        st.sampled_from(list(LabelerKind)),
        st.sampled_from(list(VerdictState)),
        st.integers(-1, 4),
    ),
    max_size=7,
).map(lambda rows: [VerdictView(number, *row) for number, row in enumerate(rows)])


def test_consensus_when_mc_and_judge_place_the_first_error_alike():
    decision = decide([says(1, MC, 2), says(2, JUDGE, 2)], POLICY)
    assert decision == Decision(DecisionState.CONSENSUS, 2, (1, 2))


def test_consensus_is_disputed_when_mc_and_judge_disagree():
    decision = decide([says(1, MC, -1), says(2, JUDGE, 2)], POLICY)
    assert decision == Decision(DecisionState.DISPUTED, None, (1, 2))


@pytest.mark.parametrize("seen", [[], [says(1, MC, 2)], [says(1, MC, 2), unscored(2, JUDGE)]])
def test_a_solution_is_undecided_while_a_machine_has_not_spoken(seen):
    assert decide(seen, POLICY).state is DecisionState.UNDECIDED


def test_a_person_decides_a_dispute():
    seen = [says(1, MC, -1), says(2, JUDGE, 2), says(3, HUMAN, 1)]
    assert decide(seen, POLICY) == Decision(DecisionState.ADJUDICATED, 1, (3,))


def test_one_person_of_two_wanted_leaves_it_to_the_machines():
    seen = [says(1, MC, 2), says(2, JUDGE, 2), says(3, HUMAN, 1)]
    assert decide(seen, Policy(human_overlap=2)).state is DecisionState.CONSENSUS


def test_people_who_disagree_leave_a_dispute_even_against_a_consensus():
    seen = [says(1, MC, 2), says(2, JUDGE, 2), says(3, HUMAN, 1), says(4, HUMAN, 2)]
    assert decide(seen, POLICY) == Decision(DecisionState.DISPUTED, None, (3, 4))


def test_the_latest_adjudicator_outranks_everyone():
    seen = [says(1, HUMAN, 1), says(2, HUMAN, 1), says(3, ADJUDICATOR, 0), says(9, ADJUDICATOR, 4)]
    assert decide(seen, POLICY) == Decision(DecisionState.ADJUDICATED, 4, (9,))


def test_a_rejected_item_is_discarded():
    seen = [says(1, MC, 2), says(2, JUDGE, 2), rejects(3, HUMAN)]
    assert decide(seen, POLICY) == Decision(DecisionState.DISCARDED, None, (3,))


@given(verdicts, st.randoms(use_true_random=False))
def test_the_decision_does_not_depend_on_the_order_of_verdicts(seen, rng: random.Random):
    shuffled = list(seen)
    rng.shuffle(shuffled)
    assert decide(shuffled, POLICY) == decide(seen, POLICY)


@given(verdicts, st.integers(-1, 4))
def test_gold_keys_and_prms_never_decide(seen, error):
    others = [v for v in seen if v.kind not in {GOLD, PRM}]
    assert decide(seen, POLICY) == decide(others, POLICY)
    assert decide([*seen, says(99, GOLD, error), says(98, PRM, error)], POLICY) == decide(
        others, POLICY
    )


@given(verdicts)
def test_a_first_error_stands_exactly_on_decided_solutions(seen):
    decision = decide(seen, POLICY)
    assert (decision.first_error is not None) == (decision.state in DECIDED)
    assert set(decision.follows_from) <= {v.id for v in seen}


@given(verdicts, st.integers(-1, 4))
def test_adding_an_adjudicator_settles_everything(seen, error):
    settled = decide([*seen, says(99, ADJUDICATOR, error)], POLICY)
    assert settled == Decision(DecisionState.ADJUDICATED, error, (99,))


@given(st.integers(-1, 4), st.integers(-1, 4))
def test_mc_and_judge_are_symmetric(one, other):
    first = decide([says(1, MC, one), says(2, JUDGE, other)], POLICY)
    second = decide([says(1, JUDGE, one), says(2, MC, other)], POLICY)
    assert first == second
