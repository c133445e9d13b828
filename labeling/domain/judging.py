"""Ask an LLM for the first wrong step and read its verdict: versioned templates as data.

The reference answer is never shown to the judge. Whatever a problem or a step says, every step is
one numbered paragraph, so that a reply's numbers are those of the real steps.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from labeling.domain.judge_templates import texts
from labeling.domain.judge_templates.replies import (
    Parsed,
    Reading,
    Unparsed,
    read_analyses,
    read_boxed,
    read_checks,
)
from labeling.domain.prompts import (
    Message,
    Prompt,
    UnknownTemplate,
    break_names,
    defuse,
    in_plain,
)
from labeling.domain.refusals import Invalid

__all__ = [
    "JUDGE_TEMPLATES",
    "Asked",
    "BadTemplate",
    "JudgeTemplate",
    "Parsed",
    "Reading",
    "ReplyForm",
    "Unparsed",
    "custom",
    "judge_template",
    "majority",
]

PLACES = ("{problem}", "{solution}")
"""What a template's text must hold, once each."""


class BadTemplate(Invalid):
    """A judge's template that cannot be used."""

    code = "bad_template"


class ReplyForm(StrEnum):
    """The protocol of the reply; it also says how the steps are shown."""

    ANALYSES = "analyses"
    BOXED = "boxed"
    CHECKS = "checks"


_READERS: Mapping[ReplyForm, Callable[[str, int], Reading]] = {
    ReplyForm.ANALYSES: read_analyses,
    ReplyForm.BOXED: read_boxed,
    ReplyForm.CHECKS: read_checks,
}


class Asked(NamedTuple):
    """What a judge was asked about."""

    statement: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JudgeTemplate:
    """A wording with {problem} and {solution}, and the form of the reply that it asks for."""

    name: str
    text: str
    reply: ReplyForm

    def __post_init__(self) -> None:
        for place in PLACES:
            if (count := self.text.count(place)) != 1:
                raise BadTemplate(
                    "The text must hold {place} exactly once, not {count} times.",
                    place=place,
                    count=count,
                )

    def render(self, statement: str, steps: Sequence[str]) -> Prompt:
        """Return one user's message with the steps as numbered paragraphs.

        CHECKS: a plain text to continue, with a blank line after each step. Tags and words of the
        protocol and chat marks inside the statement or a step are broken, so that a step can
        neither end its paragraph nor the turn, nor pass for another step or a verdict.
        """
        if self.reply is ReplyForm.CHECKS:
            solution = "".join(f"{_paragraph(step)}\n\n" for step in steps)
            return self._fill(break_names(_one_block(statement), _NAMES), solution)
        first = 1 if self.reply is ReplyForm.ANALYSES else 0
        paragraphs = (
            f"<paragraph_{number}>\n{_untagged(step)}\n</paragraph_{number}>"
            for number, step in enumerate(steps, start=first)
        )
        return (Message("user", self._fill(_untagged(statement), "\n\n".join(paragraphs))),)

    def parse(self, text: str, step_count: int) -> Reading:
        """Return the verdict in a reply, or why there is none."""
        return _READERS[self.reply](text, step_count)

    def frames(self, question: str) -> bool:
        """Say, at a glance, whether the question begins and ends in this wording."""
        before, _, after = self._pieces()
        return question.startswith(before) and question.endswith(after)

    def read_question(self, question: str) -> Asked | None:
        """Return what `render` was given, as it wrote it; None for another question.

        Neither a statement nor a step can hold what parts them: `render` breaks it.
        """
        before, between, after = self._pieces()
        end = len(question) - len(after)
        if not self.frames(question) or len(before) > end:
            return None
        statement, found, solution = question[len(before) : end].partition(between)
        steps = (
            _blocks(solution)
            if self.reply is ReplyForm.CHECKS
            else _paragraphs(solution, 1 if self.reply is ReplyForm.ANALYSES else 0)
        )
        return Asked(statement, steps) if found and steps else None

    def _pieces(self) -> tuple[str, str, str]:
        """Return the wording before the problem, between it and the solution, and after that."""
        before, _, rest = self.text.partition(PLACES[0])
        between, _, after = rest.partition(PLACES[1])
        return before, between, after

    def _fill(self, problem: str, solution: str) -> str:
        # One pass: a statement that says "{solution}" stays as it is.
        values = dict(zip(PLACES, (problem, solution), strict=True))
        return _PLACE.sub(lambda match: values[match[0]], self.text)


