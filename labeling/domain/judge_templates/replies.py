"""Read a judge's reply. What cannot be read is Unparsed with the reason, never guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from labeling.domain.answers import last_boxed
from labeling.domain.labels import NO_ERROR, StepLabels, labels_up_to


@dataclass(frozen=True, slots=True)
class Parsed:
    """A verdict that was read; steps after the first error are not judged."""

    first_error: int
    step_labels: StepLabels


@dataclass(frozen=True, slots=True)
class Unparsed:
    """A reply without a readable verdict, and why; the reasons are few and can be counted."""

    reason: str


Reading = Parsed | Unparsed


def read_analyses(text: str, step_count: int) -> Reading:
    """Read `<analysis_k>` (k from 1) and `<conclusion>`: the last analysis holds the error.

    Only opening tags count: the published example itself closes one with another's number.
    """
    reply = _after_thinking(text)
    words = {_word(match) for match in _CONCLUSION.findall(reply)}
    if not words:
        return Unparsed("no conclusion")
    if len(words) > 1:
        return Unparsed("contradictory conclusions")
    word = words.pop()
    if word == "correct":
        return _verdict(NO_ERROR, step_count)
    if word != "incorrect":
        return Unparsed("conclusion is neither Correct nor Incorrect")
    numbers = [int(number) for number in _ANALYSIS.findall(reply)]
    if not numbers:
        return Unparsed("Incorrect without an analysis")
    if numbers[-1] != max(numbers):
        return Unparsed("analyses out of order")
    if numbers[-1] < 1:  # would read as "no error"
        return Unparsed(_OUT_OF_RANGE)
    return _verdict(numbers[-1] - 1, step_count)


def read_boxed(text: str, step_count: int) -> Reading:
    """Read the 0-based paragraph number, or -1, in the last box."""
    boxed = last_boxed(_after_thinking(text))
    if boxed is None:
        return Unparsed("no boxed number")
    match = _NUMBER.fullmatch(boxed.replace("−", "-").replace(r"\_", "_"))
    if match is None:
        return Unparsed("boxed text is not a number")
    return _verdict(int(match["number"]), step_count)


def read_checks(text: str, step_count: int) -> Reading:
    """Read `Step 1: ok Step 2: wrong … Answer: ok`, one verdict per step, in order.

    The last step is named "Answer" or by its number. Verdicts after the first "wrong" are ignored.
    """
    found = _CHECK.findall(text)
    for index, (name, word) in enumerate(found):
        if index >= step_count:
            return Unparsed("more verdicts than steps")
        if name.lower() == "answer":
            if index != step_count - 1:
                return Unparsed("verdicts out of order")
        elif int(name) != index + 1:
            return Unparsed("verdicts out of order")
        if word.lower() == "wrong":
            return _verdict(index, step_count)
    if len(found) < step_count:
        return Unparsed("fewer verdicts than steps")
    return _verdict(NO_ERROR, step_count)


_OUT_OF_RANGE = "step number out of range"
_CONCLUSION = re.compile(r"<\s*conclusion\s*>(.*?)(?:<\s*/|<\s*conclusion|\Z)", re.I | re.S)
_ANALYSIS = re.compile(r"<\s*analysis_(\d{1,6})\s*>", re.I)
_NUMBER = re.compile(
    r"\s*(?:\\text\{)?\s*(?:paragraph[ _])?(?P<number>-?\d{1,6})\s*\}?\s*", re.ASCII | re.I
)
_CHECK = re.compile(r"(?:\bstep\s+(?=\d)|\b(?=answer))(\d{1,6}|answer)\s*:\s*(ok|wrong)\b", re.I)


def _word(conclusion: str) -> str:
    return conclusion.strip(" \t\r\n*_.!`\"'").lower()


def _after_thinking(text: str) -> str:
    """Drop a reasoning model's thoughts, which may rehearse the tags."""
    return text.rpartition("</think>")[2]


def _verdict(first_error: int, step_count: int) -> Reading:
    if not NO_ERROR <= first_error < step_count:
        return Unparsed(_OUT_OF_RANGE)
    return Parsed(first_error, labels_up_to(first_error, step_count))
