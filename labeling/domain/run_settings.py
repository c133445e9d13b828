"""What a run of each kind can be asked to do: checked settings, and the configuration they make.

A configuration is a labeler's identity, so equal settings always make equal ones. Whether the
engine, the judge or the PRM that they name exists is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, ClassVar

from labeling.domain import setting_checks as check
from labeling.domain.judging import JUDGE_TEMPLATES
from labeling.domain.monte_carlo import McMode
from labeling.domain.phrases import marked
from labeling.domain.prm_formats import PRM_FORMATS
from labeling.domain.prompts import COMPLETION_TEMPLATES
from labeling.domain.setting_checks import BadSetting
from labeling.domain.steps import SplitKind

_SHORT_NAME = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class McSettings:
    """Monte-Carlo estimation with n completions per step.

    `weights` tells apart two local models of one name. Mode consensus needs the uid of the judge's
    labeler, and the share of refuted solutions that is sampled in full all the same.
    """

    kind: ClassVar[str] = "mc"
    model: str
    weights: str = ""
    template: str = "boxed-chat-v1"
    n: int = 8
    mode: McMode = McMode.HARD
    temperature: float = 1.0
    max_tokens: int = 2048
    judge: str = ""
    audit_share: float | None = None

    def __post_init__(self) -> None:
        _settle(self)
        _needs_model(self.model)
        check.one_of("template", self.template, COMPLETION_TEMPLATES)
        check.needs_chance("n", self.n, self.temperature)
        judged = self.mode is McMode.CONSENSUS
        check.only_if(judged, "judge", self.judge, marked("mode consensus"))
        check.only_if(judged, "audit_share", self.audit_share, marked("mode consensus"))

    def config(self) -> dict[str, Any]:
        """Return the run's and the labeler's configuration."""
        return _config(self)

    @property
    def name(self) -> str:
        """Return the labeler's name for pages."""
        mode = "" if self.mode is McMode.HARD else f", {self.mode}"
        exact = "" if self.mode.exact else " (not exact)"
        return f"MC of {self.n}{mode}{exact} · {short_model(self.model)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeSettings:
    """An LLM that looks for the first wrong step; with several votes the majority counts.

    `template` is a built-in wording, or a project's own ("name-v2") with its text and reply form.
    """

    kind: ClassVar[str] = "judge"
    model: str
    weights: str = ""
    template: str = "paper-v1"
    text: str = ""
    reply: str = ""
    temperature: float = 0.0
    max_tokens: int = 4096
    votes: int = 1

    def __post_init__(self) -> None:
        _settle(self)
        _needs_model(self.model)
        check.only_if(bool(self.text), "reply", self.reply, marked("a wording of one's own"))
        if self.text:
            check.own_wording(self.template, self.text, self.reply)
        else:
            check.one_of("template", self.template, JUDGE_TEMPLATES)
        check.needs_chance("votes", self.votes, self.temperature)

    def config(self) -> dict[str, Any]:
        """Return the run's and the labeler's configuration."""
        return _config(self)

    @property
    def name(self) -> str:
        """Return the labeler's name for pages."""
        votes = f", {self.votes} votes" if self.votes > 1 else ""
        return f"{self.template}{votes} · {short_model(self.model)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateSettings:
    """Sampling of solutions, `samples` per problem; `generator` is shown as their author.

    `split` and `pattern` as in labeling.domain.steps.
    """

    kind: ClassVar[str] = "generate"
    model: str
    weights: str = ""
    generator: str = ""
    template: str = "boxed-chat-v1"
    samples: int = 4
    temperature: float = 1.0
    max_tokens: int = 2048
    unsolved_only: bool = False
    split: str = ""
    pattern: str = ""

    def __post_init__(self) -> None:
        _settle(self)
        _needs_model(self.model)
        check.one_of("template", self.template, COMPLETION_TEMPLATES)
        check.needs_chance("samples", self.samples, self.temperature)
        check.split_rule(self.split, self.pattern)
        # one meaning, one configuration
        object.__setattr__(self, "generator", self.generator or short_model(self.model))
        if self.split == SplitKind.PARAGRAPHS:
            object.__setattr__(self, "split", "")

    def config(self) -> dict[str, Any]:
        """Return the run's configuration."""
        return _config(self)

    @property
    def name(self) -> str:
        """Return the run's name for pages."""
        return self.generator


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreSettings:
    """A PRM as labeler: one that this project trained (its uid), or a served model and its format.

    The first step that scores below the threshold is the first error.
    """

    kind: ClassVar[str] = "score"
    prm: str = ""
    model: str = ""
    format: str = ""
    threshold: float = 0.5

    def __post_init__(self) -> None:
        _settle(self)
        if bool(self.prm) == bool(self.model):
            raise BadSetting("prm", "give either a PRM of the project or a served model")
        check.only_if(bool(self.model), "format", self.format, marked("a served model"))
        if self.format:
            check.one_of("format", self.format, PRM_FORMATS)

    def config(self) -> dict[str, Any]:
        """Return the run's and the labeler's configuration."""
        return _config(self)

    @property
    def name(self) -> str:
        """Return the labeler's name for pages; for a PRM of the project its training says more."""
        return f"PRM {short_model(self.model or self.prm)}"


RunSettings = McSettings | JudgeSettings | GenerateSettings | ScoreSettings

SETTINGS: Mapping[str, type[RunSettings]] = MappingProxyType(
    {cls.kind: cls for cls in (GenerateSettings, McSettings, JudgeSettings, ScoreSettings)}
)
"""The settings of each kind of run."""


def read(kind: str, values: Mapping[str, Any]) -> RunSettings:
    """Return the settings of a kind from plain values, such as a configuration.

    Missing ones take their defaults. Raise BadSetting, which names the field.
    """
    check.one_of("kind", kind, SETTINGS)
    cls = SETTINGS[kind]
    known = [field.name for field in fields(cls)]
    for name in values:
        check.one_of("settings", name, known)
    return cls(**({"model": ""} | dict(values)))


def short_model(model: str) -> str:
    """Return the last part of a model's name or path."""
    return model.rstrip("/").rpartition("/")[2][:_SHORT_NAME]


def _settle(settings: RunSettings) -> None:
    for field in fields(settings):
        value = check.settled(field.name, str(field.type), getattr(settings, field.name))
        object.__setattr__(settings, field.name, value)


def _needs_model(model: str) -> None:
    if not model:
        raise BadSetting("model", "is missing")


def _config(settings: RunSettings) -> dict[str, Any]:
    """Return what is set; empty texts and None are left out."""
    values = {field.name: getattr(settings, field.name) for field in fields(settings)}
    return {
        name: str(value) if isinstance(value, McMode) else value
        for name, value in values.items()
        if value not in ("", None)
    }
