"""What a run can be asked to use: engines, judges, wordings, PRMs."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from labeling.domain.judging import JUDGE_TEMPLATES
from labeling.domain.labels import LabelerKind
from labeling.domain.run_settings import RunSettings, ScoreSettings
from labeling.models import PRM, Engine, JudgePrompt, Labeler, Project, Run
from labeling.models.engines import EngineKind

_OWN = re.compile(r"(?P<own>[-\w]{1,60})-v(?P<version>\d{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wording:
    """A judge's wording: its name; text and form of the reply where it is the project's own."""

    name: str
    text: str = ""
    reply: str = ""

    @property
    def settings(self) -> dict[str, Any]:
        """Return the settings of a judge that uses it."""
        own = {"text": self.text, "reply": self.reply} if self.text else {}
        return {"template": self.name, **own}


def engines() -> list[Engine]:
    """Return all engines, by name."""
    return list(Engine.objects.order_by("name"))


def engines_for(kind: str) -> list[Engine]:
    """Return the engines that can do runs of the kind, by name."""
    active = Engine.objects.filter(active=True).order_by("name")
    if kind == ScoreSettings.kind:
        return list(active.filter(kind=EngineKind.POOLING))
    return list(active.exclude(kind=EngineKind.POOLING))


def engine_named(name: str) -> Engine | None:
    """Return the engine of this name or uid."""
    return Engine.objects.filter(name=name).first() or Engine.objects.filter(uid=name).first()


def judges_of(project: Project) -> list[Labeler]:
    """Return the project's judges, newest first."""
    rows = Labeler.objects.filter(project=project, kind=LabelerKind.JUDGE, active=True)
    return list(rows.order_by("-id"))


def prms_of(project: Project) -> list[PRM]:
    """Return the project's PRMs: the champion first, then the newest."""
    rows = PRM.objects.filter(project=project).select_related("training_run")
    return list(rows.order_by("-champion", "-id"))


def wordings_of(project: Project) -> list[Wording]:
    """Return the built-in wordings, then the project's own, newest version first."""
    own = JudgePrompt.objects.filter(project=project).order_by("name", "-version")
    return [
        *(Wording(name) for name in JUDGE_TEMPLATES),
        *(Wording(str(row), row.text, row.reply) for row in own),
    ]


def wording_of(project: Project, name: str) -> Wording:
    """Return the project's own wording of this name ("strict-v2"); else a built-in one's name."""
    match = _OWN.fullmatch(name)
    if name in JUDGE_TEMPLATES or match is None:
        return Wording(name)
    own, version = match["own"], int(match["version"])
    row = JudgePrompt.objects.filter(project=project, name=own, version=version).first()
    return Wording(name, row.text, row.reply) if row else Wording(name)


def with_weights(engine: Engine | None, settings: RunSettings) -> RunSettings:
    """Return the settings with the weights that the engine's newest run of this model names.

    Only the main job hashes the files of local models; without this, the same model asked for
    elsewhere would be another labeler.
    """
    if engine is None or isinstance(settings, ScoreSettings) or settings.weights:
        return settings
    newest = Run.objects.filter(engine=engine, config__model=engine.model).order_by("-id").first()
    return replace(settings, weights=newest.config.get("weights", "") if newest else "")
