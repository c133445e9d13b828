"""Mathematics is found where it is, and money stays money."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.mathtext import Kind, segments


def mathematics(text: str) -> list[str]:
    return [s.source for s in segments(text) if s.kind in (Kind.INLINE, Kind.DISPLAY)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("so $x$ and $y + 1$", ["x", "y + 1"]),
        (r"\(a\) then \[b\]", ["a", "b"]),
        ("$$\nc = 1\n$$", ["c = 1"]),
        ("at $ x $ here", ["x"]),
        (r"with $\$32$ left", [r"\$32"]),
        (r"of $\$$10,000 at 6$\%$", [r"\$", r"\%"]),
        (r"$60\%$2", [r"60\%"]),
        (r"\begin{align*} a &= b \\ c \end{align*}", [r"\begin{align*} a &= b \\ c \end{align*}"]),
        (r"$5 \text{ dollars and cents}$", [r"5 \text{ dollars and cents}"]),
        ("costs $5, so $x = 3$ holds", ["x = 3"]),
        (r"so \boxed{11} or \frac{1}{\sqrt{2}}", [r"\boxed{11}", r"\frac{1}{\sqrt{2}}"]),
        (r"\frac43 of \pi^2, \sqrt[3]{2}", [r"\frac43", r"\pi^2", r"\sqrt[3]{2}"]),
        (r"at \left(\dfrac{20}{3},0\right).", [r"\left(\dfrac{20}{3},0\right)"]),
        (r"among $\angle GAB, \angle GAC$ and", [r"\angle GAB, \angle GAC"]),
        (r"\begin{tabular}{c} x \end{tabular}", [r"\begin{tabular}{c} x \end{tabular}"]),
    ],
)
def test_tex_is_found_between_its_delimiters(text: str, expected: list[str]) -> None:
    assert mathematics(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "$5 and $7",
        "She had $300 - $100 = $200 left",
        "$6.00/plate = $18.00.",
        "$180(1-0.5)=$90",
        "He earned $50 + $8 = $<<50+8=58>>58",
        "Dan has $ 4. He bought a bar for $ 8.",
        "A: $4,902 \nB: $8,902",
        "between $5-$10",
        "a price of $12 per pound or 9$",
        "I have $20.\n\nYou have 5$",
        r"\$5 and \$7",
        r"an unclosed \[ x",
        r"an unknown \begin{enumerate} x \end{enumerate}",
        r"a folder C:\included and a \textbook",
        r"\frac{1}{2",
        "```\nprice = '$x$'\n```",
        r"the code `\frac{1}{2}` and ``a ` $y$``",
    ],
)
def test_money_and_unclosed_delimiters_are_text(text: str) -> None:
    assert mathematics(text) == []


def test_calculator_marks_are_pieces_of_their_own() -> None:
    found = list(segments("She has 48/2 = <<48/2=24>>24."))
    assert [(s.kind, s.source) for s in found] == [
        (Kind.TEXT, "She has 48/2 = "),
        (Kind.MARK, "48/2=24"),
        (Kind.TEXT, "24."),
    ]


@given(st.text(alphabet="$\\[]()ab 1<>=\n{}", max_size=200))
def test_no_plain_character_is_lost(text: str) -> None:
    kept = "".join(s.source for s in segments(text))
    for sign in "ab1":
        assert kept.count(sign) == text.count(sign)


BAITS = ["\\[", "$", "$a ", "\\begin{align}", "<<1=", "\\(", "$$x", "`", "``a`", "[asy]", "\\frac{",
         "\\frac{a}{", "\\left(", "\\sqrt[", "\\frac{{a}{", "\\pi^{"]  # fmt: skip


@pytest.mark.parametrize("bait", BAITS)
def test_hostile_repetition_takes_linear_time(bait: str) -> None:
    # 200,000 characters: a quadratic scan would take minutes, not the suite's patience
    assert list(segments(bait * (200_000 // len(bait))))


def test_no_price_of_a_grade_school_problem_becomes_mathematics(shared_data: Path) -> None:
    lines = (shared_data / "problems" / "gsm8k_test.jsonl").read_text().splitlines()
    # GSM8K writes plain text: every dollar in its problems is money
    wrong = [m for line in lines for m in mathematics(json.loads(line)["problem"])]
    assert wrong == []


def test_a_drawing_is_a_piece_of_its_own_with_the_dollars_in_its_labels() -> None:
    found = list(segments('See [asy]label("$A$", (0,0));[/asy] here'))
    assert [s.kind for s in found] == [Kind.TEXT, Kind.DRAWING, Kind.TEXT]
    assert found[1].source == '[asy]label("$A$", (0,0));[/asy]'
