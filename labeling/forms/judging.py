"""What the judges' pages post: a wording, and a dry run of one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.domain.judge_guides import GUIDES
from labeling.domain.judging import JudgeTemplate, ReplyForm, custom
from labeling.domain.refusals import Invalid
from labeling.domain.run_settings import RunSettings
from labeling.domain.setting_checks import LONGEST
from labeling.forms.run_kinds import JudgeForm
from labeling.language import said, said_lazy
from labeling.models import Engine


class WordingForm(forms.Form):
    """A wording in the editor; its name may be missing as long as it is only looked at."""

    name = forms.SlugField(
        label=_("Name"),
        max_length=60,
        required=False,
        help_text=_("Letters, digits, hyphens. The version is added: name-v1."),
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )
    reply = forms.ChoiceField(
        label=_("Form of the reply"),
        choices=[(str(form), said_lazy(guide.title)) for form, guide in GUIDES.items()],
        widget=forms.RadioSelect,
    )
    text = forms.CharField(
        label=_("Text"),
        max_length=LONGEST["text"],
        strip=False,
        widget=forms.Textarea({"rows": 24, "spellcheck": "false"}),
    )

    def clean_text(self) -> str:
        """Return the text with the line ends that are sent; browsers post others."""
        return str(self.cleaned_data["text"]).replace("\r\n", "\n").replace("\r", "\n")

    def clean_reply(self) -> ReplyForm:
        """Return the form of the reply."""
        return ReplyForm(self.cleaned_data["reply"])

    def clean(self) -> dict[str, Any]:
        """Refuse a text that cannot be filled."""
        cleaned = super().clean() or {}
        if not self.errors:
            try:
                custom(cleaned["text"], cleaned["reply"])
            except Invalid as error:
                self.add_error("text", said(error))
        return cleaned

    def template(self) -> JudgeTemplate | None:
        """Return what stands in the editor; None where it cannot be used."""
        values = self.initial
        if self.is_bound:
            if not self.is_valid():
                return None
            values = self.cleaned_data
        return custom(values["text"], ReplyForm(values["reply"]))


class NamedWordingForm(WordingForm):
    """A wording to be saved."""

    def clean_name(self) -> str:
        """Return the name; refuse to save without one."""
        if not self.cleaned_data["name"]:
            raise forms.ValidationError(_("Give the wording a name."))
        return str(self.cleaned_data["name"])


class TrialForm(JudgeForm):
    """A dry run: what a run of the judge asks for, and the solutions to try it on."""

    solutions = forms.CharField(
        label=_("Solutions"),
        required=False,
        max_length=200,
        help_text=_("Their ids; empty: a mix of disputed ones, wrong answers and others."),
        widget=forms.TextInput({"autocomplete": "off", "placeholder": _("a mix")}),
    )

    def clean_solutions(self) -> list[str]:
        """Return the ids, each once."""
        return list(dict.fromkeys(re.split(r"[\s,;]+", self.cleaned_data["solutions"].strip())))

    def _settings(self, engine: Engine | None, cleaned: Mapping[str, Any]) -> RunSettings:
        settings = {name: value for name, value in cleaned.items() if name != "solutions"}
        return super()._settings(engine, settings)
