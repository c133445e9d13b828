"""Versioned prompts that ask a model to solve a problem or to complete a solution from a prefix.

A changed wording is a new name: the name is part of a labeler's configuration.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from labeling.domain.refusals import Invalid


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat; `role` is system, user or assistant."""

    role: str
    content: str


Prompt = str | tuple[Message, ...]
"""Plain text to continue, or a chat. A chat that ends with an assistant's turn continues it."""


class UnknownTemplate(Invalid):
    """A template name that this version does not know."""

    code = "unknown_template"


@dataclass(frozen=True, slots=True)
class CompletionTemplate:
    """A way to write a problem with the first steps of a solution, and where its reply ends."""

    name: str
    write: Callable[[str, Sequence[str], Sequence[str]], Prompt]
    stop: tuple[str, ...] = ()


def render(
    template: str, statement: str, steps: Sequence[str], gaps: Sequence[str] | None = None
) -> Prompt:
    """Return the prompt that asks to go on after `steps`; no steps = solve from the start.

    `gaps` are the texts around the steps, one more than steps (labeling.domain.steps); without
    them a blank line follows each step. The prompt of a prefix begins the prompt of every longer
    prefix, so that servers reuse its attention cache.
    """
    around = tuple(gaps) if gaps else ("",) + ("\n\n",) * len(steps)
    if len(around) != len(steps) + 1:
        raise ValueError(f"{len(steps)} steps need {len(steps) + 1} gaps, not {len(around)}")
    return completion_template(template).write(statement, steps, around)


def completion_template(name: str) -> CompletionTemplate:
    """Return the template of this name; raise UnknownTemplate."""
    try:
        return COMPLETION_TEMPLATES[name]
    except KeyError:
        known = ", ".join(COMPLETION_TEMPLATES)
        raise UnknownTemplate(
            "There is no prompt template {name!r}; known: {known}.", name=name, known=known
        ) from None


def defuse(text: str) -> str:
    """Return the text with the control marks of chat models broken ("<|im_end|>", "[INST]").

    Models read them as tokens of their own, which would end the turn or the text. Only a mark's
    last character is changed, and only for what stands before it: a text that begins another one
    still does so afterwards. Inequalities ("<|x|") stay.
    """
    return _MARK.sub(lambda match: match[0][:-1] + _BROKEN[match[0][-1]], text)


def in_plain(text: str) -> str:
    """Return the text for a prompt without turns: it can begin neither a problem nor a check."""
    return break_names(defuse(text), _BEGINNINGS)


def break_names(text: str, names: re.Pattern[str]) -> str:
    """Return the text with the colons after these names changed, so that they announce nothing."""
    return names.sub(lambda match: match[0].replace(":", "："), text)


# ChatML, Llama 3, Phi, Command; DeepSeek; SentencePiece's and BERT's, Gemma, thoughts and PRMs'
# steps; Llama 2, Mistral.
_MARK = re.compile(
    r"<(?:"
    r"\|[^\s<>|]{1,60}\|"
    r"|｜[^\s<>｜]{1,60}｜"
    r"|/?(?:s|bos|eos|eop|sop|pad|unk|mask|cls|sep|think|endoftext|im_start|im_end|extra_\d{1,3}"
    r"|(?:start|begin|end)_of_[a-z_]{1,30}|tool_(?:call|response)s?)"
    r"|<?/?SYS>"
    r")>"
    r"|\[/?(?:INST|SYSTEM_PROMPT|THINK|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|gMASK)\]"
)
_BROKEN = {">": "›", "]": "］"}
_BEGINNINGS = re.compile(r"(?:Problem|Check)[\s*_:]*:", re.IGNORECASE)


def _plain(statement: str, steps: Sequence[str], _gaps: Sequence[str]) -> str:
    return f"Problem: {in_plain(statement)}\n\n" + "".join(f"{in_plain(s)}\n\n" for s in steps)


# The instruction that Qwen2.5-Math models are trained with (their model cards).
_BOXED = r"Please reason step by step, and put your final answer within \boxed{}."


def _boxed_chat(statement: str, steps: Sequence[str], gaps: Sequence[str]) -> tuple[Message, ...]:
    asked = (Message("system", _BOXED), Message("user", defuse(statement)))
    if not steps:
        return asked
    after = zip(steps, gaps[1:], strict=True)
    prefix = gaps[0] + "".join(step + gap for step, gap in after)
    return (*asked, Message("assistant", defuse(prefix)))


COMPLETION_TEMPLATES: Mapping[str, CompletionTemplate] = MappingProxyType(
    {
        template.name: template
        for template in (
            # A base model that goes on to invent a next problem is stopped there.
            CompletionTemplate("plain-v1", _plain, stop=("Problem:",)),
            CompletionTemplate("boxed-chat-v1", _boxed_chat),
        )
    }
)
