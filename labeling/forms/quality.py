"""What the pages about people and gold items post, and what their addresses narrow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.domain.assignments import GoldUse
from labeling.domain.quality import Against, Outcome
from labeling.models.fields import is_uid

USES = [
    (GoldUse.HIDDEN, _("hidden among the others")),
    (GoldUse.EXAM, _("in the exam")),
]
_USE: dict[str, Any] = {
    "label": _("Serves"),
    "choices": USES,
    "coerce": GoldUse,
    "error_messages": {"required": _("Say where the item serves.")},
}
_NOTE = _("Shown to people once their exam is over, and kept as the reason of the key.")


class GoldForm(forms.Form):
    """A solution as a gold item; `first_error` counts from 0, -1 = none, empty: as adjudicated."""

    use = forms.TypedChoiceField(**_USE)
    first_error = forms.TypedChoiceField(
        label=_("First wrong step"), required=False, coerce=int, empty_value=None
    )
    explanation = forms.CharField(
        label=_("Explanation"),
        required=False,
        max_length=4000,
        help_text=_NOTE,
        widget=forms.Textarea({"rows": 2}),
    )

    def __init__(self, steps: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = [(number - 1, str(number)) for number in range(1, steps + 1)]
        chosen = [("", _("choose")), (-1, _("no step is wrong")), *words]
        self.fields["first_error"].choices = chosen  # type: ignore[attr-defined]


class GoldChangeForm(forms.Form):
    """Where a gold item serves from now on, and its explanation."""

    use = forms.TypedChoiceField(**_USE)
    explanation = forms.CharField(required=False, max_length=4000)
    active = forms.BooleanField(required=False)


class SampleForm(forms.Form):
    """Many gold items at once: a labeler, how many of its solutions, by which seed."""

    labeler = forms.ChoiceField(label=_("Keys are the labels of"))
    count = forms.IntegerField(label=_("Solutions"), min_value=1, max_value=200, initial=20)
    use = forms.TypedChoiceField(**_USE)
    seed = forms.IntegerField(
        label=_("Seed"),
        initial=1,
        min_value=0,
        max_value=2**31 - 1,
        help_text=_("The same seed draws the same solutions."),
    )

    def __init__(self, sources: Iterable[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["labeler"].choices = list(sources)  # type: ignore[attr-defined]


class GrantForm(forms.Form):
    """Why somebody may take the exam once more."""

    reason = forms.CharField(
        max_length=2000, error_messages={"required": _("Say why: whoever reads the history asks.")}
    )


class PeriodForm(forms.Form):
    """How far the numbers look back, in days; empty: to the beginning."""

    days = forms.TypedChoiceField(
        required=False,
        choices=[("", _("ever")), ("30", _("30 days")), ("7", _("7 days"))],
        coerce=int,
        empty_value=None,
    )
    sort = forms.CharField(required=False, max_length=20)

    def days_or_none(self) -> int | None:
        """Return the days, None where the address names none that are offered."""
        self.is_valid()
        days = self.cleaned_data.get("days")
        return days if isinstance(days, int) else None


class ItemsForm(PeriodForm):
    """Which of a person's items are listed."""

    against = forms.TypedChoiceField(
        required=False, choices=[(a, a) for a in Against], coerce=Against, empty_value=None
    )
    outcome = forms.TypedChoiceField(
        required=False, choices=[(o, o) for o in Outcome], coerce=Outcome, empty_value=None
    )
    doing = forms.CharField(required=False, max_length=20)
    page = forms.IntegerField(required=False, min_value=1, max_value=1_000_000)

    def value(self, name: str) -> Any:
        """Return what the address says of `name` where it is valid, else None."""
        self.is_valid()
        return self.cleaned_data.get(name)


def labeler_uid(text: str) -> str:
    """Return the text if it can be a labeler's opaque id, else an id that nobody has."""
    return text if is_uid(text) else "-"
