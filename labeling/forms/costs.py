"""What the page of costs is narrowed to by its address."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.forms.quality import PeriodForm
from labeling.models.fields import is_uid


class CostsForm(PeriodForm):
    """Days back, one run, one labeler; what cannot be an id narrows nothing."""

    run = forms.CharField(label=_("Run"), required=False, max_length=40)
    labeler = forms.CharField(label=_("Labeler"), required=False, max_length=40)

    def uid(self, name: str) -> str:
        """Return a valid id of the address, or nothing."""
        self.is_valid()
        text = str(self.cleaned_data.get(name) or "")
        return text if is_uid(text) else ""
