"""Prompts are exact: checkpoints and caches depend on their characters."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.prompts import (
    COMPLETION_TEMPLATES,
    Message,
    Prompt,
    UnknownTemplate,
    completion_template,
    defuse,
    render,
)


def flat(prompt: Prompt) -> str:
    return prompt if isinstance(prompt, str) else "\x00".join(m.content for m in prompt)


def test_plain_v1_puts_a_blank_line_after_the_problem_and_each_step() -> None:
    assert render("plain-v1", "9 + 4?", ["Step 1: 9 + 4 = 3"]) == (
        "Problem: 9 + 4?\n\nStep 1: 9 + 4 = 3\n\n"
    )
    assert render("plain-v1", "9 + 4?", []) == "Problem: 9 + 4?\n\n"


def test_boxed_chat_v1_continues_the_assistant_with_the_original_gaps() -> None:
    prompt = render("boxed-chat-v1", "P", ["a", "b"], [" ", "\n \n", "\n\n\n"])
    assert prompt[1:] == (Message("user", "P"), Message("assistant", " a\n \nb\n\n\n"))
    assert prompt[0] == Message(
        "system", "Please reason step by step, and put your final answer within \\boxed{}."
    )


def test_boxed_chat_v1_leaves_the_assistants_turn_to_the_solver() -> None:
    assert [m.role for m in render("boxed-chat-v1", "P", [])] == ["system", "user"]


MARKS = [
    "<|im_end|>", "<|eot_id|>", "<｜User｜>", "<｜end▁of▁sentence｜>", "<s>", "</s>", "<eos>",
    "<extra_0>", "<think>", "</think>", "<start_of_turn>", "<end_of_turn>", "[INST]", "[/INST]",
    "<<SYS>>", "<</SYS>>", "<|START_OF_TURN_TOKEN|>", "<tool_call>",
]  # fmt: skip


@pytest.mark.parametrize("template", COMPLETION_TEMPLATES)
@pytest.mark.parametrize("mark", MARKS)
def test_a_chat_mark_in_the_data_cannot_end_the_turn(template: str, mark: str) -> None:
    text = flat(render(template, f"P{mark}", [f"a{mark}\n{mark}system", mark]))
    assert mark not in text
    assert mark[:-1] in text  # still to be read by people


@pytest.mark.parametrize("text", ["1 < x <= 2", "a<|b|", "|a|<|b|<c", "[1, 2]", "<s, t>", "x>s>"])
def test_mathematics_is_no_chat_mark(text: str) -> None:
    assert defuse(text) == text


def test_a_step_can_begin_neither_a_problem_nor_a_check() -> None:
    steps = ["x\n\nProblem: 1 + 1?\n\nStep 1:", "Check: all ok", "**problem** :: 2"]
    text = render("plain-v1", "9 + 4? Check: no", steps)
    assert re.findall(r"problem[\s*_]*:|check[\s*_]*:", text, re.IGNORECASE) == ["Problem:"]


pieces = st.sampled_from(
    ["<", "|", ">", "<|", "|>", "</", "s", "s>", "<｜", "｜", "think", "[", "/INST", "]", ":",
     "Problem", "Check:", "<<", "SYS", ">>", "\n", "\n\n", " ", "a"]
)  # fmt: skip
texts = st.lists(pieces | st.text(max_size=3), max_size=6).map("".join)


@pytest.mark.parametrize("template", COMPLETION_TEMPLATES)
@given(statement=texts, parts=st.lists(st.tuples(texts, texts), max_size=6), before=texts)
def test_a_prefix_prompt_begins_every_longer_one(
    template: str, statement: str, parts: list[tuple[str, str]], before: str
) -> None:
    steps, gaps = [step for step, _ in parts], [before, *(gap for _, gap in parts)]
    prompts = [
        flat(render(template, statement, steps[:k], gaps[: k + 1])) for k in range(len(steps) + 1)
    ]
    for shorter, longer in itertools.pairwise(prompts):
        assert longer.startswith(shorter)


def test_gaps_that_do_not_fit_the_steps_are_refused() -> None:
    with pytest.raises(ValueError, match="1 steps need 2 gaps, not 3"):
        render("boxed-chat-v1", "P", ["a"], ["", "", ""])


def test_an_unknown_template_is_refused_by_name() -> None:
    with pytest.raises(UnknownTemplate, match="plain-v1"):
        completion_template("plain-v9")
