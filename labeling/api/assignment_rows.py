"""How items and evidence look in JSON. Steps count from 0."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from labeling.api.lists import Query
from labeling.domain.assignments import Purpose, RejectReason, SkipReason
from labeling.domain.labels import LabelerKind, VerdictState
from labeling.domain.policy import LabelMode
from labeling.models import Assignment

_DAY = 24 * 3600


class AssignmentQuery(Query):
    state = serializers.ChoiceField(required=False, choices=["open", "submitted", "skipped"])
    person = serializers.CharField(
        required=False, max_length=150, help_text="Whose, by user name; for those who manage."
    )


class AssignmentOut(serializers.Serializer[Any]):
    """An item in short. `solution`, `purpose`, `person`: for those who manage, else null."""

    uid = serializers.CharField()
    state = serializers.SerializerMethodField()
    expires_at = serializers.DateTimeField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    skipped_at = serializers.DateTimeField(allow_null=True)
    skip_reason = serializers.CharField(allow_blank=True)
    active_seconds = serializers.FloatField()
    solution = serializers.SerializerMethodField()
    purpose = serializers.SerializerMethodField()
    person = serializers.SerializerMethodField()

    def get_state(self, row: Assignment) -> str:
        """Return open, submitted or skipped."""
        if row.submitted_at:
            return "submitted"
        return "skipped" if row.skipped_at else "open"

    def get_solution(self, row: Assignment) -> str | None:
        """Return the solution's uid."""
        return row.solution.uid if self.context["whole"] else None

    def get_purpose(self, row: Assignment) -> str | None:
        """Return why the item was given: it may be a hidden gold item."""
        return str(Purpose(row.purpose)) if self.context["whole"] else None

    def get_person(self, row: Assignment) -> str | None:
        """Return whose item it is."""
        return row.user.username if self.context["whole"] else None


class CellOut(serializers.Serializer[Any]):
    """What one labeler says of one step."""

    kind = serializers.ChoiceField(source="voice.kind", choices=[str(kind) for kind in LabelerKind])
    name = serializers.CharField(source="voice.name")
    label = serializers.IntegerField(allow_null=True)  # type: ignore[assignment]
    score = serializers.FloatField(allow_null=True)
    first_error = serializers.BooleanField()


class BarOut(serializers.Serializer[Any]):
    """k of n completions from a step reached the reference answer."""

    name = serializers.CharField()
    k = serializers.IntegerField()
    n = serializers.IntegerField()
    stopped = serializers.BooleanField(help_text="No more were drawn after a success.")


class StepOut(serializers.Serializer[Any]):
    index = serializers.IntegerField()
    text = serializers.CharField()
    cells = CellOut(many=True)
    bars = BarOut(many=True)


class VoiceOut(serializers.Serializer[Any]):
    """One labeler's verdict on the whole solution."""

    kind = serializers.ChoiceField(choices=[str(kind) for kind in LabelerKind])
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=[str(state) for state in VerdictState])
    first_error = serializers.IntegerField(allow_null=True)
    critique = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(allow_blank=True)


class DraftOut(serializers.Serializer[Any]):
    """Labels per step (1, 0, -1, null), notes by step index, a note on the whole."""

    labels = serializers.ListField(
        child=serializers.ChoiceField(choices=[-1, 0, 1], allow_null=True)
    )
    notes = serializers.DictField(child=serializers.CharField())
    note = serializers.CharField(allow_blank=True)


class ItemOut(serializers.Serializer[Any]):
    """An item to label. In a blind project nobody's verdict is in `steps` before submitting."""

    uid = serializers.CharField()
    statement = serializers.CharField()
    reference = serializers.CharField(allow_null=True)
    mode = serializers.ChoiceField(choices=[str(mode) for mode in LabelMode])
    steps = StepOut(source="evidence.steps", many=True)
    voices = VoiceOut(source="evidence.voices", many=True)
    draft = DraftOut()
    version = serializers.IntegerField(source="draft_version")
    active_seconds = serializers.FloatField()
    expires_at = serializers.DateTimeField()
    submitted = serializers.BooleanField(source="editing")


class EvidenceOut(serializers.Serializer[Any]):
    """One's own verdict beside what others say, as far as the policy shows it."""

    statement = serializers.CharField()
    reference = serializers.CharField(allow_null=True)
    own = VoiceOut(allow_null=True)
    steps = StepOut(source="evidence.steps", many=True)
    voices = VoiceOut(source="evidence.voices", many=True)


class GivenDraft(serializers.Serializer[Any]):
    """What the caller has labeled so far; steps may be null."""

    labels = serializers.ListField(
        child=serializers.ChoiceField(choices=[-1, 0, 1], allow_null=True), max_length=1000
    )
    notes = serializers.DictField(
        child=serializers.CharField(allow_blank=True), required=False, help_text="By step index."
    )
    note = serializers.CharField(required=False, allow_blank=True)


class DraftIn(serializers.Serializer[Any]):
    version = serializers.IntegerField(
        min_value=0, max_value=2**31 - 1, help_text="Of the draft that you have before you."
    )
    draft = GivenDraft()
    active_seconds = serializers.FloatField(min_value=0, max_value=_DAY)


class SubmitIn(serializers.Serializer[Any]):
    key = serializers.UUIDField(help_text="One for each item: it makes a repetition harmless.")
    draft = GivenDraft()
    active_seconds = serializers.FloatField(min_value=0, max_value=_DAY)
    version = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=2**31 - 1,
        help_text="To correct a submitted item: that of the draft which `GET` showed.",
    )


class SavedOut(serializers.Serializer[Any]):
    version = serializers.IntegerField()


class SkipIn(serializers.Serializer[Any]):
    code = serializers.ChoiceField(choices=[str(reason) for reason in SkipReason])
    words = serializers.CharField(required=False, allow_blank=True, max_length=2000, default="")


class RejectIn(serializers.Serializer[Any]):
    code = serializers.ChoiceField(choices=[str(reason) for reason in RejectReason])
    words = serializers.CharField(required=False, allow_blank=True, max_length=2000, default="")
