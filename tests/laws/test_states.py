"""docs/states.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from labeling.domain.consensus import DECIDED, DecisionState
from labeling.domain.labels import VerdictState
from labeling.services import runs

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "states.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    section = TEXT.split(f"## {heading}")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if re.match(r"\| (?!---)", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_the_documented_decisions_are_the_codes():
    documented = {row[0]: row[2] == "yes" for row in rows("A solution's decision")}
    assert documented == {str(state): state in DECIDED for state in DecisionState}


def test_the_documented_states_of_a_verdict_are_the_codes():
    assert {row[0] for row in rows("A verdict")} == {str(state) for state in VerdictState}


def test_the_documented_moves_of_a_run_are_the_codes():
    documented = {tuple(row) for row in rows("A run")}
    moves = {
        (str(source), word, str(target))
        for word, (sources, target) in runs._MOVES.items()
        for source in sources
    }
    assert documented == moves


def test_the_documented_patience_with_an_engine_is_the_codes():
    text = " ".join(TEXT.split())
    assert (runs.GIVE_UP_AFTER, runs.REST.seconds, runs.LONGEST_REST.seconds) == (12, 5, 300)
    assert "after twelve failures in a row" in text
    assert "5 seconds at first and twice as long each time, up to 5 minutes" in text
