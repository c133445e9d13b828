"""How the dashboards' numbers look in JSON; labelers are named by the uid of their side."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from labeling.api.numbers import MeasuredOut, NumberField, ShareOut
from labeling.domain.labels import LabelerKind
from labeling.domain.statistics.confusion import Confusion

_KINDS = [str(kind) for kind in LabelerKind]


class CountOut(serializers.Serializer[Any]):
    """From problems to decisions; the decisions add up to `solutions`."""

    problems = serializers.IntegerField()
    solved_problems = serializers.IntegerField()
    solutions = serializers.IntegerField()
    right_answers = serializers.IntegerField()
    wrong_answers = serializers.IntegerField()
    unknown_answers = serializers.IntegerField()
    flawed_right_answers = serializers.IntegerField(help_text="Right answer, flawed steps.")
    decisions = serializers.DictField(child=serializers.IntegerField())
    decided_with_error = serializers.IntegerField()
    decided_without_error = serializers.IntegerField()


class CoverageOut(serializers.Serializer[Any]):
    """What one labeler has said; the counts with `missing` add up to all solutions."""

    labeler = serializers.CharField(source="labeler.uid")
    kind = serializers.ChoiceField(choices=_KINDS)
    name = serializers.CharField(source="labeler.name")
    scored = serializers.IntegerField()
    unscored = serializers.IntegerField()
    rejected = serializers.IntegerField()
    refuted = serializers.IntegerField()
    missing = serializers.IntegerField()
    tokens = serializers.IntegerField()
    seconds = serializers.FloatField()


class CountsOut(serializers.Serializer[Any]):
    counts = CountOut()
    coverage = CoverageOut(many=True)


class SideOut(serializers.Serializer[Any]):
    """One labeler, or all people of a kind together (then the name is empty)."""

    uid = serializers.CharField()
    kind = serializers.ChoiceField(choices=_KINDS)
    name = serializers.CharField(allow_blank=True)


class AtAGlance(serializers.Serializer[Any]):
    """Two labelers. `compared`: solutions that both judged; `exact`: the same first error."""

    one = serializers.CharField(source="pair.one.uid")
    other = serializers.CharField(source="pair.other.uid")
    compared = serializers.IntegerField()
    exact = ShareOut()
    cohen_kappa = NumberField(source="agreement.cohen_kappa", help_text="Of 'has an error'.")


class AgreementOut(serializers.Serializer[Any]):
    sides = SideOut(many=True)
    pairs = AtAGlance(many=True)


class TableCell(serializers.Serializer[Any]):
    """How often two labelers said these two things; first errors from 0, -1: none."""

    one = serializers.IntegerField()
    other = serializers.IntegerField()
    n = serializers.IntegerField()


class DistancesOut(serializers.Serializer[Any]):
    """How far apart first errors lie, in steps, where both found one."""

    both_none = serializers.IntegerField()
    only_first = serializers.IntegerField()
    only_second = serializers.IntegerField()
    absolute = serializers.DictField(child=serializers.IntegerField())
    mean_absolute = NumberField()


class FirstErrorsOut(serializers.Serializer[Any]):
    exact = ShareOut()
    distances = DistancesOut()
    within_one = MeasuredOut()
    kappa_error = MeasuredOut(help_text="Cohen's kappa of 'has an error'.")
    kappa = MeasuredOut()
    kappa_linear = MeasuredOut()
    alpha_nominal = MeasuredOut()
    alpha_ordinal = MeasuredOut()


class StepsOut(serializers.Serializer[Any]):
    """Labels of the steps that both judged."""

    solutions = serializers.IntegerField()
    exact = MeasuredOut()
    kappa = MeasuredOut()
    alpha_nominal = MeasuredOut()
    alpha_ordinal = MeasuredOut()


class PairOut(serializers.Serializer[Any]):
    """Two labelers in full. `refuted`: solutions of which only disagreement is known."""

    one = SideOut(source="pair.one")
    other = SideOut(source="pair.other")
    refuted = serializers.IntegerField(source="pair.refuted")
    confusion = serializers.SerializerMethodField()
    first_errors = FirstErrorsOut()
    steps = StepsOut(source="by_step")

    @extend_schema_field(TableCell(many=True))
    def get_confusion(self, found: Any) -> list[dict[str, int]]:
        """Return the table of first errors."""
        table: Confusion = found.pair.first_errors
        return [{"one": a, "other": b, "n": n} for (a, b), n in table.cells.items()]


class NoiseOut(serializers.Serializer[Any]):
    group = serializers.CharField(allow_blank=True)
    wrong = ShareOut()


class CheckedOut(serializers.Serializer[Any]):
    """One machine labeler against people's decisions."""

    side = SideOut()
    checked = serializers.IntegerField()
    kinds = serializers.DictField(child=ShareOut(), help_text="By kind of error; `right`: none.")
    noise = serializers.DictField(
        child=serializers.ListField(child=NoiseOut()), help_text="By dimension and group."
    )
    minimum_is_last = ShareOut()


class KeptOut(serializers.Serializer[Any]):
    """What the consensus of one MC labeler and one judge keeps."""

    mc = SideOut()
    judge = SideOut()
    retention = ShareOut()


class DiagnosticsOut(serializers.Serializer[Any]):
    """`flawed`: right final answers with a wrong step, of those decided."""

    checked = CheckedOut(many=True)
    kept = KeptOut(many=True)
    flawed = ShareOut()


class StratumOut(serializers.Serializer[Any]):
    """Consensus labels of one class and source."""

    label = serializers.CharField()  # type: ignore[assignment]
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    waiting = serializers.IntegerField()
    audited = serializers.IntegerField()
    right = serializers.IntegerField()


class PrecisionOut(MeasuredOut):
    """The share of right labels among exported ones."""

    labels = serializers.IntegerField()
    settled = serializers.IntegerField(help_text="Decided by a person: taken as right.")
    audited = serializers.IntegerField()
    covered = serializers.FloatField(help_text="Share of the others whose stratum was audited.")


class AuditOut(serializers.Serializer[Any]):
    strata = StratumOut(many=True)
    whole = PrecisionOut()
    by_class = serializers.DictField(child=PrecisionOut())
    further = NumberField(help_text="Audits until the interval is `width` wide.")
    width = serializers.FloatField()


class PeriodOut(serializers.Serializer[Any]):
    begins = serializers.DateField()
    verdicts = serializers.IntegerField()
    right = ShareOut()


class CourseOut(serializers.Serializer[Any]):
    side = SideOut()
    periods = PeriodOut(many=True)


class HistoryOut(serializers.Serializer[Any]):
    """Days, or weeks where there are many."""

    weekly = serializers.BooleanField()
    courses = CourseOut(many=True)