def _paragraphs(solution: str, first: int) -> tuple[str, ...]:
    """Return the steps of numbered paragraphs; none where anything else stands there."""
    found: list[str] = []
    at = 0
    while at < len(solution):
        match = _NUMBERED.match(solution, at)
        if match is None or int(match["number"]) != first + len(found):
            return ()
        found.append(match["step"])
        at = match.end()
    return tuple(found)


def _blocks(solution: str) -> tuple[str, ...]:
    *steps, rest = solution.split("\n\n")
    return () if rest else tuple(steps)


_NUMBERED = re.compile(
    r"<paragraph_(?P<number>\d{1,4})>\n(?P<step>.*?)\n</paragraph_(?P=number)>(?:\n\n|\Z)",
    re.DOTALL | re.ASCII,
)
_PLACE = re.compile("|".join(map(re.escape, PLACES)))
_TAG = re.compile(r"<(?=[\s\\]*/?\s*(?:paragraph|math_problem|analysis|conclusion))", re.IGNORECASE)
_BREAK = r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]"
_BLANK_LINES = re.compile(rf"{_BREAK}(?:[\s\u200b\ufeff]*{_BREAK})+")
_NAMES = re.compile(r"(?:Step[\s*_]*\d+|Answer)[\s*_`:]*:", re.IGNORECASE)
# A step may name itself at its beginning, unless that is all but a verdict.
_OWN_NAME = re.compile(
    r"\s*(?:Step\s*\d+|Answer)\s*:(?![\s*_`]*(?:ok|wrong)(?![^\W_]))", re.IGNORECASE
)


def _untagged(text: str) -> str:
    return defuse(_TAG.sub("‹", text))


def _paragraph(step: str) -> str:
    text = _one_block(step)
    own = _OWN_NAME.match(text)
    begin = own.end() if own else 0
    return text[:begin] + break_names(text[begin:], _NAMES)


def _one_block(text: str) -> str:
    """Return the text without blank lines, which separate the steps of a plain prompt."""
    return _BLANK_LINES.sub("\n", in_plain(text)).strip("\n\r")


def judge_template(name: str) -> JudgeTemplate:
    """Return the template of this name; raise UnknownTemplate."""
    try:
        return JUDGE_TEMPLATES[name]
    except KeyError:
        known = ", ".join(JUDGE_TEMPLATES)
        raise UnknownTemplate(
            "There is no judge template {name!r}; known: {known}.", name=name, known=known
        ) from None


def custom(text: str, reply: ReplyForm) -> JudgeTemplate:
    """Return a user's own wording of a known protocol; raise BadTemplate."""
    return JudgeTemplate("custom", text, reply)


def majority(readings: Sequence[Reading]) -> Reading:
    """Return the verdict that more votes name than any other; votes without one do not count.

    A tie is Unparsed: ProcessBench's own evaluation (code/run_eval.py) takes the verdict that was
    drawn first, which a label must not depend on. One vote stands for itself.
    """
    parsed = [reading for reading in readings if isinstance(reading, Parsed)]
    if not parsed:
        return next(iter(readings), Unparsed("no vote"))
    ranked = Counter(reading.first_error for reading in parsed).most_common()
    if len(ranked) > 1 and ranked[0][1] == ranked[1][1]:
        return Unparsed("votes are tied")
    return next(reading for reading in parsed if reading.first_error == ranked[0][0])


JUDGE_TEMPLATES: Mapping[str, JudgeTemplate] = MappingProxyType(
    {
        template.name: template
        for template in (
            JudgeTemplate("paper-v1", texts.PAPER_V1, ReplyForm.ANALYSES),
            JudgeTemplate("processbench-v1", texts.PROCESSBENCH_V1, ReplyForm.BOXED),
            JudgeTemplate("check-v1", texts.CHECK_V1, ReplyForm.CHECKS),
        )
    }
)
