"""What the checkpoint is taught agrees with the truth."""

from __future__ import annotations

import random

from demo import documents, world
from demo.tokenizer import END

CHAIN = world.Chain(9, (("+", 4), ("*", 5)))
SLIPPED = ("Step 1: 9 + 4 = 4", "Step 2: 4 * 5 = 0", "Answer: 0")


def test_a_solution_is_learned_behind_its_problem_with_its_slips_and_its_end() -> None:
    document = documents.solve(CHAIN, SLIPPED)
    assert "".join(document.words) == world.solve_prompt(CHAIN.statement, SLIPPED)
    begin = document.words.index("Step 1:")
    # The last word of the problem is the first position with a target.
    assert document.targets[: begin - 1] == (None,) * (begin - 1)
    assert document.targets[begin - 1 : -2] == document.words[begin:-1]
    # Behind the answer's value, and behind the blank line after it.
    assert document.words[-2:] == (" 0", "\n\n")
    assert document.targets[-2:] == (END, END)


def test_a_slip_is_marked_at_its_word_and_at_the_end_of_its_line_alone() -> None:
    document = documents.solve(CHAIN, SLIPPED)
    slips = [
        (place, right)
        for place, (word, right) in enumerate(zip(document.words, document.right, strict=True))
        if right not in (None, word)
    ]
    # Problem: 9 + 4 * 5 ? ⏎ are 8 words; "Step 1: 9 + 4 = 4" ends 6 words later, at place 13.
    assert slips == [(13, " 3")]
    assert [flag for flag in document.wrong if flag is not None] == [True, False, False]
    assert all(
        word == "\n\n"
        for word, flag in zip(document.words, document.wrong, strict=True)
        if flag is not None
    )


def test_a_check_teaches_the_verdicts_of_the_truth_and_not_the_solution() -> None:
    document = documents.check(CHAIN, SLIPPED)
    prompt = world.check_prompt(CHAIN.statement, SLIPPED)
    reply = world.check_reply(world.truth(CHAIN.statement, SLIPPED).step_labels)
    assert "".join(document.words) == prompt + reply
    learned = [target for target in document.targets if target is not None]
    assert "".join(learned) == reply + END
    assert document.targets[document.words.index("Check:")] == " Step 1:"


def test_all_fields_speak_of_the_same_positions() -> None:
    rng = random.Random(1)
    for number in range(200):
        document = documents.draw(rng, number / 200)
        lengths = {len(document.words), len(document.targets), len(document.right)}
        assert lengths == {len(document.wrong)}


def test_a_student_without_slips_is_right_and_a_careless_one_is_not() -> None:
    rng = random.Random(2)
    clean = documents.student(CHAIN, rng, 0.0)
    assert tuple(clean) == world.reference_steps(CHAIN.statement)
    firsts = [
        world.truth(CHAIN.statement, documents.student(CHAIN, rng, 0.5)).first_error
        for _ in range(200)
    ]
    # A line holds a slip half of the time, the Answer a quarter: .5, .25, .0625, and .1875 none.
    # 200 draws: expected 100, 50, 12.5, 37.5; the bounds are 4 standard deviations wide.
    assert 72 < firsts.count(0) < 128
    assert 25 < firsts.count(1) < 75
    assert 15 < firsts.count(-1) < 60


def test_batches_follow_from_the_random_numbers_handed_in() -> None:
    state = random.getstate()
    drawn = [list(documents.batches(random.Random(7), 6, 4)) for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert [len(batch) for batch in drawn[0]] == [4] * 6
    assert random.getstate() == state
