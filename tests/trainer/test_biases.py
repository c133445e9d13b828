from __future__ import annotations

from tests.trainer.test_evaluation import item
from trainer.biases import flawed_processes, minimum_at_last_step
from trainer.evaluation import Prediction


def flawed(number: int, label: int, prediction: int | None, split: str = "s") -> Prediction:
    return Prediction(str(number), split, label, prediction, (), final_answer_correct=True)


def test_right_answers_with_a_wrong_step_are_counted_apart() -> None:
    # s: of two flawed solutions one is located, both are detected. t: one of one, missed.
    rows = [flawed(0, 2, 2), flawed(1, 1, 0), flawed(2, -1, -1), item(3, 1, 1)]
    rows += [flawed(4, 1, -1, "t")]
    result = flawed_processes(rows)
    assert {name: split.solutions for name, split in result.splits.items()} == {"s": 2, "t": 1}
    assert (result.splits["s"].located, result.splits["s"].detected) == (0.5, 1.0)
    assert (result.located, result.detected) == (0.25, 0.5)  # unweighted


def test_no_prediction_detects_nothing() -> None:
    assert flawed_processes([flawed(0, 1, None)]).detected == 0.0


def test_without_flawed_solutions_there_is_no_share() -> None:
    assert flawed_processes([item(0, 1, 1)]).located is None
    assert minimum_at_last_step([()]) is None


def test_a_solution_without_scores_has_no_lowest_step() -> None:
    assert minimum_at_last_step([(), (0.9, 0.1)]) == 1.0
