"""Dawid and Skene's model: the paper's own example, crowd-kit, simulated truths, its limits."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from crowdkit.aggregation import DawidSkene
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling.domain.statistics.annotators import dawid_skene, majority
from labeling.domain.statistics.undefined import Undefined

# Table 1 of Dawid & Skene 1979: 45 patients; observer 1 saw each three times, 2-5 once
PAPER = [
    "1111111", "3334334", "1122122", "2223121", "2223222", "2223322", "1222111", "3333433",
    "2222223", "2322223", "4444444", "2223343", "1111111", "2223212", "1211111", "1112111",
    "1111111", "1111111", "2222221", "2221322", "2222222", "2222221", "2223222", "2212222",
    "1111111", "1111111", "2322222", "1111111", "1111111", "1121121", "1111111", "3333233",
    "1111111", "2222222", "2223232", "4334343", "2212232", "2323233", "3333432", "1111111",
    "1111111", "1212111", "2322222", "1211111", "2222222",
]  # fmt: skip
OBSERVERS = ("1", "1", "1", "2", "3", "4", "5")
VOTES = [[(o, int(said)) for o, said in zip(OBSERVERS, row, strict=True)] for row in PAPER]

votes = st.lists(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.integers(0, 2)),
        min_size=1,
        max_size=4,
        unique_by=lambda vote: vote[0],
    ),
    max_size=25,
)


def count_votes(items):
    """Count items by equal votes, as the model takes them."""
    return dict(Counter(tuple(sorted(votes)) for votes in items))


def rows_of(model, name):
    annotator = next(a for a in model.annotators if a.name == name)
    classes = list(model.shares)
    return [[round(annotator.confusion[true, said], 2) for said in classes] for true in classes]


def test_the_papers_example_is_reproduced():
    model = dawid_skene(count_votes(VOTES))
    assert model.converged
    # the estimated marginals and the error rates of observers 1 and 2, as published
    assert [round(share, 2) for share in model.shares.values()] == [0.40, 0.42, 0.11, 0.07]
    assert rows_of(model, "1") == [
        [0.89, 0.11, 0, 0], [0.07, 0.88, 0.05, 0], [0, 0.34, 0.66, 0], [0, 0, 0.56, 0.44],
    ]  # fmt: skip
    assert rows_of(model, "2") == [
        [0.83, 0.17, 0, 0], [0.05, 0.63, 0.31, 0], [0, 0, 1, 0], [0, 0, 0, 1],
    ]  # fmt: skip


def crowd_kits(items, rounds):
    """Fit with crowd-kit; its own criterion falls between rounds and would stop too early."""
    data = pd.DataFrame(
        [(task, who, said) for task, votes in enumerate(items) for who, said in votes],
        columns=["task", "worker", "label"],
    )
    return DawidSkene(n_iter=rounds, tol=-np.inf).fit(data)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # crowd-kit on pandas 3
def test_the_model_equals_crowd_kits_on_the_papers_example():
    ours, theirs = dawid_skene(count_votes(VOTES), tolerance=1e-13), crowd_kits(VOTES, 60)
    assert ours.shares == pytest.approx(theirs.priors_.to_dict(), abs=1e-6)
    for annotator in ours.annotators:
        for (true, said), chance in annotator.confusion.items():
            index = (annotator.name, said)  # they leave out what an observer never says
            expected = theirs.errors_.loc[index, true] if index in theirs.errors_.index else 0
            assert chance == pytest.approx(expected, abs=1e-6)


def simulated(seed: int, items: int = 300):
    generator = np.random.default_rng(seed)
    truth = (generator.random(items) < 0.3).astype(int)
    right = {"mc": (0.8, 0.95), "judge": (0.95, 0.7), "anna": (0.97, 0.9), "carl": (0.6, 0.6)}
    drawn = {
        name: np.where(generator.random(items) < np.array(chances)[truth], truth, 1 - truth)
        for name, chances in right.items()
    }
    return truth, [[(name, int(said[i])) for name, said in drawn.items()] for i in range(items)]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("seed", [1, 2])
def test_the_model_equals_crowd_kits_on_simulated_labelers(seed):
    _, items = simulated(seed)
    counted = count_votes(items)
    ours = dawid_skene(counted, tolerance=1e-13)
    theirs = crowd_kits(items, ours.rounds)
    chance = {kind.votes: (kind.label, kind.chance) for kind in ours.items}
    assert len(chance) == len(counted) <= 16  # equal votes are computed once
    for task, votes in enumerate(items):
        label, belief = chance[tuple(sorted(votes))]
        assert belief == pytest.approx(theirs.probas_.loc[task, label], abs=1e-4)


def test_the_model_finds_each_annotators_errors_and_beats_the_majority():
    truth, items = simulated(9, items=4000)
    model = dawid_skene(count_votes(items))
    anna, carl, judge, mc = model.annotators
    assert (anna.name, carl.name, judge.name, mc.name) == ("anna", "carl", "judge", "mc")
    assert judge.confusion[1, 0] == pytest.approx(0.3, abs=0.05)
    assert mc.confusion[0, 1] == pytest.approx(0.2, abs=0.05)
    assert anna.accuracy == pytest.approx(0.7 * 0.97 + 0.3 * 0.9, abs=0.03)
    assert carl.accuracy == pytest.approx(0.6, abs=0.03)
    by_votes = {kind.votes: kind for kind in model.items}
    kinds = [by_votes[tuple(sorted(votes))] for votes in items]
    right = np.mean([kind.label == true for kind, true in zip(kinds, truth, strict=True)])
    agreed = np.mean([kind.majority == true for kind, true in zip(kinds, truth, strict=True)])
    assert right > agreed + 0.03


def test_equal_input_gives_equal_models_whatever_its_order():
    _, items = simulated(4)
    assert dawid_skene(count_votes(items)) == dawid_skene(count_votes(reversed(items)))


def test_a_model_that_ran_out_of_rounds_says_so():
    model = dawid_skene(count_votes(VOTES), max_rounds=2)
    assert (model.converged, model.rounds) == (False, 2)


def test_each_round_raises_the_likelihood():
    reached = [
        dawid_skene(count_votes(VOTES), max_rounds=rounds).log_likelihood for rounds in range(1, 15)
    ]
    assert reached == sorted(reached)


def test_two_annotators_cannot_be_told_apart():
    pair = [[("mc", 0), ("judge", 1)], [("mc", 1), ("judge", 1)]]
    assert dawid_skene(count_votes(pair)) is Undefined.TWO_ANNOTATORS
    # a third who never shares an item adds nothing
    assert dawid_skene(count_votes([*pair, [("anna", 1)]])) is Undefined.TWO_ANNOTATORS
    assert dawid_skene({}) is Undefined.NOTHING_COMPARED


def test_a_class_that_an_annotator_never_met_has_no_chances():
    items = [[("a", 0), ("b", 0), ("c", 0)]] * 5 + [[("b", 1), ("c", 1), ("d", 1)]] * 5
    model = dawid_skene(count_votes(items))
    a = model.annotators[0]
    assert a.confusion[1, 1] is Undefined.NEVER_SEEN
    assert a.confusion[0, 0] == pytest.approx(1)


def test_the_majority_of_a_tie_is_nobody():
    assert majority((("a", 1), ("b", 1), ("c", 0))) == 1
    assert majority((("a", 1), ("b", 0))) is None
    assert majority(()) is None


@settings(max_examples=60)
@given(votes)
def test_a_model_consists_of_chances(items):
    model = dawid_skene(count_votes(items))
    if isinstance(model, Undefined):
        return
    assert sum(model.shares.values()) == pytest.approx(1)
    assert sum(kind.items for kind in model.items) == len(items)
    assert sum(annotator.votes for annotator in model.annotators) == sum(map(len, items))
    for annotator in model.annotators:
        assert 0 <= annotator.accuracy <= 1 + 1e-9
        for true in model.shares:
            row = [annotator.confusion[true, said] for said in model.shares]
            if Undefined.NEVER_SEEN not in row:
                assert sum(row) == pytest.approx(1)
    for kind in model.items:
        assert 1 / len(model.shares) - 1e-9 <= kind.chance <= 1 + 1e-9
        unanimous = len({said for _, said in kind.votes}) == 1
        assert kind.majority == kind.votes[0][1] if unanimous else True
