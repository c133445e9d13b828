"""Splitting loses nothing, and each rule cuts where a reader would."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from labeling.domain.steps import (
    MAX_PATTERN,
    BadPattern,
    EmptyText,
    SplitKind,
    SplitRule,
    Steps,
    join,
    split,
)

RULES = [
    SplitRule(),
    SplitRule(SplitKind.NUMBERED),
    SplitRule(SplitKind.LINES),
    SplitRule(SplitKind.PATTERN, r"ки"),
    SplitRule(SplitKind.PATTERN, r"(?=[0-9])"),
    SplitRule(SplitKind.PATTERN, r"\n?"),
]
# Texts rich in what the rules look for; plain st.text() hardly ever holds a separator.
texts = st.one_of(
    st.text(),
    st.lists(
        st.sampled_from(["\n", "\n\n", "\r\n", " ", "\t", "Step 1:", "2. ", "(3) ", "ки", "x", "…"])
    ).map("".join),
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.kind}{rule.pattern!r}")
@given(text=texts)
@example(text="\n\n a \n\n\n b\r\n\r\nc\x1c\x85")
@example(text="Step 1: a\nStep 2: b")
def test_joining_the_steps_gives_the_text_back_and_no_step_is_blank(
    rule: SplitRule, text: str
) -> None:
    if not text.strip():
        with pytest.raises(EmptyText):
            split(text, rule)
        return
    try:
        steps = split(text, rule)
    except EmptyText:
        # A text of nothing but separators, such as "ки": nothing to label either.
        assert rule.kind is SplitKind.PATTERN
        return
    assert join(steps) == text
    assert all(part and part == part.strip() for part in steps.parts)


def test_paragraphs_are_cut_at_blank_lines_and_keep_their_single_line_breaks() -> None:
    assert split("  First\nline.\n \nSecond.\r\n\r\n\nThird.\n") == Steps(
        ("First\nline.", "Second.", "Third."), ("  ", "\n \n", "\r\n\r\n\n", "\n")
    )


def test_lines_are_cut_at_every_line_break() -> None:
    assert split("a\nb\n\n  c", SplitRule(SplitKind.LINES)).parts == ("a", "b", "c")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Step 1: a\nb\nStep 2: c", ("Step 1: a\nb", "Step 2: c")),
        ("Intro:\n1. a\n2. b", ("Intro:", "1. a", "2. b")),
        ("(1) a\n(2) b", ("(1) a", "(2) b")),
        ("### Step 1\na\n\n### Step 2\nb", ("### Step 1\na", "### Step 2\nb")),
        ("**Step 1:** a\n**Step 2:** b", ("**Step 1:** a", "**Step 2:** b")),
        ("1. a\n   1. inner\n   2. inner\n2. b", ("1. a\n   1. inner\n   2. inner", "2. b")),
        ("1. a\n1. again\n2. b", ("1. a\n1. again", "2. b")),
        ("1. it is\n3.14\n2. b", ("1. it is\n3.14", "2. b")),
        ("no numbers\n\nat all", ("no numbers\n\nat all",)),
    ],
)
def test_numbered_steps_follow_the_count_and_nothing_else(
    text: str, parts: tuple[str, ...]
) -> None:
    assert split(text, SplitRule(SplitKind.NUMBERED)).parts == parts


def test_a_pattern_of_the_user_goes_to_the_gaps() -> None:
    rule = SplitRule(SplitKind.PATTERN, r"\s*ки\s*")
    assert split("Step 1: a ки\nStep 2: b ки", rule) == Steps(
        ("Step 1: a", "Step 2: b"), ("", " ки\n", " ки")
    )


@pytest.mark.parametrize("pattern", ["(", "[", "a{2,1}", "(?P<x", "x" * (MAX_PATTERN + 1)])
def test_an_unusable_pattern_is_refused_when_the_rule_is_made(pattern: str) -> None:
    with pytest.raises(BadPattern):
        SplitRule(SplitKind.PATTERN, pattern)


@pytest.mark.parametrize(
    "rule", [(SplitKind.PATTERN, ""), (SplitKind.LINES, "x"), (SplitKind.PARAGRAPHS, "x")]
)
def test_a_pattern_belongs_to_the_pattern_rule_alone(rule: tuple[SplitKind, str]) -> None:
    with pytest.raises(BadPattern):
        SplitRule(*rule)


def test_a_catastrophic_pattern_is_refused_in_bounded_time() -> None:
    rule = SplitRule(SplitKind.PATTERN, r"(a|aa)+$")
    began = time.monotonic()
    with pytest.raises(BadPattern, match="longer than 1 s"):
        split("a" * 5_000 + "!", rule)
    assert time.monotonic() - began < 4


def test_gaps_must_surround_the_steps() -> None:
    with pytest.raises(ValueError, match="2 steps need 3 gaps"):
        Steps(("a", "b"), ("", ""))
