"""The judge's chains of thought with step verdicts, to train verifiers that write them."""

from __future__ import annotations

from labeling.domain.exports.rows import NotCarried, Row, Written
from labeling.domain.judging import JUDGE_TEMPLATES, JudgeTemplate, Parsed
from labeling.domain.labels import labels_up_to
from labeling.domain.phrases import marked
from labeling.domain.prompts import Message

NONE = marked("no judge's words that name the decided first error")
REWRITTEN = marked("marks of chats and of the wording within the texts are written otherwise")
OTHER = marked("the judge's words are in no known template's form")


def write(row: Row, soft: bool) -> Written:  # noqa: ARG001 - verdicts are words
    """Write the question and the judge's words as a chat, with the verdicts that they state.

    Only words whose verdict, read again, is the row's first error. The question is asked in the
    built-in template whose reply they are.
    """
    critique, steps = row["sources"].get("critique"), row["steps"]
    if critique is None:
        raise NotCarried(NONE)
    template = _template(critique, len(steps), row["first_error"])
    prompt = template.render(row["prompt"], steps)
    asked = (Message("user", prompt),) if isinstance(prompt, str) else prompt
    messages = [{"role": turn.role, "content": turn.content} for turn in asked]
    meaning = {1: 1, -1: 0, None: None}
    made = {
        "messages": [*messages, {"role": "assistant", "content": critique}],
        "labels": [meaning[label] for label in labels_up_to(row["first_error"], len(steps))],
        "first_error": row["first_error"],
        "judge": row["sources"]["critique_by"],
        "template": template.name,
        "id": row["id"],
    }
    whole = template.read_question(messages[-1]["content"]) == (row["prompt"], tuple(steps))
    return Written(made, "" if whole else REWRITTEN)


def _template(critique: str, step_count: int, first_error: int) -> JudgeTemplate:
    for template in JUDGE_TEMPLATES.values():
        reading = template.parse(critique, step_count)
        if isinstance(reading, Parsed) and reading.first_error == first_error:
            return template
    raise NotCarried(OTHER)
