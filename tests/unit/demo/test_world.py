"""The truth about solutions, by hand and by property."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo import world
from labeling.domain import judging, prompts, steps

# 9 + 4 = 13, so 3; 3 * 5 = 15, so 5.
STATEMENT = "9 + 4 * 5?"
RIGHT = ("Step 1: 9 + 4 = 3", "Step 2: 3 * 5 = 5", "Answer: 5")

chains = st.builds(
    world.Chain,
    st.integers(0, 9),
    st.lists(
        st.tuples(st.just("+"), st.integers(1, 9))
        | st.tuples(st.just("*"), st.sampled_from(world.MULTIPLIERS)),
        min_size=1,
        max_size=8,
    ).map(tuple),
)


def labels(*lines: str) -> tuple[int, ...]:
    return world.truth(STATEMENT, lines).step_labels


def test_the_reference_is_worked_off_from_left_to_right_modulo_ten() -> None:
    assert world.reference_steps(STATEMENT) == RIGHT
    # Were * first: 9 + 20 = 29, so 9.
    assert world.reference_steps("2 * 5 + 7?")[-1] == "Answer: 7"  # 10 -> 0; 0 + 7 = 7


def test_a_right_solution_has_no_error() -> None:
    assert world.truth(STATEMENT, RIGHT) == world.Truth((1, 1, 1), -1)


def test_a_wrong_result_is_wrong_once_and_what_follows_from_it_is_right() -> None:
    # 4 * 5 = 20, so 0: right given the line before, and the answer repeats it.
    lines = ("Step 1: 9 + 4 = 4", "Step 2: 4 * 5 = 0", "Answer: 0")
    assert world.truth(STATEMENT, lines) == world.Truth((-1, 1, 1), 0)


def test_a_wrong_step_can_lead_to_the_right_answer() -> None:
    # 1 * 5 = 5 as 3 * 5 = 15 does.
    assert labels("Step 1: 9 + 4 = 1", "Step 2: 1 * 5 = 5", "Answer: 5") == (-1, 1, 1)


def test_a_silent_return_to_the_right_value_is_wrong_too() -> None:
    assert labels("Step 1: 9 + 4 = 4", "Step 2: 3 * 5 = 5", "Answer: 5") == (-1, -1, 1)


@pytest.mark.parametrize(
    "line",
    [
        "Step 1: 9 + 4 = 2",  # wrong result
        "Step 1: 9 + 5 = 4",  # not the problem's number
        "Step 1: 9 * 4 = 6",  # not the problem's sign
        "Step 1: 8 + 4 = 2",  # not the value it starts from
        "Step 1: 4 + 9 = 3",  # turned around
        "Step 1: 9 + 4 = 13",  # not reduced
        "Step 1: 9 + 4 = ",  # broken off
        "Step 1: 9 + 4 =",
        "Step 2: 9 + 4 = 3",  # wrong number
        "Step 2: 3 * 5 = 5",  # a step left out
        "step 1: 9 + 4 = 3",
        "Step 1: 9  + 4 = 3",
        "Step 1: 9 + 4 = 3 Step 2: 3 * 5 = 5",  # two in one
        "Step 1: 9 + 4 = 3\nStep 2: 3 * 5 = 5",
        "Step 1: 9 + 4 = ٣",  # a digit, but not ASCII
        "Answer: 9",  # too early, though it repeats the value
        "Answer: 5",  # the right answer, too early
        "Answer:",
        "Problem: 9 + 4 * 5?",
        "Check: Step 1: ok",
        "<eos>",
        "nonsense",
        "",
    ],
)
def test_a_first_line_that_does_not_follow_is_wrong(line: str) -> None:
    assert world.truth(STATEMENT, [line]) == world.Truth((-1,), 0)


def test_white_space_around_a_line_does_not_count() -> None:
    assert labels(" Step 1: 9 + 4 = 3\n", "Step 2: 3 * 5 = 5", " Answer: 5") == (1, 1, 1)


def test_nothing_follows_an_unreadable_line() -> None:
    assert labels("Step 1: 9 + 4 = 3!", "Step 2: 3 * 5 = 5", "Answer: 5") == (-1, -1, 1)


def test_a_repeated_line_is_wrong_and_so_is_the_shifted_rest() -> None:
    assert labels(RIGHT[0], RIGHT[0], RIGHT[1], RIGHT[2]) == (1, -1, -1, -1)


def test_after_a_left_out_step_only_the_answer_can_be_early() -> None:
    # Line 2 should be step 2 itself; "Answer" stands where step 2 belongs.
    assert labels(RIGHT[0], "Answer: 3") == (1, -1)


def test_everything_after_the_answer_is_wrong() -> None:
    assert labels(*RIGHT, "Answer: 5", "Step 3: 5 + 1 = 6") == (1, 1, 1, -1, -1)


def test_a_step_too_many_is_wrong() -> None:
    assert labels(*RIGHT[:2], "Step 3: 5 + 1 = 6", "Answer: 6") == (1, 1, -1, -1)


def test_the_answer_line_must_repeat_the_last_value_and_nothing_else() -> None:
    assert labels(*RIGHT[:2], "Answer: 6") == (1, 1, -1)
    # The value of the wrong last step, repeated: the mistake was made in step 2.
    assert labels(RIGHT[0], "Step 2: 3 * 5 = 8", "Answer: 8") == (1, -1, 1)
    # The problem's answer, but not what the line before says.
    assert labels(RIGHT[0], "Step 2: 3 * 5 = 8", "Answer: 5") == (1, -1, -1)


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_a_solution_that_breaks_off_has_no_wrong_line_for_that(kept: int) -> None:
    assert world.truth(STATEMENT, RIGHT[:kept]) == world.Truth((1,) * kept, -1)


@pytest.mark.parametrize(
    "statement",
    [
        "",
        "9",
        "9?",
        "9 + 4",
        "9 - 4?",
        "9 + 14?",
        "9+4?",
        "9 + 4?\n",
        " 9 + 4?",
        "9" + " + 1" * 9 + "?",
    ],
)
def test_a_statement_of_another_world_is_refused(statement: str) -> None:
    with pytest.raises(ValueError, match="not a chain"):
        world.truth(statement, RIGHT)


@given(chains)
def test_the_reference_is_right_and_ends_with_the_answer(chain: world.Chain) -> None:
    lines = world.reference_steps(chain.statement)
    assert world.read(chain.statement) == chain
    assert world.truth(chain.statement, lines) == world.Truth((1,) * len(lines), -1)
    value = chain.start  # computed here without world.apply
    for sign, number in chain.moves:
        value = value + number if sign == "+" else value * number
    assert lines[-1] == f"Answer: {value % 10}"


@given(chains, st.data())
def test_the_line_whose_value_is_changed_is_the_first_error(
    chain: world.Chain, data: st.DataObject
) -> None:
    lines = list(world.reference_steps(chain.statement))
    k = data.draw(st.integers(0, len(lines) - 1))
    shift = data.draw(st.integers(1, 9))
    lines[k] = lines[k][:-1] + str((int(lines[k][-1]) + shift) % 10)
    found = world.truth(chain.statement, lines)
    assert found.first_error == k
    # Only the line itself and the next one, which starts from the unchanged value, are wrong.
    assert found.step_labels == tuple(-1 if i in (k, k + 1) else 1 for i in range(len(lines)))


@given(chains, st.data())
def test_a_wrong_value_carried_on_correctly_stays_the_only_error(
    chain: world.Chain, data: st.DataObject
) -> None:
    k = data.draw(st.integers(0, len(chain.moves) - 1))
    lines = list(world.reference_steps(chain.statement)[: k + 1])
    lines[k] = lines[k][:-1] + str((int(lines[k][-1]) + data.draw(st.integers(1, 9))) % 10)
    while (line := world.next_step(chain.statement, lines)) is not None:
        lines.append(line)
    assert len(lines) == len(chain.moves) + 1
    assert world.truth(chain.statement, lines).first_error == k
    assert sum(world.truth(chain.statement, lines).step_labels) == len(lines) - 2


@given(chains, st.lists(st.text(max_size=30) | st.sampled_from(RIGHT), max_size=6))
def test_any_lines_get_one_label_each_whatever_follows_them(
    chain: world.Chain, lines: list[str]
) -> None:
    found = world.truth(chain.statement, lines)
    assert len(found.step_labels) == len(lines)
    assert set(found.step_labels) <= {1, -1}
    for end in range(len(lines)):
        assert world.truth(chain.statement, lines[:end]).step_labels == found.step_labels[:end]


def test_problems_are_distinct_named_and_in_range() -> None:
    drawn = world.problems(3, 400, min_moves=3, max_moves=6)
    assert len({p.statement for p in drawn}) == len({p.external_id for p in drawn}) == 400
    assert {len(world.read(p.statement).moves) for p in drawn} == {3, 4, 5, 6}
    assert all(world.reference_steps(p.statement)[-1] == f"Answer: {p.answer}" for p in drawn)


def test_problems_follow_from_the_seed_and_the_first_do_not_depend_on_the_count() -> None:
    state = random.getstate()
    assert world.problems(3, 50)[:20] == world.problems(3, 20)
    assert world.problems(3, 20) != world.problems(4, 20)
    assert random.getstate() == state


@pytest.mark.parametrize(("low", "high"), [(0, 3), (4, 3), (1, 9)])
def test_a_range_of_moves_that_cannot_be_is_refused(low: int, high: int) -> None:
    with pytest.raises(ValueError, match="moves"):
        world.problems(0, 1, min_moves=low, max_moves=high)


def test_more_problems_than_the_world_holds_are_refused() -> None:
    # One move: 10 starts * (9 addends + 4 different multipliers) = 130, half of them at most.
    assert len(world.problems(0, 65, min_moves=1, max_moves=1)) == 65
    with pytest.raises(ValueError, match="at most 65"):
        world.problems(0, 66, min_moves=1, max_moves=1)


def test_prompts_are_those_of_the_products_templates() -> None:
    for kept in (0, 1, 3):
        ours = world.solve_prompt(STATEMENT, RIGHT[:kept])
        assert ours == prompts.render("plain-v1", STATEMENT, RIGHT[:kept])
    ours = world.check_prompt(STATEMENT, RIGHT)
    assert ours == judging.judge_template("check-v1").render(STATEMENT, RIGHT)
    assert ours == (
        "Problem: 9 + 4 * 5?\n\nStep 1: 9 + 4 = 3\n\nStep 2: 3 * 5 = 5\n\nAnswer: 5\n\nCheck:"
    )


def test_solutions_split_as_the_product_splits_them() -> None:
    text = world.solution_text(RIGHT) + "\n\n"
    assert world.split_steps(text) == steps.split(text).parts == RIGHT
    assert world.split_steps("\n\n \n\n") == ()


def test_the_product_reads_the_reply_that_the_checkpoint_is_taught() -> None:
    reply = world.check_reply((1, -1, 1))
    assert reply == " Step 1: ok Step 2: wrong Answer: ok"
    read = judging.judge_template("check-v1").parse(reply, 3)
    assert isinstance(read, judging.Parsed)
    assert read.first_error == 1


def test_the_example_of_the_guidelines_is_true() -> None:
    lines = ("Step 1: 9 + 4 = 4", "Step 2: 4 * 5 = 0", "Answer: 0")
    assert all(f"`{line}`" in world.GUIDELINES for line in lines)
    assert labels(*lines) == (-1, 1, 1)
