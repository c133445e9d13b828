"""A new webhook, as its page posts it."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.domain.webhooks import CHOSEN, URL_LIMIT
from labeling.language import said_lazy


class WebhookForm(forms.Form):
    """Whom to tell, and of what."""

    url = forms.CharField(
        label=_("Address"),
        max_length=URL_LIMIT,
        help_text=_("Where messages go, for example https://example.org/hook"),
        widget=forms.TextInput({"autocomplete": "off", "inputmode": "url", "spellcheck": "false"}),
    )
    events = forms.MultipleChoiceField(
        label=_("Tell of"),
        choices=[(str(hook), said_lazy(hook.words)) for hook in CHOSEN],
        initial=[str(hook) for hook in CHOSEN],
        widget=forms.CheckboxSelectMultiple,
    )
