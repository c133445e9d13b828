"""Judges' replies of every shape that was seen or feared: read, or unscored with the reason."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.judge_templates.replies import (
    Parsed,
    Unparsed,
    read_analyses,
    read_boxed,
    read_checks,
)
from labeling.domain.labels import labels_up_to

READERS = [read_analyses, read_boxed, read_checks]


def verdict(first_error: int, step_count: int) -> Parsed:
    return Parsed(first_error, labels_up_to(first_error, step_count))


def analyses(*numbers: int, conclusion: str = "Incorrect") -> str:
    body = "\n".join(f"<analysis_{k}>\nchecked\n</analysis_{k}>" for k in numbers)
    return f"{body}\n<conclusion>\n{conclusion}\n</conclusion>"


@pytest.mark.parametrize(
    ("reply", "first_error"),
    [
        (analyses(1, 2, 3, 4, conclusion="Correct"), -1),
        (analyses(1, 2), 1),
        (analyses(1, 2, 3, 4), 3),  # stopped at the last paragraph
        (analyses(2), 1),  # only the wrong paragraph is discussed
        (analyses(1, 2, conclusion="incorrect"), 1),
        (analyses(1, conclusion="**Incorrect**."), 0),
        (analyses(1, conclusion=r"\boxed{\text{Incorrect}}".removeprefix(r"\boxed")), 0),
        (analyses(1, conclusion="The solution is **incorrect**."), 0),
        (analyses(1, 2, 3, 4, conclusion="Final verdict: Correct!"), -1),
        (analyses(1, 2).upper(), 1),
        # the published example closes analysis 2 with another's tag
        (
            "<analysis_1>a</analysis_1><analysis_2>b</analysis_3><conclusion>Incorrect</conclusion>",
            1,
        ),
        ("**<analysis_1>**\nfine\n**</analysis_2>**\n<conclusion>Incorrect</analysis_1>", 0),
        (r"< analysis\_2 >wrong</analysis\_2><conclusion>Incorrect</conclusion>", 1),
        ("<analysis 2>wrong</analysis 2><conclusion>Incorrect</conclusion>", 1),
        ("<analysis_1>never closed <conclusion> Incorrect", 0),
        ("```xml\n" + analyses(1, 2) + "\n```", 1),
        ("Sure! " + analyses(1, 2, 3, 4, conclusion="Correct") + "\nHope this helps.", -1),
        ("<think><analysis_4><conclusion>Correct</conclusion></think>" + analyses(1), 0),
        ("so <conclusion>Correct</conclusion>?</think>\n" + analyses(1), 0),  # begun in the prompt
        (analyses(1, 2) + "\n<conclusion>\nIncorrect\n</conclusion>", 1),
    ],
)
def test_paper_replies_are_read(reply: str, first_error: int) -> None:
    assert read_analyses(reply, 4) == verdict(first_error, 4)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("", "no conclusion"),
        ("<analysis_1>a</analysis_1>\nThe solution is correct.", "no conclusion"),
        ("<analysis_1>cut off in the mid", "no conclusion"),
        ("<think>" + analyses(1) + "</think>", "no conclusion"),
        ("<think>" + analyses(1), "the reply ends in the model's thoughts"),
        (analyses(1, conclusion="Incor"), "conclusion is neither Correct nor Incorrect"),
        (analyses(1, conclusion="Not correct"), "conclusion is neither Correct nor Incorrect"),
        (analyses(1, conclusion="In**correct**"), "conclusion is neither Correct nor Incorrect"),
        (
            analyses(1, conclusion="Correct or incorrect"),
            "conclusion is neither Correct nor Incorrect",
        ),
        (analyses(1, conclusion=""), "conclusion is neither Correct nor Incorrect"),
        (analyses(), "Incorrect without an analysis"),
        (analyses(1, 2, 3, 4, 5), "step number out of range"),
        (analyses(1, 2, 3, 4, 5, conclusion="Correct"), "step number out of range"),
        (analyses(0), "step number out of range"),
        (analyses(1, 2, 3, 2), "analyses out of order"),
        (analyses(1) + analyses(1, conclusion="Correct"), "contradictory conclusions"),
    ],
)
def test_paper_replies_without_a_clear_verdict_are_unscored(reply: str, reason: str) -> None:
    assert read_analyses(reply, 4) == Unparsed(reason)


@pytest.mark.parametrize(
    ("reply", "first_error"),
    [
        (r"The error is in \boxed{2}.", 2),
        (r"\boxed{-1}", -1),
        (r"\boxed{−1}", -1),
        (r"\boxed{–1}", -1),
        (r"\boxed{- 1}", -1),
        (r"\boxed{-1.0}", -1),
        (r"\boxed{(-1)}", -1),
        (r"\boxed{-{1}}", -1),
        (r"\boxed{ 0 }", 0),
        (r"\boxed {1}", 1),
        (r"\boxed{\text{1}}", 1),
        (r"\boxed{\mathbf{1}}", 1),
        (r"\boxed{**1**}", 1),
        (r"\boxed{paragraph_1}", 1),
        (r"\boxed{<paragraph_1>}", 1),
        (r"\boxed{\text{paragraph\_1}}", 1),
        (r"\boxed{\text{paragraph\_{1}}}", 1),
        (r"**Answer:** $$\boxed{1}$$", 1),
        (r"**\boxed{1}**", 1),
        (r"Paragraph says \boxed{40}, which is wrong: \boxed{1}", 1),
        (r"\boxed{1} (in \boxed{} as asked)", 1),
        (r"<think>\boxed{2}</think>\boxed{1}", 1),
        (r"[THINK]\boxed{2}[/THINK]\boxed{1}", 1),
    ],
)
def test_processbench_replies_are_read(reply: str, first_error: int) -> None:
    assert read_boxed(reply, 3) == verdict(first_error, 3)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("no box", "no boxed number"),
        (r"\boxed{}", "no boxed number"),
        (r"\boxed{1", "the box is not closed"),
        (r"Paragraph 0 ends in \boxed{2}, so the first error is \boxed{", "the box is not closed"),
        (r"<thinking>maybe \boxed{1}", "the reply ends in the model's thoughts"),
        (r"\boxed{none}", "boxed text is not a number"),
        (r"\boxed{1, 2}", "boxed text is not a number"),
        (r"\boxed{(1)(2)}", "boxed text is not a number"),
        (r"\boxed{1.5}", "boxed text is not a number"),
        (r"\boxed{step 1}", "boxed text is not a number"),  # people count steps from 1
        (r"\boxed{3}", "step number out of range"),
        (r"\boxed{-2}", "step number out of range"),
    ],
)
def test_processbench_replies_without_a_clear_verdict_are_unscored(reply: str, reason: str) -> None:
    assert read_boxed(reply, 3) == Unparsed(reason)


@pytest.mark.parametrize(
    ("reply", "first_error"),
    [
        (" Step 1: ok Step 2: ok Answer: ok", -1),
        (" Step 1: ok Step 2: wrong Answer: ok", 1),
        (" Step 1: ok Step 2: ok Answer: wrong", 2),
        ("Step 1: wrong", 0),  # cut short, but the first error is known
        ("step 1: OK\nstep 2: WRONG", 1),
        ("- **Step 1:** ok\n- **Step 2**: **wrong**", 1),
        ("Step 1: ok Step 2: ok Step 3: ok", -1),
        ("<think>Step 1: wrong?</think> Step 1: ok Step 2: wrong", 1),
    ],
)
def test_check_replies_are_read(reply: str, first_error: int) -> None:
    assert read_checks(reply, 3) == verdict(first_error, 3)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("", "fewer verdicts than steps"),
        ("Step 1: ok Step 2: o", "fewer verdicts than steps"),
        ("Step 1: ok Step 2: okay Answer: ok", "verdicts out of order"),
        ("Step 1: ok Step 3: wrong", "verdicts out of order"),
        ("Step 1: ok Answer: wrong", "verdicts out of order"),
        ("Step 1: ok Step 2: not ok", "fewer verdicts than steps"),
        ("Step 1: ok Step 2: ok Step 3: ok Answer: ok", "more verdicts than steps"),
        ("<think>Step 1: wrong", "the reply ends in the model's thoughts"),
    ],
)
def test_check_replies_without_a_clear_verdict_are_unscored(reply: str, reason: str) -> None:
    assert read_checks(reply, 3) == Unparsed(reason)


PIECES = st.sampled_from(
    [r"\boxed{", "}", "{", "-1", "0", "2", "7", "<analysis_1>", "<analysis_2>", "</analysis_1>",
     "<conclusion>", "</conclusion>", "Correct", "Incorrect", "**", "Step 1: ok", "Step 2: wrong",
     "Answer: ok", "<think>", "</think>", "\n", " ", "٣", "²"]
)  # fmt: skip
replies = st.lists(PIECES | st.text(max_size=5), max_size=12).map("".join) | st.text()


@pytest.mark.parametrize("read", READERS)
@given(reply=replies, step_count=st.integers(1, 9))
def test_any_reply_is_read_or_unscored_but_never_an_error(
    read, reply: str, step_count: int
) -> None:
    reading = read(reply, step_count)
    if isinstance(reading, Parsed):
        assert reading == verdict(reading.first_error, step_count)
        assert -1 <= reading.first_error < step_count
    else:
        assert reading.reason


@pytest.mark.parametrize("read", READERS)
@given(reply=replies, thoughts=replies, step_count=st.integers(1, 4))
def test_what_a_model_thinks_before_it_answers_changes_nothing(
    read, reply: str, thoughts: str, step_count: int
) -> None:
    assert read(f"<think>{thoughts}</think>{reply}", step_count) == read(reply, step_count)


@given(first_error=st.integers(-1, 6), step_count=st.integers(1, 7), filler=st.text("ab .*\n<>"))
def test_every_verdict_can_be_said_in_every_form(
    first_error: int, step_count: int, filler: str
) -> None:
    if first_error >= step_count:
        return
    wrong = first_error >= 0
    last = first_error if wrong else step_count - 1
    examined = range(1, last + 2)
    names = [f"Step {k}" for k in range(1, step_count)] + ["Answer"]
    words = ["wrong" if k == first_error else "ok" for k in range(step_count)]
    said = {
        read_analyses: analyses(*examined, conclusion="Incorrect" if wrong else "Correct"),
        read_boxed: rf"**\boxed{{{first_error}}}**",
        read_checks: " ".join(f"{n}: {w}" for n, w in zip(names, words, strict=True)),
    }
    for read, reply in said.items():
        assert read(f"{filler}\n{reply}", step_count) == verdict(first_error, step_count)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    "endless",
    [r"\boxed{", r"\boxed{a", r"\boxed{{{a}", "{a{b}", "<conclusion>", "< ", "Step ", "answer** ",
     "<think>", "</think>", "<analysis_1>", "<conclusion>the "],
)  # fmt: skip
def test_a_reply_that_repeats_itself_without_end_is_read_in_time(read, endless: str) -> None:
    begin = time.perf_counter()
    read(r"\boxed{" + endless * 20_000, 3)
    assert time.perf_counter() - begin < 1.0
