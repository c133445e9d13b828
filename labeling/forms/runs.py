"""What every form of a new run shares: its engine, checked numbers, and the settings it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.domain.prompts import COMPLETION_TEMPLATES
from labeling.domain.refusals import Refusal
from labeling.domain.run_settings import RunSettings, read
from labeling.domain.setting_checks import LIMITS, BadSetting
from labeling.language import Words, said
from labeling.models import Engine

Asked = tuple[Engine | None, RunSettings]
"""An engine with settings for it."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What a form offers: engines; judges and PRMs as (uid, name); wordings by name."""

    engines: Sequence[Engine] = ()
    judges: Sequence[tuple[str, str]] = ()
    wordings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    prms: Sequence[tuple[str, str]] = ()

    @property
    def named_engines(self) -> list[tuple[str, str]]:
        """Return the engines as choices."""
        return [(engine.uid, f"{engine.name} · {engine.model}") for engine in self.engines]

    def engine(self, uid: str) -> Engine | None:
        """Return the engine of this uid."""
        return next((engine for engine in self.engines if engine.uid == uid), None)


class RunForm(forms.Form):
    """A new run. `alone` fields matter, and are shown, only with one choice of another field."""

    kind: ClassVar[str]
    alone: ClassVar[Mapping[str, str]] = {}

    def __init__(self, data: Any = None, *, choices: Choices, **more: Any) -> None:
        super().__init__(data, **more)
        self.choices = choices
        self._found: list[Asked] = []
        for name, css in self.alone.items():
            self.fields[name].alone = css  # type: ignore[attr-defined]

    @classmethod
    def like(cls, config: Mapping[str, Any], engine: Engine | None) -> dict[str, Any]:
        """Return the fields' values that ask for a run like one with this configuration."""
        return {**config, "engine": engine.uid if engine else ""}

    def clean(self) -> dict[str, Any]:
        """Make the settings; put what they refuse beside its field."""
        cleaned = super().clean() or {}
        if not self.errors:
            try:
                self._found = self._asked(cleaned)
            except BadSetting as error:
                self.refuse(error)
        return cleaned

    def refuse(self, error: Refusal) -> None:
        """Show a refusal: that of a setting beside its field."""
        if isinstance(error, BadSetting) and error.field in self.fields:
            self.add_error(error.field, said(error.words))
        else:
            self.add_error(None, said(error))

    def asked(self) -> list[Asked]:
        """Return what is asked for; nothing while the form has mistakes."""
        return self._found if self.is_valid() else []

    def offer(self, name: str, choices: Any) -> None:
        """Set the choices of a field."""
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def _asked(self, cleaned: dict[str, Any]) -> list[Asked]:
        engine = self.choices.engine(cleaned["engine"])
        return [(engine, self._settings(engine, cleaned))]

    def _settings(self, engine: Engine | None, cleaned: Mapping[str, Any]) -> RunSettings:
        values = {name: value for name, value in cleaned.items() if name != "engine"}
        return read(self.kind, {**values, "model": engine.model if engine else ""})


def whole(name: str, label: Words, initial: int, help_text: Words = "") -> forms.IntegerField:
    """Return the field of a whole number within its limits."""
    low, high = LIMITS[name]
    return forms.IntegerField(
        label=label, min_value=int(low), max_value=int(high), initial=initial, help_text=help_text
    )


def fraction(name: str, label: Words, initial: float, help_text: Words = "") -> forms.FloatField:
    """Return the field of a number within its limits."""
    low, high = LIMITS[name]
    return forms.FloatField(
        label=label,
        min_value=low,
        max_value=high,
        initial=initial,
        help_text=help_text,
        widget=forms.NumberInput({"step": "any"}),
    )


def prompt(help_text: Words) -> forms.ChoiceField:
    """Return the field of a completion template."""
    return forms.ChoiceField(
        label=_("Prompt"),
        choices=[(name, name) for name in COMPLETION_TEMPLATES],
        initial="boxed-chat-v1",
        help_text=help_text,
    )
