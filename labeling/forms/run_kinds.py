"""The form of each kind of run, with what its fields mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from labeling.domain.monte_carlo import McMode
from labeling.domain.prm_formats import PRM_FORMATS
from labeling.domain.run_settings import (
    GenerateSettings,
    JudgeSettings,
    McSettings,
    RunSettings,
    ScoreSettings,
    read,
)
from labeling.domain.setting_checks import BadSetting
from labeling.domain.steps import SplitKind
from labeling.forms.runs import Asked, Choices, RunForm, fraction, prompt, whole
from labeling.language import said_lazy
from labeling.models import Engine

MODES = {
    McMode.HARD: _("exact labels; each step stops at its first success"),
    McMode.CONSENSUS: _(
        "only whether the judge is right: the same consensus, fewer completions; a "
        "refuted solution gets no labels of its own"
    ),
    McMode.SOFT: _("all completions up to the first wrong step: unbiased shares of success"),
    McMode.EXHAUSTIVE: _("all completions after every step, as published"),
    McMode.BISECT: _("not exact: halves the solution until the first wrong step is found"),
}
SPLITS = {
    SplitKind.PARAGRAPHS: _("blank lines"),
    SplitKind.NUMBERED: _("the next step's number"),
    SplitKind.LINES: _("the end of every line"),
    SplitKind.PATTERN: _("a pattern of your own"),
}
LARGEST_GRID = 24
"""Runs that one form may start."""


class McForm(RunForm):
    """Monte-Carlo estimation."""

    kind = McSettings.kind
    alone = {"judge": "if-consensus", "audit_share": "if-consensus"}
    engine = forms.ChoiceField(label=_("Engine"))
    mode = forms.ChoiceField(
        label=_("Mode"),
        choices=[(str(mode), format_lazy("{}: {}", mode, words)) for mode, words in MODES.items()],
        initial="hard",
        widget=forms.RadioSelect,
    )
    judge = forms.ChoiceField(
        label=_("Judge"),
        required=False,
        help_text=_("Its verdict comes first; solutions that it has not judged wait for it."),
    )
    audit_share = fraction(
        "audit_share",
        _("Audited share"),
        0.05,
        _(
            "This share of the refuted solutions is sampled in full all the same: without it, "
            "agreement by step could not be estimated honestly."
        ),
    )
    n = whole("n", _("Completions per step"), 8, _("A step is right when any of them is."))
    temperature = fraction(
        "temperature", _("Temperature"), 1.0, _("Above 0, or all would be the same.")
    )
    max_tokens = whole("max_tokens", _("Longest completion"), 2048, _("In tokens."))
    template = prompt(_("How the model is asked to go on. It must suit the model."))

    def __init__(self, data: Any = None, *, choices: Choices, **more: Any) -> None:
        super().__init__(data, choices=choices, **more)
        self.offer("engine", choices.named_engines)
        self.offer("judge", choices.judges)
        self.fields["audit_share"].required = False

    def _settings(self, engine: Engine | None, cleaned: Mapping[str, Any]) -> RunSettings:
        judged = cleaned["mode"] == McMode.CONSENSUS
        meant = {k: v for k, v in cleaned.items() if judged or k not in ("judge", "audit_share")}
        return super()._settings(engine, meant)


class JudgeForm(RunForm):
    """An LLM judge."""

    kind = JudgeSettings.kind
    engine = forms.ChoiceField(label=_("Engine"))
    template = forms.ChoiceField(
        label=_("Wording"),
        initial="paper-v1",
        help_text=_(
            "paper-v1 is the paper's, processbench-v1 ProcessBench's critic, check-v1 that "
            "of the bundled tiny model. None of them shows the reference answer."
        ),
    )
    votes = whole("votes", _("Votes"), 1, _("Of several, the first error that most name counts."))
    temperature = fraction(
        "temperature",
        _("Temperature"),
        0.0,
        _("0: always the likeliest reply. Several votes need more."),
    )
    max_tokens = whole("max_tokens", _("Longest reply"), 4096, _("In tokens."))

    def __init__(self, data: Any = None, *, choices: Choices, **more: Any) -> None:
        super().__init__(data, choices=choices, **more)
        self.offer("engine", choices.named_engines)
        self.offer("template", [(name, name) for name in choices.wordings])

    def _settings(self, engine: Engine | None, cleaned: Mapping[str, Any]) -> RunSettings:
        return super()._settings(engine, {**cleaned, **self.choices.wordings[cleaned["template"]]})


class Temperatures(forms.CharField):
    """Several temperatures with commas between them."""

    def clean(self, value: Any) -> list[float]:
        """Return the numbers, each once."""
        try:
            found = [float(part) for part in str(super().clean(value)).split(",") if part.strip()]
        except ValueError:
            raise forms.ValidationError(_("numbers with commas between them")) from None
        return list(dict.fromkeys(found))


class GenerateForm(RunForm):
    """Sampling of solutions: a run for each engine and temperature."""

    kind = GenerateSettings.kind
    alone = {"pattern": "if-pattern"}
    engine = forms.MultipleChoiceField(
        label=_("Engines"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Each engine with each temperature is a run of its own."),
    )
    samples = whole("samples", _("Solutions per problem"), 4, _("Equal ones are stored once."))
    temperature = Temperatures(
        label=_("Temperatures"),
        initial="1.0",
        max_length=200,
        help_text=_("One or several: 0.7, 1.0"),
    )
    max_tokens = whole("max_tokens", _("Longest solution"), 2048, _("In tokens."))
    template = prompt(_("How the model is asked. It must suit the model."))
    split = forms.ChoiceField(
        label=_("A step ends at"),
        choices=[(str(kind), words) for kind, words in SPLITS.items()],
        initial="paragraphs",
    )
    pattern = forms.CharField(
        label=_("Pattern"),
        required=False,
        max_length=200,
        strip=False,
        help_text=_("A regular expression of what stands between two steps."),
    )
    unsolved_only = forms.BooleanField(label=_("Only problems without a solution"), required=False)

    def __init__(self, data: Any = None, *, choices: Choices, **more: Any) -> None:
        super().__init__(data, choices=choices, **more)
        self.offer("engine", choices.named_engines)

    @classmethod
    def like(cls, config: Mapping[str, Any], engine: Engine | None) -> dict[str, Any]:
        """Return the fields' values that ask for a run like one with this configuration."""
        engines = [engine.uid] if engine else []
        split = config.get("split", str(SplitKind.PARAGRAPHS))
        heat = str(config.get("temperature", ""))
        return {**config, "split": split, "temperature": heat, "engine": engines}

    def _asked(self, cleaned: dict[str, Any]) -> list[Asked]:
        engines = [self.choices.engine(uid) for uid in cleaned["engine"]]
        pairs = [(engine, heat) for engine in engines for heat in cleaned["temperature"]]
        if not 0 < len(pairs) <= LARGEST_GRID:
            raise BadSetting(
                "temperature",
                "1 to {largest_grid} runs at once, not {count}",
                largest_grid=LARGEST_GRID,
                count=len(pairs),
            )
        pattern = cleaned["pattern"] if cleaned["split"] == SplitKind.PATTERN else ""
        common = {**cleaned, "pattern": pattern}
        return [(e, self._settings(e, {**common, "temperature": heat})) for e, heat in pairs]


