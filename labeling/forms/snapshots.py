"""What the snapshot pages post: a rule, and the formats wanted beside the native one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.domain.exports import FORMATS
from labeling.language import said_lazy

_BOXES = forms.CheckboxSelectMultiple


class SnapshotForm(forms.Form):
    """A new snapshot. `evaluation_sets` are the sets that it may leave out, as (value, label)."""

    name = forms.CharField(
        label=_("Name"), max_length=120, widget=forms.TextInput({"autocomplete": "off"})
    )
    states = forms.MultipleChoiceField(
        label=_("Decisions taken"),
        choices=[("consensus", _("consensus")), ("adjudicated", _("adjudicated"))],
        initial=["consensus", "adjudicated"],
        widget=_BOXES,
    )
    target = forms.ChoiceField(
        label=_("Labels"),
        choices=[
            ("hard", _("hard: right or wrong")),
            ("soft", _("soft: only solutions with unbiased Monte-Carlo counts")),
        ],
        required=False,
    )
    neutral_as = forms.ChoiceField(
        label=_("Neutral steps are"),
        choices=[
            ("1", _("right")),
            ("0", _("wrong, and then the first error")),
            ("", _("without loss")),
        ],
        initial="1",
        required=False,
    )
    after_error = forms.ChoiceField(
        label=_("Steps after the first error are"),
        choices=[
            ("drop", _("without loss")),
            ("wrong", _("wrong")),
            ("said", _("what the labeler said")),
        ],
        required=False,
    )
    dedup = forms.BooleanField(
        label=_("Leave out near-duplicates"),
        required=False,
        label_suffix="",
        help_text=_(
            "Of solutions that differ in white space and case only, one stays; problems written "
            "alike stay on the test side only."
        ),
    )
    without = forms.MultipleChoiceField(
        label=_("Leave out the problems of"),
        required=False,
        widget=_BOXES,
        help_text=_("Evaluation sets: statements are compared without case and punctuation."),
    )
    critiques = forms.BooleanField(
        label=_("Take the judge's words along"), required=False, label_suffix=""
    )
    limit = forms.IntegerField(
        label=_("At most so many training solutions"), required=False, min_value=1
    )
    formats = forms.MultipleChoiceField(
        label=_("Other formats"),
        required=False,
        choices=[(form.name, said_lazy(form.title)) for form in FORMATS],
        widget=_BOXES,
        help_text=_("They can be asked for later, too."),
    )

    def __init__(
        self, *args: Any, evaluation_sets: Sequence[tuple[str, str]] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["without"].choices = list(evaluation_sets)  # type: ignore[attr-defined]
        if not evaluation_sets:
            del self.fields["without"]

    def rule(self) -> dict[str, Any]:
        """Return the values of labeling.domain.releases.Rule."""
        given = self.cleaned_data
        neutral = given["neutral_as"]
        return {
            "states": given["states"],
            "target": given["target"] or "hard",
            "neutral_as": int(neutral) if neutral else None if "neutral_as" in self.data else 1,
            "after_error": given["after_error"] or "drop",
            "dedup": given["dedup"],
            "without": given.get("without", []),
            "critiques": given["critiques"],
            "limit": given["limit"],
        }
