"""How runs, engines and estimates look in JSON. Ranges are [low, high]."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from labeling.domain.run_settings import SETTINGS
from labeling.models import Engine


class RangeField(serializers.ListField):
    """A range as [low, high]."""

    child = serializers.FloatField()

    def to_representation(self, value: Any) -> list[float]:
        """Return both ends."""
        return [value.low, value.high]


class ProgressOut(serializers.Serializer[Any]):
    done = serializers.IntegerField(help_text="Items with a result, whatever it says.")
    total = serializers.IntegerField()
    unscored = serializers.IntegerField()
    refuted = serializers.IntegerField(help_text="Verdicts that only contradict the judge.")
    unusable = serializers.IntegerField(help_text="Generated samples without a step.")


class SpeedOut(serializers.Serializer[Any]):
    items = serializers.FloatField(help_text="Per second, over the last two minutes.")
    completions = serializers.FloatField()
    tokens = serializers.FloatField()
    eta = serializers.FloatField(help_text="Seconds left at this speed.")


class CostOut(serializers.Serializer[Any]):
    completions = serializers.IntegerField()
    exhaustive = serializers.IntegerField(
        help_text="Completions of the published method for the labeler's settled verdicts."
    )
    settled = serializers.IntegerField(help_text="Completions that those verdicts took.")
    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    seconds = serializers.FloatField(help_text="Of workers.")
    money = serializers.FloatField(allow_null=True, help_text="Null: the engine has no prices.")
    projected = serializers.FloatField(allow_null=True)
    currency = serializers.CharField()


class AttentionOut(serializers.Serializer[Any]):
    trouble = serializers.CharField()
    text = serializers.CharField()
    remedy = serializers.CharField()
    command = serializers.CharField()
    severe = serializers.BooleanField()


class FailureOut(serializers.Serializer[Any]):
    reason = serializers.CharField()
    count = serializers.IntegerField()
    examples = serializers.ListField(child=serializers.CharField(), help_text="Solutions' uids.")


class RunOut(serializers.Serializer[Any]):
    uid = serializers.CharField()
    kind = serializers.ChoiceField(choices=list(SETTINGS))
    name = serializers.CharField()
    state = serializers.CharField()
    reason = serializers.CharField(source="run.reason")
    engine = serializers.CharField(source="run.engine.name", default=None, allow_null=True)
    labeler = serializers.CharField(source="run.labeler.uid", default=None, allow_null=True)
    config = serializers.DictField(source="run.config")
    progress = ProgressOut()
    speed = SpeedOut(allow_null=True)
    cost = CostOut()
    attention = AttentionOut(allow_null=True)
    created_at = serializers.DateTimeField(source="run.created_at")
    last_progress_at = serializers.DateTimeField(source="run.last_progress_at", allow_null=True)
    finished_at = serializers.DateTimeField(source="run.finished_at", allow_null=True)


class RunWithFailures(RunOut):
    failures = FailureOut(many=True, help_text="Why results are missing, most frequent first.")


class RunIn(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=list(SETTINGS))
    engine = serializers.CharField(
        required=False, allow_blank=True, help_text="Name; none for a PRM of the project."
    )
    settings = serializers.DictField(
        required=False, default=dict, help_text="See docs/runs.md; what is missing takes defaults."
    )


class RetryIn(serializers.Serializer[Any]):
    reason = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="Retry this reason alone."
    )


class EstimateOut(serializers.Serializer[Any]):
    items = serializers.IntegerField(source="work.items")
    completions = RangeField(source="work.completions")
    exhaustive = serializers.FloatField(source="work.exhaustive", allow_null=True)
    prompt_tokens = RangeField(source="work.prompt_tokens")
    completion_tokens = RangeField(source="work.completion_tokens")
    seconds = RangeField(allow_null=True, help_text="Of one worker; null where not known.")
    money = RangeField(allow_null=True)
    currency = serializers.CharField()
    assumptions = serializers.ListField(child=serializers.CharField())


class EngineOut(serializers.ModelSerializer[Engine]):
    class Meta:
        model = Engine
        fields = [
            "uid", "name", "kind", "model", "prompt_price", "completion_price", "hour_price",
            "currency", "active",
        ]  # fmt: skip


class EngineWithOptions(EngineOut):
    """For managers: options name servers and the variables of their keys."""

    class Meta(EngineOut.Meta):
        fields = [*EngineOut.Meta.fields, "options"]
