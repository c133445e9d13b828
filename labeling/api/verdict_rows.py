"""How verdicts and labelers look in JSON. Steps and first errors count from 0; -1: no error."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from labeling.domain.formats import NAMEABLE
from labeling.domain.labels import LabelerKind
from labeling.models import Labeler, Verdict
from labeling.services import given_verdicts


class LabelerOut(serializers.ModelSerializer[Labeler]):
    class Meta:
        model = Labeler
        fields = ["uid", "kind", "name", "config", "active", "created_at"]


class VerdictOut(serializers.ModelSerializer[Verdict]):
    solution = serializers.CharField(source="solution.uid", help_text="The solution's uid.")
    labeler = serializers.CharField(source="labeler.uid", help_text="The labeler's uid.")
    kind = serializers.ChoiceField(
        source="labeler.kind", choices=[str(kind) for kind in LabelerKind]
    )
    name = serializers.CharField(source="labeler.name", help_text="The labeler's name.")
    step_labels = serializers.ListField(
        child=serializers.IntegerField(allow_null=True),
        help_text="1 right, 0 neutral, -1 wrong, null not judged; empty: only the first error.",
    )
    step_scores = serializers.ListField(child=serializers.FloatField(allow_null=True))
    mc_k = serializers.ListField(
        child=serializers.IntegerField(allow_null=True),
        help_text="Completions from each step that reached the reference answer, of `mc_n`.",
    )
    mc_n = serializers.ListField(child=serializers.IntegerField(allow_null=True))

    class Meta:
        model = Verdict
        fields = [
            "solution", "labeler", "kind", "name", "state", "first_error", "step_labels",
            "step_scores", "mc_k", "mc_n", "refuted_at", "critique", "reason", "informed",
            "completions", "prompt_tokens", "completion_tokens", "seconds", "created_at",
            "updated_at",
        ]  # fmt: skip


class LabelerIn(serializers.Serializer[Any]):
    """Who or what labels: the same kind, name and configuration are the same labeler."""

    kind = serializers.ChoiceField(choices=[str(kind) for kind in NAMEABLE])
    name = serializers.CharField(max_length=120)
    config = serializers.DictField(required=False, default=dict, help_text="What tells it apart.")


class VerdictIn(serializers.Serializer[Any]):
    """One verdict: a first error, or a `reason` why there is none (unscored)."""

    solution = serializers.CharField(max_length=16, help_text="The solution's uid.")
    first_error = serializers.IntegerField(
        required=False, allow_null=True, min_value=-1, max_value=999
    )
    step_labels = serializers.ListField(
        child=serializers.ChoiceField(choices=[-1, 0, 1], allow_null=True),
        required=False,
        max_length=1000,
    )
    step_scores = serializers.ListField(
        child=serializers.FloatField(allow_null=True), required=False, max_length=1000
    )
    mc_k = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=32_767, allow_null=True),
        required=False,
        max_length=1000,
    )
    mc_n = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=32_767, allow_null=True),
        required=False,
        max_length=1000,
    )
    critique = serializers.CharField(
        required=False, allow_blank=True, trim_whitespace=False, max_length=200_000
    )
    reason = serializers.CharField(required=False, allow_blank=True, max_length=4000)
    completions = serializers.IntegerField(required=False, min_value=0, max_value=2**31 - 1)
    prompt_tokens = serializers.IntegerField(required=False, min_value=0, max_value=2**53)
    completion_tokens = serializers.IntegerField(required=False, min_value=0, max_value=2**53)
    seconds = serializers.FloatField(required=False, min_value=0, max_value=1e9)


class VerdictsIn(serializers.Serializer[Any]):
    labeler = LabelerIn()
    verdicts = VerdictIn(many=True, min_length=1, max_length=given_verdicts.MOST)  # type: ignore[call-arg]


class RefusedVerdict(serializers.Serializer[Any]):
    """Why one verdict of the request was not taken."""

    index = serializers.IntegerField(help_text="Its place in the request, from 0.")
    message = serializers.CharField()


class TakenOut(serializers.Serializer[Any]):
    """What became of the verdicts. A labeler's first verdict on a solution stands."""

    labeler = serializers.CharField(help_text="The labeler's uid.")
    created = serializers.IntegerField()
    known = serializers.IntegerField(help_text="Solutions that this labeler had judged before.")
    refused = RefusedVerdict(many=True)
