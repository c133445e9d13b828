"""What pages post and what stands in their addresses, checked. Knows no permissions."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.domain.adjudication import Cause
from labeling.domain.assignments import RejectReason, SkipReason


def errors_in_words(form: forms.BaseForm) -> str:
    """Return what is wrong with a form's fields as one line."""
    return "; ".join(f"{name}: {' '.join(map(str, found))}" for name, found in form.errors.items())


class DraftForm(forms.Form):
    """The page's JSON on autosave."""

    version = forms.IntegerField(min_value=0)
    draft = forms.JSONField()
    active_seconds = forms.FloatField(min_value=0, max_value=24 * 3600)


class SubmitForm(forms.Form):
    """The page's JSON on submit; `key` makes a repeated submit harmless.

    `version` is given to correct a submitted item: that of the draft which the page showed.
    `show`: the evidence is to come with the answer.
    """

    key = forms.UUIDField()
    draft = forms.JSONField()
    active_seconds = forms.FloatField(min_value=0, max_value=24 * 3600)
    version = forms.IntegerField(min_value=0, required=False)
    show = forms.BooleanField(required=False)


class SkipForm(forms.Form):
    """Why an item is skipped."""

    code = forms.TypedChoiceField(
        choices=[(reason, reason) for reason in SkipReason], coerce=SkipReason
    )
    words = forms.CharField(required=False, max_length=2000)


class RejectForm(forms.Form):
    """Why an item cannot be labeled."""

    code = forms.TypedChoiceField(
        choices=[(reason, reason) for reason in RejectReason], coerce=RejectReason
    )
    words = forms.CharField(required=False, max_length=2000)


class AdjudicateForm(forms.Form):
    """An adjudicator's verdict. `first_error` counts from 0; -1 = none. With `code`: a discard.

    `seen`: what the page showed (selectors.adjudication.seen).
    """

    key = forms.UUIDField()
    seen = forms.CharField(max_length=100_000, required=False)
    first_error = forms.IntegerField(min_value=-1, required=False)
    reason = forms.CharField(max_length=4000, required=False)
    code = forms.TypedChoiceField(
        choices=[(reason, reason) for reason in RejectReason], coerce=RejectReason, required=False
    )


class CorrectAnswerForm(forms.Form):
    """Another reference answer, and why."""

    answer = forms.CharField(max_length=2000, required=False)
    reason = forms.CharField(max_length=4000, required=False)


class DisputeFilterForm(forms.Form):
    """The filters of the adjudicators' queue; an unknown value narrows nothing."""

    # the buttons above the form choose it
    cause = forms.ChoiceField(
        required=False, choices=[(cause, cause) for cause in Cause], widget=forms.HiddenInput
    )
    source = forms.CharField(label=_("Source"), required=False, max_length=120)
    problem = forms.CharField(required=False, max_length=16, widget=forms.HiddenInput)

    def values(self) -> dict[str, str]:
        """Return what is valid of the address, by filter."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


class TokenForm(forms.Form):
    """A new API token."""

    name = forms.CharField(
        label=_("Name"), max_length=80, widget=forms.TextInput({"autocomplete": "off"})
    )
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"),
        choices=[
            ("read", _("read: everything that you may see, but no downloads")),
            ("label", _("label: take items, submit and adjudicate in your name")),
            ("run", _("run: start and steer runs and trainings")),
            ("export", _("export: download labels and snapshots")),
            ("manage", _("manage: bring in data, freeze snapshots, promote models, webhooks")),
        ],
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.IntegerField(label=_("Valid for days"), min_value=1, max_value=366, initial=90)


class AuditForm(forms.Form):
    """How precisely an export's precision is wanted."""

    points = forms.FloatField(
        label=_("Wanted: ± percentage points"),
        min_value=0.5,
        max_value=20,
        required=False,
        initial=2,
    )

    def width(self) -> float:
        """Return the width of the interval; ± 2 points where nothing valid is asked for."""
        points = self.cleaned_data.get("points") if self.is_valid() else None
        return 2 * (points or 2.0) / 100