class ScoreForm(RunForm):
    """A PRM as labeler: one that the project trained, or a served one."""

    kind = ScoreSettings.kind
    alone = {"format": "if-served"}
    prm = forms.ChoiceField(
        label=_("PRM"),
        help_text=_("Its verdicts decide nothing: they say what people look at first."),
    )
    format = forms.ChoiceField(
        label=_("Input format"),
        choices=[
            (name, format_lazy("{}: {}", name, said_lazy(about)))
            for name, about in PRM_FORMATS.items()
        ],
        initial="qwen-prm",
        required=False,
        help_text=_("How the served model was trained to see steps."),
    )
    threshold = fraction(
        "threshold", _("Threshold"), 0.5, _("The first step that scores less is the first error.")
    )

    def __init__(self, data: Any = None, *, choices: Choices, **more: Any) -> None:
        super().__init__(data, choices=choices, **more)
        own = [(f"prm:{uid}", name) for uid, name in choices.prms]
        served = [(f"engine:{uid}", name) for uid, name in choices.named_engines]
        self.offer("prm", [(_("Trained here"), own), (_("Served"), served)])

    @classmethod
    def like(cls, config: Mapping[str, Any], engine: Engine | None) -> dict[str, Any]:
        """Return the fields' values that ask for a run like one with this configuration."""
        prm = f"engine:{engine.uid}" if engine else f"prm:{config.get('prm', '')}"
        return {**config, "prm": prm}

    def _asked(self, cleaned: dict[str, Any]) -> list[Asked]:
        source, _, uid = cleaned["prm"].partition(":")
        values = {"threshold": cleaned["threshold"]}
        if source == "prm":
            return [(None, read(self.kind, {**values, "prm": uid}))]
        engine = self.choices.engine(uid)
        return [(engine, self._settings(engine, {**values, "format": cleaned["format"]}))]


RUN_FORMS: Mapping[str, type[RunForm]] = {
    form.kind: form for form in (GenerateForm, McForm, JudgeForm, ScoreForm)
}
"""The form of each kind of run, in the order of work."""
