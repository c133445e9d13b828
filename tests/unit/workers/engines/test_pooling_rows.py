from __future__ import annotations

from typing import Any

import pytest

from trainer.encoding import Encoded
from workers.engines.pooling_rows import read_answer
from workers.engines.protocol import EngineRefused, EngineUnavailable

ASKED = [Encoded([5, 9, 5, 9], [1, 3], 0), Encoded([5, 5, 9], [2], 0)]
FLAGS = "--the-flags"


def answer(*data: Any) -> dict[str, Any]:
    return {"data": [{"index": index, "data": rows} for index, rows in enumerate(data)]}


def test_the_second_of_two_numbers_is_the_probability_of_right() -> None:
    read = read_answer(answer([[0.25, 0.75], [0.5, 0.5]], [[1.0, 0.0]]), ASKED, FLAGS)
    assert read == [[0.75, 0.5], [0.0]]


def test_answers_are_put_in_the_order_of_the_inputs() -> None:
    shuffled = answer([[0.25, 0.75], [0.5, 0.5]], [[1.0, 0.0]])
    shuffled["data"].reverse()
    assert read_answer(shuffled, ASKED, FLAGS) == [[0.75, 0.5], [0.0]]


def test_a_row_may_miss_one_by_what_bfloat16_rounds_away() -> None:
    assert read_answer(answer([[0.258, 0.746], [0.5, 0.5]], [[1, 0]]), ASKED, FLAGS)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (
            [],
            "no row for a solution of 2 steps: its step_tag_id is another one; start it with --the",
        ),
        ([[0.5, 0.5]] * 4, "one row per token .4 for 2 steps.* start it with --the-flags"),
        ([[0.5, 0.5]] * 3, "3 rows for a solution of 2 steps"),
        ([[0.5, 0.5]], "1 rows for a solution of 2 steps"),
        ([0.1, 0.2, 0.3], "one vector instead of a row per step"),
        ([[0.5], [0.5]], "a row of 1 numbers instead of .wrong, right."),
        ([[0.5, 0.5], [0.2, 0.3, 0.5]], "a row of 3 numbers"),
        ([[-2.7, 3.7], [2.2, -1.7]], "raw logits: start it without .use_activation.: false"),
        ([[0.5, 0.5], [0.6, 0.7]], r"returned \[0.6, 0.7\], which are no probabilities"),
        ([[0.5, 0.5], [-0.1, 1.1]], r"raw logits"),
    ],
)
def test_a_server_that_was_started_wrongly_is_told_what_to_change(rows: Any, words: str) -> None:
    with pytest.raises(EngineUnavailable, match=words) as caught:
        read_answer(answer(rows, [[1.0, 0.0]]), ASKED, FLAGS)
    assert not caught.value.retry


@pytest.mark.parametrize("number", [float("nan"), float("inf"), None, "0.5"])
def test_a_solution_whose_numbers_overflow_is_refused_alone(number: Any) -> None:
    first, second = read_answer(answer([[0.5, 0.5], [number, 0.5]], [[0, 1]]), ASKED, FLAGS)
    assert isinstance(first, EngineRefused)
    assert "no finite number" in str(first)
    assert second == [1.0]


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {},
        {"data": 5},
        {"data": [5, 6]},
        {"data": [{"index": 0}, {"index": 1}]},
        {"data": [{"index": 0, "data": []}, {"index": 0, "data": []}]},
        {"data": [{"index": "a", "data": []}, {"index": 1, "data": []}]},
        answer([[0.5, 0.5]] * 2),
        answer("AAAA", [[1.0, 0.0]]),
        answer([[0.5, 0.5], 7], [[1.0, 0.0]]),
    ],
)
def test_what_is_no_answer_of_pooling_is_unavailable(wrong: Any) -> None:
    with pytest.raises(EngineUnavailable):
        read_answer(wrong, ASKED, FLAGS)
