"""The filters of the list of solutions: those of its form, and those that cells lead to."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.domain.cells import (
    ANY_KIND,
    WRONG_KIND,
    Audited,
    Minimum,
    is_between,
    span_of,
    step_labels_of,
    votes_of,
)
from labeling.domain.consensus import DecisionState
from labeling.domain.statistics.bands import DIFFICULTIES, LENGTHS, POSITIONS
from labeling.domain.statistics.diagnostics import ErrorKind
from labeling.language import Words, said_lazy
from labeling.models.fields import is_uid

_ANY = [("", _("any"))]
_SAYS = [
    ("scored", _("any verdict")),
    ("none", _("no error")),
    ("error", _("some error")),
    ("unscored", _("unscored")),
    ("refuted", _("refutes the judge")),
    ("missing", _("not labeled")),
]
_SAYS_BEHIND = {*dict(_SAYS), "judged", "rejected", "verdict", "any"}
RELATIONS = [
    ("compared", _("both have a verdict")),
    ("both_right", _("both: no error")),
    ("same_error", _("same first error")),
    ("different_error", _("different first error")),
    ("only_first", _("error by MC alone")),
    ("only_second", _("error by judge alone")),
]
LABELS = ["none", "error", "decided"]
PEOPLE = ["one", "several"]

_VERDICT = forms.TextInput(
    {"list": "verdicts", "placeholder": _("any, or a step"), "autocomplete": "off"}
)


class SaysField(forms.CharField):
    """A kind of verdict, or the number (from 1) of the step called the first error; "13+" is
    that step or a later one.
    """

    allowed: Collection[str] = {"", *dict(_SAYS)}

    def clean(self, value: Any) -> str:
        """Return the checked text; raise ValidationError for anything else."""
        text = str(super().clean(value)).strip()
        number = text.removesuffix("+")
        if text in self.allowed or (number.isascii() and number.isdecimal() and int(number)):
            return text
        raise forms.ValidationError(_("choose one of the list or a step's number"))


class SaysBehindField(SaysField):
    """The same, and the wider kinds that only cells lead to."""

    allowed = {"", *_SAYS_BEHIND}


class CellField(forms.CharField):
    """What a dashboard's cell says in an address; anything else narrows nothing."""

    def __init__(self, label: Words, fits: Callable[[str], Any] = bool) -> None:
        super().__init__(
            label=label, required=False, max_length=400, widget=forms.HiddenInput, strip=False
        )
        self._fits = fits

    def clean(self, value: Any) -> str:
        """Return the text; raise ValidationError where it does not fit."""
        text = str(super().clean(value))
        if text and not self._fits(text):
            raise forms.ValidationError(_("unknown"))
        return text


def _one_of(allowed: Collection[str]) -> Callable[[str], bool]:
    return frozenset(allowed).__contains__


def _says() -> SaysBehindField:
    return SaysBehindField(label=_("says"), required=False, max_length=8, widget=forms.HiddenInput)


class SolutionFilterForm(forms.Form):
    """The filters of the list of solutions; an unknown value narrows nothing."""

    state = forms.ChoiceField(
        label=_("Decision"),
        required=False,
        choices=_ANY + [(s, said_lazy(s)) for s in DecisionState],
    )
    mc = SaysField(label=_("Monte Carlo"), required=False, max_length=8, widget=_VERDICT)
    judge = SaysField(label=_("Judge"), required=False, max_length=8, widget=_VERDICT)
    relation = forms.ChoiceField(label=_("MC × judge"), required=False, choices=_ANY + RELATIONS)
    answer = forms.ChoiceField(
        label=_("Final answer"),
        required=False,
        choices=[
            *_ANY,
            ("right", _("right")),
            ("wrong", _("wrong")),
            ("unknown", _("not checked")),
        ],
    )
    split = forms.ChoiceField(
        label=_("Split"),
        required=False,
        choices=[*_ANY, ("train", _("train")), ("test", _("test"))],
    )
    gave_up = forms.ChoiceField(
        label=_("Too hard"),
        required=False,
        choices=[*_ANY, ("some", _("for somebody")), ("more", _("for two or more"))],
    )
    generator = forms.CharField(label=_("Generator"), required=False, max_length=200)
    # what cells of the dashboards lead to
    source = CellField(_("Source"))
    label = CellField(_("Decided"), _one_of(LABELS))
    length = CellField(_("Length"), _one_of(LENGTHS))
    difficulty = CellField(_("Difficulty"), _one_of(DIFFICULTIES))
    audit = CellField(_("Audit"), _one_of([*Audited]))
    audited_as = CellField(_("Consensus was"), _one_of(LABELS[:2]))
    people = CellField(_("Annotators"), _one_of(PEOPLE))
    votes = CellField(_("Annotators said"), votes_of)
    one = CellField(_("Labeler"))
    one_says = _says()
    other = CellField(_("Another labeler"))
    other_says = _says()
    between = CellField(_("The two"), is_between)
    steps = CellField(_("At a step"), step_labels_of)
    stands = CellField(_("Against people's decision"), _one_of([*ErrorKind, ANY_KIND, WRONG_KIND]))
    position = CellField(_("Step"), _one_of(POSITIONS))
    minimum = CellField(_("Lowest score"), _one_of([*Minimum]))
    came = CellField(_("Came"), span_of)
    like = CellField(_("Same reason as"), is_uid)

    def values(self) -> dict[str, str]:
        """Return what is valid of the address, by filter."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}

    def hidden_labels(self) -> dict[str, str]:
        """Return the words of the filters in use that have no field of their own."""
        found = self.values()
        return {f.name: str(f.label) for f in self.hidden_fields() if found.get(f.name)}
