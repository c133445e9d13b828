"""A run's configuration in readable form, with the words of the form that asks for such runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from labeling.domain.monte_carlo import McMode
from labeling.forms.run_kinds import MODES, RUN_FORMS
from labeling.models import PRM, Labeler, Run

_NAMES = {
    "model": _("Model"),
    "weights": _("Weights"),
    "temperature": _("Temperature"),
    "generator": _("Shown as author"),
    "prm": _("PRM"),
    "text": _("Text of the wording"),
    "reply": _("Form of the reply"),
}
_MEANINGS = {
    "model": _("A labeler is bound to its model; where the model runs may change."),
    "weights": _("Hash of the local model's file."),
    "temperature": "",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a run: its label, its value in words, and what it means."""

    label: str
    value: str
    meaning: str = ""
    long: bool = False


def settings_of(run: Run) -> list[Setting]:
    """Return the run's settings: the model first, then in the order of the form."""
    order = ["model", *RUN_FORMS[run.kind].base_fields]
    names = sorted(run.config, key=lambda n: (order.index(n) if n in order else len(order), n))
    return [_setting(run, name, run.config[name]) for name in names]


def _setting(run: Run, name: str, value: Any) -> Setting:
    form = RUN_FORMS[run.kind]
    field = form.base_fields.get(name)
    label = str(_NAMES.get(name) or (field.label if field else name))
    meaning = str(_MEANINGS.get(name, field.help_text if field else ""))
    if name == "mode" and value in list(McMode):
        meaning = str(MODES[McMode(value)])
    return Setting(label, _value(run, name, value), meaning, long=name == "text")


def _value(run: Run, name: str, value: Any) -> str:
    if name == "judge":
        found = Labeler.objects.filter(project=run.project, uid=value).first()
        return found.name if found else str(value)
    if name == "prm":
        prm = PRM.objects.filter(project=run.project, uid=value).select_related("training_run")
        return next((row.training_run.name for row in prm), str(value))
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return f"{value:,}" if isinstance(value, int) else str(value)
