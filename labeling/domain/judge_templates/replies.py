"""Read a judge's reply. What cannot be read is Unparsed with the reason, never guessed.

Layout is forgiven (letter case, bold, white space, wrong closing tags, a model's thoughts before
the answer); a verdict that is missing, cut short, contradictory or about no step is not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

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
    reply = _after_thoughts(text)
    if reply is None:
        return _ONLY_THOUGHTS
    words = {_word(match) for match in _CONCLUSION.findall(reply)}
    if not words:
        return Unparsed("no conclusion")
    if None in words:
        return Unparsed("conclusion is neither Correct nor Incorrect")
    if len(words) > 1:
        return Unparsed("contradictory conclusions")
    numbers = [int(number) for number in _ANALYSIS.findall(reply)]
    if any(not 1 <= number <= step_count for number in numbers):
        return _OUT_OF_RANGE
    if words == {"correct"}:
        return _verdict(NO_ERROR, step_count)
    if not numbers:
        return Unparsed("Incorrect without an analysis")
    if numbers[-1] != max(numbers):
        return Unparsed("analyses out of order")
    return _verdict(numbers[-1] - 1, step_count)


def read_boxed(text: str, step_count: int) -> Reading:
    """Read the 0-based paragraph number, or -1, in the last box that holds anything.

    As ProcessBench's own evaluation does (code/run_eval.py), but for a box that never closes: the
    reply was cut short, and an earlier box may be about anything.
    """
    reply = _after_thoughts(text)
    if reply is None:
        return _ONLY_THOUGHTS
    boxes = [match["inside"] for match in _BOX.finditer(reply)]
    if boxes and boxes[-1] is None:
        return Unparsed("the box is not closed")
    filled = [inside for box in boxes if (inside := _bare(box or ""))]
    if not filled:
        return Unparsed("no boxed number")
    match = _NUMBER.fullmatch(filled[-1])
    if match is None:
        return Unparsed("boxed text is not a number")
    number = int(match["digits"])
    return _verdict(-number if match["minus"] else number, step_count)


def read_checks(text: str, step_count: int) -> Reading:
    """Read `Step 1: ok Step 2: wrong … Answer: ok`, one verdict per step, in order.

    The last step is named "Answer" or by its number. Verdicts after the first "wrong" are ignored.
    """
    reply = _after_thoughts(text)
    if reply is None:
        return _ONLY_THOUGHTS
    found = _CHECK.findall(reply)
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


_OUT_OF_RANGE = Unparsed("step number out of range")
_ONLY_THOUGHTS = Unparsed("the reply ends in the model's thoughts")
_THOUGHT = r"think(?:ing)?|thoughts?|reasoning"
_THOUGHTS_BEGIN = re.compile(rf"\s*(?:<\s*(?:{_THOUGHT})\s*>|\[THINK\]|◁think▷)", re.IGNORECASE)
_THOUGHTS_END = re.compile(rf"<\s*/\s*(?:{_THOUGHT})\s*>|\[/THINK\]|◁/think▷", re.IGNORECASE)
_CONCLUSION = re.compile(
    r"<\s*conclusion\s*>(.*?)(?:<\s*/|<\s*conclusion|\Z)", re.IGNORECASE | re.DOTALL
)
_ANALYSIS = re.compile(r"<\s*analysis(?:\\?_|\s)\s*\{?(\d{1,6})\}?\s*>", re.IGNORECASE | re.ASCII)
_VERDICT = re.compile(
    r"(?:(?:the\s+)?(?:(?:overall|final)\s+)?(?:solution|conclusion|verdict|answer)\s*(?:is\b|:)\s*)?"
    r"(?P<word>correct|incorrect)",
    re.IGNORECASE,
)
# Braces of two levels: \boxed{\text{paragraph\_{1}}} is seen, deeper nesting is no number.
_BOX = re.compile(
    r"\\(?:boxed|fbox)\s*\{(?:(?P<inside>(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}|)", re.DOTALL
)
_LAYOUT = re.compile(r"\\(?:text|math)(?:bf|it|rm|sf|tt)?(?![a-z])|\\[,;:! ]|[{}$*`\"'\\<>()]|~")
_MINUS = re.compile(r"[\u2010-\u2015\u2212\uff0d]")
_NUMBER = re.compile(
    r"(?:(?:paragraph|index)[\s_:]*)?(?P<minus>-?)\s*(?P<digits>\d{1,6})(?:\.0)?\s*\.?",
    re.ASCII | re.IGNORECASE,
)
_CHECK = re.compile(
    r"(?:\bstep[\s*_]+(?=\d)|\b(?=answer))(\d{1,6}|answer)[\s*_`]*:[\s*_`]*(ok|wrong)(?![^\W_])",
    re.IGNORECASE,
)


def _word(conclusion: str) -> str | None:
    """Return "correct" or "incorrect" if that is what a conclusion says, else None."""
    match = _VERDICT.fullmatch(_bare(conclusion).strip(" \t\r\n_.!:"))
    return match["word"].lower() if match else None


def _bare(text: str) -> str:
    """Return the text without TeX's and Markdown's layout, with a plain minus sign."""
    return _LAYOUT.sub(" ", _MINUS.sub("-", text)).strip()


def _after_thoughts(text: str) -> str | None:
    """Return what follows a reasoning model's thoughts, which may rehearse the answer.

    None where they never end: the reply was cut short.
    """
    begin = max((match.end() for match in _THOUGHTS_END.finditer(text)), default=0)
    return None if _THOUGHTS_BEGIN.match(text, begin) else text[begin:]


def _verdict(first_error: int, step_count: int) -> Reading:
    if not NO_ERROR <= first_error < step_count:
        return _OUT_OF_RANGE
    return Parsed(first_error, labels_up_to(first_error, step_count))
