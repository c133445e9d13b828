"""Judges' wordings, built-in and a project's own, and what they make of a real solution."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any

from django.db.models import QuerySet
from django.http import Http404

from labeling.domain.judge_guides import ABOUT
from labeling.domain.judging import JUDGE_TEMPLATES, JudgeTemplate, ReplyForm
from labeling.domain.prompts import Message, Prompt
from labeling.domain.workloads import USUAL_CHARACTERS
from labeling.models import JudgePrompt, Project, Solution


@dataclass(frozen=True, slots=True)
class Wording:
    """One version of a wording. `name` is what runs are given: "paper-v1", or "strict-v2".

    A built-in wording has no `base` of a project's, but words `about` it.
    """

    name: str
    text: str
    reply: ReplyForm
    base: str = ""
    version: int = 0
    by: str = ""
    at: datetime | None = None
    about: str = ""

    @property
    def own(self) -> bool:
        """Whether it is the project's."""
        return bool(self.base)

    @property
    def settings(self) -> dict[str, Any]:
        """Return the settings of a judge that uses it."""
        own = {"text": self.text, "reply": str(self.reply)} if self.own else {}
        return {"template": self.name, **own}


@dataclass(frozen=True, slots=True)
class Preview:
    """A prompt exactly as it is sent, for one solution of the project.

    `tokens` are a guess, from fewest to most. `before` and `after` say whether there are neighbors.
    """

    solution: Solution
    messages: tuple[Message, ...]
    chat: bool
    before: bool
    after: bool

    @property
    def characters(self) -> int:
        """Characters of all messages."""
        return sum(len(message.content) for message in self.messages)

    @property
    def tokens(self) -> tuple[int, int]:
        """The fewest and the most tokens that these characters usually are."""
        return (
            ceil(self.characters / USUAL_CHARACTERS.high),
            ceil(self.characters / USUAL_CHARACTERS.low),
        )


def built_in() -> list[Wording]:
    """Return the wordings that every project has."""
    return [Wording(t.name, t.text, t.reply, about=ABOUT[t.name]) for t in JUDGE_TEMPLATES.values()]


def own(project: Project) -> list[Wording]:
    """Return the newest version of each of the project's wordings, by name."""
    rows = _rows(project).order_by("name", "-version").distinct("name")
    return [_wording(row) for row in rows]


def versions(project: Project, base: str) -> list[Wording]:
    """Return all versions of one of the project's wordings, newest first."""
    return [_wording(row) for row in _rows(project).filter(name=base).order_by("-version")]


def wording_for(project: Project, name: str) -> Wording:
    """Return the wording of this name or raise Http404."""
    found = next((wording for wording in built_in() if wording.name == name), None)
    base, _, version = name.rpartition("-v")
    if found is None and version.isascii() and version.isdecimal():
        row = _rows(project).filter(name=base, version=int(version[:9])).first()
        found = _wording(row) if row else None
    if found is None or found.name != name:  # "strict-v02" is no name
        raise Http404("no such wording")
    return found


def preview(
    project: Project, template: JudgeTemplate, uid: str = "", move: str = ""
) -> Preview | None:
    """Return the prompt for the solution `uid`, or its neighbor; None without any solution.

    `move` is "next", "previous" or nothing; an unknown uid is the first solution.
    """
    ordered = Solution.objects.filter(project=project).select_related("problem").order_by("pk")
    here = ordered.filter(uid=uid).first()
    if here is not None and move in ("next", "previous"):
        here = _neighbor(ordered, here, backwards=move == "previous") or here
    here = here or ordered.first()
    if here is None:
        return None
    prompt = template.render(here.problem.statement, here.steps)
    return Preview(
        solution=here,
        messages=_messages(prompt),
        chat=not isinstance(prompt, str),
        before=_neighbor(ordered, here, backwards=True) is not None,
        after=_neighbor(ordered, here, backwards=False) is not None,
    )


def _messages(prompt: Prompt) -> tuple[Message, ...]:
    return (Message("text", prompt),) if isinstance(prompt, str) else prompt


def _neighbor(ordered: QuerySet[Solution], here: Solution, *, backwards: bool) -> Solution | None:
    if backwards:
        return ordered.filter(pk__lt=here.pk).order_by("-pk").first()
    return ordered.filter(pk__gt=here.pk).first()


def _rows(project: Project) -> QuerySet[JudgePrompt]:
    return JudgePrompt.objects.filter(project=project).select_related("created_by")


def _wording(row: JudgePrompt) -> Wording:
    return Wording(
        name=str(row),
        text=row.text,
        reply=ReplyForm(row.reply),
        base=row.name,
        version=row.version,
        by=row.created_by.username,
        at=row.created_at,
    )
