"""What an editor of a wording has to know of each reply form, and doubts about a wording."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from labeling.domain.judging import PLACES, JudgeTemplate, ReplyForm
from labeling.domain.phrases import Phrase, marked

EXAMPLE_STEPS = 3
"""Steps of the solution that the examples speak of; its second step is wrong."""


@dataclass(frozen=True, slots=True)
class Guide:
    """A reply form in words. `says` are what a wording that asks for it usually holds.

    `example` is a reply that calls the second of EXAMPLE_STEPS steps the first error.
    """

    title: str
    sent_as: str
    expected: str
    example: str
    says: tuple[str, ...]


GUIDES: Mapping[ReplyForm, Guide] = MappingProxyType(
    {
        ReplyForm.ANALYSES: Guide(
            title=marked("analyses"),
            sent_as=marked(
                "One user message. The steps stand in tags <paragraph_1>, <paragraph_2>, …"
            ),
            expected=marked(
                "An analysis per paragraph, up to the first wrong one, then the conclusion: "
                "Correct or Incorrect. Incorrect blames the last paragraph that was analyzed."
            ),
            example="<analysis_1>\nThe sum is right.\n</analysis_1>\n"
            "<analysis_2>\n3 · 4 is 12, not 14.\n</analysis_2>\n"
            "<conclusion>\nIncorrect\n</conclusion>",
            says=("<analysis_", "<conclusion>"),
        ),
        ReplyForm.BOXED: Guide(
            title=marked("boxed number"),
            sent_as=marked(
                "One user message. The steps stand in tags <paragraph_0>, <paragraph_1>, …"
            ),
            expected=marked(
                "The number of the first wrong paragraph, counted from 0, in the last box; "
                "-1 where all are right."
            ),
            example="Paragraph 1 multiplies wrongly: 3 · 4 is 12, not 14.\n\\boxed{1}",
            says=("\\boxed",),
        ),
        ReplyForm.CHECKS: Guide(
            title=marked("checks"),
            sent_as=marked(
                "Plain text to go on with, no chat. A blank line stands after each step."
            ),
            expected=marked(
                "A verdict per step, in order, the last step under the name Answer; "
                "what follows the first “wrong” is not read."
            ),
            example=" Step 1: ok Step 2: wrong Answer: ok",
            says=(),
        ),
    }
)


ABOUT: Mapping[str, str] = MappingProxyType(
    {
        "paper-v1": marked(
            "The protocol of arXiv 2501.07301, appendix C: analyzes each paragraph, stops "
            "at the first error."
        ),
        "processbench-v1": marked("The protocol of ProcessBench's critic: one number."),
        "check-v1": marked("What the bundled tiny model was taught to go on with."),
    }
)
"""What each built-in wording is."""


def doubts(template: JudgeTemplate) -> tuple[str, ...]:
    """Return what is probably meant otherwise in a wording, for its author to decide."""
    found = [
        Phrase("The text does not say {words}: a reply without it stays unscored.", words=words)
        for words in GUIDES[template.reply].says
        if words not in template.text
    ]
    if template.reply is ReplyForm.CHECKS and not template.text.partition(PLACES[1])[2].strip():
        found.append(
            Phrase("Nothing follows {solution}: a model goes on with the solution, unchecked.")
        )
    found += [
        Phrase("{place} is no place to be filled: it is sent as it stands.", place=place)
        for place in dict.fromkeys(_OTHER_PLACE.findall(template.text))
        if place not in PLACES
    ]
    return tuple(found)


# {answer}, but not the {x} of \text{x}, x_{y} or x^{y}
_OTHER_PLACE = re.compile(r"(?<![\\\w^}])\{[a-z_]{2,30}\}")
