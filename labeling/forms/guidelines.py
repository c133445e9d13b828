"""What the guidelines' editor posts."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.models import Guideline
from labeling.models.guidelines import LONGEST


class GuidelinesForm(forms.Form):
    """A new version; its text alone is needed to look at it."""

    based_on = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    text = forms.CharField(
        label=_("Text"),
        max_length=LONGEST,
        strip=False,
        widget=forms.Textarea({"rows": 24}),
        help_text=_("Markdown, with TeX between dollars. HTML is shown as it is written."),
    )
    change = forms.CharField(
        label=_("What changed"),
        max_length=400,
        required=False,
        help_text=_("A sentence for the annotators, shown to them before their next item."),
    )
    needs_acknowledgement = forms.BooleanField(
        label=_("Annotators read it before their next item"),
        required=False,
        initial=True,
        help_text=_("Leave it out for a corrected typing error."),
    )

    @classmethod
    def of(cls, newest: Guideline | None) -> GuidelinesForm:
        """Return the form with the version that holds."""
        text, version = (newest.text, newest.version) if newest else ("", 0)
        return cls(initial={"text": text, "based_on": version, "needs_acknowledgement": True})
