"""What the settings pages post: the policy, members, invitations, new projects."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.domain.labels import LabelerKind
from labeling.domain.policy import LabelMode, Policy
from labeling.domain.roles import Role
from labeling.language import said_lazy

_ROLES = [(role.value, said_lazy(role.value)) for role in Role if role is not Role.SERVICE]


def _tick(label: Any, help_text: Any) -> forms.BooleanField:
    return forms.BooleanField(label=label, required=False, help_text=help_text)


def _share(label: Any, help_text: Any, high: float = 1.0) -> forms.FloatField:
    return forms.FloatField(
        label=label,
        min_value=0.0,
        max_value=high,
        widget=forms.NumberInput({"step": "any"}),
        help_text=help_text,
    )


def _count(label: Any, help_text: Any, low: int, high: int) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=low, max_value=high, help_text=help_text)


class PolicyForm(forms.Form):
    """The whole policy; its checks are the domain's, repeated here as the fields' bounds."""

    based_on = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    consensus_kinds = forms.MultipleChoiceField(
        label=_("Labelers that must agree"),
        choices=[
            (LabelerKind.MC.value, _("Monte Carlo")),
            (LabelerKind.JUDGE.value, _("Judge")),
            (LabelerKind.PRM.value, _("Reward model")),
        ],
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "A solution on whose first error these kinds agree needs no person. Changing it makes "
            "every decision again, in the background."
        ),
    )
    human_overlap = _count(
        _("People per disputed solution"),
        _("How many label it before they decide. Changing it makes every decision again."),
        1,
        20,
    )
    label_mode = forms.ChoiceField(
        label=_("What a person labels"),
        choices=[
            (LabelMode.FIRST_ERROR.value, _("up to the first error")),
            (LabelMode.EVERY_STEP.value, _("every step")),
        ],
        help_text=_("Holds for items that are submitted from now on."),
    )
    blind = _tick(_("Blind"), _("Before submitting, nobody sees what machines or others said."))
    show_reference = _tick(_("Show the reference answer"), _("Beside the problem, while labeling."))
    show_people = _tick(
        _("Show other annotators"),
        _("After submitting, an annotator also sees other annotators' labels."),
    )
    lease_minutes = _count(
        _("Lease, in minutes"),
        _("How long an item is held for a person who does nothing on it."),
        1,
        24 * 60,
    )
    check_imported = _tick(
        _("Check imported labels"),
        _("People also get solutions that only the labels of an imported file decide."),
    )
    test_share = _share(
        _("Share of test problems"),
        _("0 to 0.9. Drawn when a problem is imported: earlier problems keep their side."),
        0.9,
    )
    mc_audit_share = _share(
        _("Share sampled in full"),
        _("0 to 1. Solutions that judge-first Monte Carlo samples in full after a refutation."),
    )
    audit_share = _share(
        _("Share of audits"),
        _("0 to 1. Leases that check a random consensus solution instead of a dispute."),
    )
    gold_share = _share(
        _("Share of hidden gold"),
        _("0 to 0.5. Leases that test a person by a solution whose first error is known."),
        0.5,
    )
    exam_items = _count(
        _("Items of the exam"),
        _("Gold items that a new annotator labels before any other; 0 for no exam."),
        0,
        1000,
    )
    exam_pass_share = _share(_("Share that passes the exam"), _("0 to 1, of right first errors."))
    too_fast_seconds = forms.FloatField(
        label=_("Too fast, in seconds per step"),
        min_value=0.0,
        max_value=3600.0,
        widget=forms.NumberInput({"step": "any"}),
        help_text=_("A submission with fewer active seconds per labeled step is flagged."),
    )
    retrain_after = _count(
        _("Retrain after"),
        _("New decisions after which a model is trained by itself; 0 for never."),
        0,
        10**9,
    )

    @classmethod
    def of(cls, policy: Policy, version: int) -> PolicyForm:
        """Return the form with the policy that holds."""
        return cls(initial={**policy.to_dict(), "based_on": version})

    def changes(self) -> dict[str, Any]:
        """Return the fields of the policy, typed as the domain has them."""
        data = dict(self.cleaned_data)
        data["consensus_kinds"] = tuple(LabelerKind(kind) for kind in data["consensus_kinds"])
        data["label_mode"] = LabelMode(data["label_mode"])
        return {field.name: data[field.name] for field in fields(Policy)}


class MemberForm(forms.Form):
    """Somebody by name, and a role."""

    username = forms.CharField(
        label=_("Name"),
        max_length=150,
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )
    role = forms.TypedChoiceField(
        label=_("Role"), choices=_ROLES, coerce=Role, initial=Role.ANNOTATOR.value
    )


class RoleForm(forms.Form):
    """Another role for a member."""

    role = forms.TypedChoiceField(choices=_ROLES, coerce=Role)


class ProjectForm(forms.Form):
    """A new project."""

    name = forms.CharField(
        label=_("Name"), max_length=120, widget=forms.TextInput({"autocomplete": "off"})
    )
