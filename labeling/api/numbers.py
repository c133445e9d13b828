"""How statistics look in JSON: a value with its 95 % interval, or why there is none."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from labeling.domain.statistics.intervals import Interval, MaybeInterval, Proportion
from labeling.domain.statistics.undefined import Statistic, Undefined, known


class ShareOut(serializers.Serializer[Any]):
    """A share with its count and 95 % interval; null where nothing was counted."""

    part = serializers.IntegerField()
    whole = serializers.IntegerField()
    value = serializers.SerializerMethodField("share_of")
    interval = serializers.SerializerMethodField()

    def share_of(self, found: Proportion) -> float | None:
        """Return the share."""
        return known(found.value)

    def get_interval(self, found: Proportion) -> list[float] | None:
        """Return [low, high]."""
        return ends_of(found.interval)


class MeasuredOut(serializers.Serializer[Any]):
    """A statistic; `undefined` says why there is no value or no interval."""

    value = serializers.SerializerMethodField()
    interval = serializers.SerializerMethodField()
    undefined = serializers.SerializerMethodField()

    def get_value(self, found: Any) -> float | None:
        """Return the value."""
        return known(found.value)

    def get_interval(self, found: Any) -> list[float] | None:
        """Return [low, high]."""
        return ends_of(found.interval)

    def get_undefined(self, found: Any) -> str | None:
        """Return the reason."""
        missing = (x for x in (found.value, found.interval) if isinstance(x, Undefined))
        return next((str(reason) for reason in missing), None)


class NumberField(serializers.FloatField):
    """A statistic without an interval; null where it is undefined."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_null=True, **options)

    def to_representation(self, value: Statistic) -> float | None:  # type: ignore[override]
        """Return the number."""
        return known(value)


def ends_of(interval: MaybeInterval) -> list[float] | None:
    """Return [low, high], None where there is no interval."""
    return [interval.low, interval.high] if isinstance(interval, Interval) else None
