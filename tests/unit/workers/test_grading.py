"""Answers are graded as people would, within hard limits, and never run as code."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling.domain.answers import MAX_ANSWER
from workers.grading import Grade, Grader, GraderUnavailable, shared_grader

HANG = r"\Gamma(10^6)"
"""Small enough to be tried, far too slow to end."""

STALL = 2.0
"""No answer may cost its caller more, in seconds of wall time."""


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader() as grader:
        grader.grade("x", "y + z")  # the child is up
        yield grader


def test_a_grade_says_who_decided(grader: Grader) -> None:
    assert grader.grade("1,234", "1234") == Grade(True, "exact")
    assert grader.grade("5", "6") == Grade(False, "exact")
    assert grader.grade("5", None) == Grade(False, "exact")
    assert grader.grade(r"\sqrt{8}", r"2\sqrt{2}") == Grade(True, "math-verify")
    assert grader.grade("x+1", "x-1") == Grade(False, "math-verify")
    assert grader.grade("x+1", "9^{9^9}") == Grade(False, "too big")
    assert grader.grade("9^{9^9}", "$9^{9^{9}}$") == Grade(True, "exact")
    assert grader.grade("x+1", HANG) == Grade(False, "timeout")


def test_plain_answers_need_no_worker() -> None:
    with Grader() as grader:
        began = time.monotonic()
        assert grader.grade(r"\frac{1}{2}", "0.5") == Grade(True, "exact")
        assert grader.grade("(1,2)", "(2,1)") == Grade(False, "exact")
        assert time.monotonic() - began < 0.2  # the child takes longer to start
        assert grader._pool._idle == []


@pytest.mark.parametrize(
    "hostile",
    [
        "9^{9^9}",
        "10^{10^{10}}",
        "(10^8)!",
        HANG,
        r"\operatorname{zeros}(99999,99999)",
        r"\sum_{n=1}^{10000000} n^{0.5}",
        r"\prod_{k=1}^{9999}(x+k)",
        r"(x+y+z+w)^{200}",
        r"\int\int\int\int\int\int\int\int e^{xy}",
        r"x\in x\in x\in x\in x",
        r"\lim_{x\to0}\frac{\sin(\tan x)-\tan(\sin x)}{x^7}",
        r"x^5+x+1=0",
        "(" * 500 + "x" + ")" * 500,
        "{" * 900 + "}" * 900,
        r"\frac{" * 300,
        "|x|" * 60,
        "x^" * 600 + "x",
        "1" * MAX_ANSWER,
        "x" * 10**6,
        r"\text{" * 300,
        ",".join(f"x_{{{n}}}" for n in range(250)),
        "\0\ud800\u200b",
    ],
)
def test_a_hostile_answer_stalls_nobody(grader: Grader, hostile: str) -> None:
    for gold, prediction in (("y^2+1", hostile), (hostile, "y^2+1")):
        began = time.monotonic()
        assert not grader.grade(gold, prediction).correct
        assert time.monotonic() - began < STALL
        began = time.monotonic()
        assert grader.grade("x+y", f"y+x+{time.monotonic_ns()}-x").by == "math-verify"
        assert time.monotonic() - began < STALL / 2  # the next worker is there at once


def test_a_hang_is_remembered(grader: Grader) -> None:
    assert grader.grade("1", HANG) == Grade(False, "timeout")
    began = time.monotonic()
    assert grader.grade("1", HANG) == Grade(False, "timeout")
    assert time.monotonic() - began < 0.1


def test_memory_is_limited(grader: Grader) -> None:
    # 2^14285 has 4,300 digits; the matrix of the power would take 8 GB
    wide = r"\begin{pmatrix}" + "&".join(["2^{14000}"] * 60) + r"\end{pmatrix}"
    assert not grader.grade("x", wide).correct
    assert grader.grade("x+3", "3+x").correct


def test_answers_are_not_run_as_code(grader: Grader, tmp_path: Path) -> None:
    target = tmp_path / "touched"
    payload = f"__import__('pathlib').Path('{target}').touch()"
    wraps = ["{}", "${}$", r"\text{{{}}}", "eval({!r})", r"\boxed{{{}}}", "x_{{{}}}", "f({})"]
    wraps += [r"\operatorname{{{}}}", "{{x.__class__: {}}}", "x;{}", "x={}", "(1,{})", "{}!"]
    for wrap in wraps:
        for gold in ("1", "x+1", wrap.format("open")):
            grader.grade(gold, wrap.format(payload))
            grader.grade(wrap.format(payload), gold)
    assert not target.exists()


def test_line_breaks_and_quotes_in_answers_keep_the_protocol(grader: Grader) -> None:
    grader.grade("x", 'a\n"b"\r\nnull\ntrue')
    assert grader.grade("x+2", "2+x").correct


COMMANDS = ["frac", "sqrt", "text{", "\\", "{", "}", "left(", "pm", "cup", "in", "sum_", "int"]
COMMANDS += ["lim", "binom", "sin", "log", "operatorname{", "begin{pmatrix}", "end{pmatrix}"]
SIGNS = "0123456789xyzABei+-*/=<>^_{}()[]|,;.:!%$&' ½∞²√"
LATEX = st.lists(
    st.sampled_from([*SIGNS, *(f"\\{command}" for command in COMMANDS)]), max_size=30
).map("".join)


@settings(max_examples=60)
@given(LATEX | st.text(max_size=30), LATEX)
def test_garbage_neither_raises_nor_stalls(grader: Grader, gold: str, prediction: str) -> None:
    began = time.monotonic()
    grader.grade(gold, prediction)
    assert time.monotonic() - began < STALL


def test_threads_share_one_grader_and_a_hang_delays_none_of_them(grader: Grader) -> None:
    grades: list[Grade] = []
    seconds: list[float] = []

    def work(number: int) -> None:
        began = time.monotonic()
        if number % 3 == 0:
            grader.grade(f"{number}", rf"\Gamma(10^6+{number})")
        else:
            grades.append(grader.grade(f"{number}+x+y", f"x+{number}+y"))
        seconds.append(time.monotonic() - began)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2, 11)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert grades == [Grade(True, "math-verify")] * 6
    assert max(seconds) < STALL


def test_who_finds_no_free_worker_is_told_so_in_time_and_asks_again_later() -> None:
    with Grader(seconds=0.5, workers=1) as grader:
        assert grader.grade("x+y", "y+x").correct
        hanging = threading.Thread(target=grader.grade, args=("1", HANG))
        hanging.start()
        time.sleep(0.2)
        with grader._pool._lock:  # no worker is free while another holds the only one
            assert not grader._pool._free.acquire(blocking=False)
        early = Grader.grade(grader, "x+4", "4+x")
        hanging.join()
        assert early in (Grade(False, "timeout"), Grade(True, "math-verify"))
        assert grader.grade("x+4", "4+x") == Grade(True, "math-verify")


def test_the_cache_forgets_the_oldest() -> None:
    with Grader(cache_size=2) as grader:
        for name in "abc":
            grader.grade("x", f"{name}+1")
        assert [key[1] for key in grader._cache] == ["b+1", "c+1"]


def test_a_grader_that_cannot_start_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with Grader() as grader:
        assert grader.grade("5", "5.0") == Grade(True, "exact")
        with pytest.raises(GraderUnavailable, match="math-verify"):
            grader.grade("x+1", "1+x")
        monkeypatch.undo()
        assert grader.grade("x+1", "1+x").correct  # once it can, it does


def test_a_process_has_one_shared_grader() -> None:
    assert shared_grader() is shared_grader()
