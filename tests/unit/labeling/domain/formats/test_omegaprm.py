from __future__ import annotations

from copy import deepcopy

import pytest

from labeling.domain.formats import RowError, omegaprm
from tests.format_rows import OMEGAPRM, OMEGAPRM_FLAT
from tests.unit.labeling.domain.formats.reading import read

PATHS = {
    (("Add.", "The answer is 18."), (0.75, 1.0), -1, True),
    (("Add.", "The answer is 17."), (0.75, 0.0), 1, False),
    (("The answer is 0.",), (0.0,), 0, False),
}


def paths(row):
    return {
        (
            found.solution.steps,
            found.solution.verdicts[0].step_scores,
            found.solution.verdicts[0].first_error,
            found.solution.final_answer_correct,
        )
        for found in read(row)
    }


@pytest.mark.parametrize("row", [OMEGAPRM, OMEGAPRM_FLAT], ids=["nested", "prefixes"])
def test_each_leaf_is_a_solution_whose_steps_have_the_nodes_shares(row):
    assert paths(row) == PATHS
    first = read(row)[0]
    assert (first.problem.answer, first.problem.external_id) == ("18", "3")
    assert first.solution.verdicts[0].source.kind == "mc"


def test_a_leaf_without_an_answer_is_truncated():
    row = deepcopy(OMEGAPRM)
    row["reasoning_steps"]["children"] = [{"text": "Add.", "mc_value": 0.5, "children": []}]
    assert read(row)[0].solution.truncated


def test_a_chain_deeper_than_pythons_stack_is_read_or_refused_but_not_fatal():
    row = deepcopy(OMEGAPRM)
    node = row["reasoning_steps"]
    for _ in range(5000):
        child = {"text": "x", "mc_value": 1.0, "children": []}
        node["children"] = [child]
        node = child
    with pytest.raises(RowError, match="more than 1000 nodes"):
        read(row)


def test_paths_that_repeat_a_long_beginning_are_bounded():
    row = deepcopy(OMEGAPRM)
    leaf = {"text": "y", "mc_value": 1.0, "children": []}
    long = {"text": "x" * 100_000, "mc_value": 1.0, "children": [leaf] * 100}
    row["reasoning_steps"]["children"] = [long]
    with pytest.raises(RowError, match=str(omegaprm.PATH_LIMIT)):
        read(row)


@pytest.mark.parametrize(
    ("tree", "reason"),
    [
        (3, "a tree or a list"),
        ([], "a tree or a list"),
        ([{"mc_value": 1.0}], "no solution_prefix"),
        ([{"solution_prefix": "a", "mc_value": None}], "mc_value"),
        ([{"solution_prefix": "a", "mc_value": 2}], "outside 0..1"),
        (
            [{"solution_prefix": "a", "mc_value": 1}, {"solution_prefix": "b", "mc_value": 1}],
            "does not begin with the question",
        ),
        ({"text": "a", "mc_value": 1, "children": 3}, "children must be a list"),
        ({"text": "a", "mc_value": 1, "children": [3]}, "a node has no text"),
        ([{"solution_prefix": "a", "mc_value": 1}] * 20_001, "more than 20000 nodes"),
    ],
)
def test_what_is_no_tree_is_refused(tree, reason):
    with pytest.raises(RowError, match=reason):
        read({**OMEGAPRM, "reasoning_steps": tree})
