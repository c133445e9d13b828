"""Conditions on one verdict, and counts of its steps, as the database computes them.

They say in SQL what labeling.domain.boards counts; tests hold one against the other.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import BooleanField, F, Func, IntegerField, Q, QuerySet

from labeling.domain.cells import ANY_KIND, WRONG_KIND, Minimum, span_of
from labeling.domain.labels import NO_ERROR, VerdictState
from labeling.domain.statistics.bands import DIFFICULTIES, position_of
from labeling.domain.statistics.diagnostics import ErrorKind
from labeling.models import Verdict

TRUE = F("solution__decision__first_error")


def says(verdicts: QuerySet[Verdict], wanted: str) -> QuerySet[Verdict]:
    """Return those that say what a filter names: a state, an error or none, or a step."""
    if wanted in set(VerdictState):
        return verdicts.filter(state=wanted)
    if wanted == "verdict":
        return verdicts.filter(state=VerdictState.SCORED)
    return verdicts if wanted == "any" else verdicts.filter(first_error_is(wanted))


def first_error_is(wanted: str, name: str = "first_error") -> Q:
    """Return the condition that a first error is "none", "error", a step, or "13+"."""
    if wanted == "none":
        return Q(**{name: NO_ERROR})
    if wanted == "error":
        return Q(**{f"{name}__gt": NO_ERROR})
    if wanted.endswith("+"):
        return Q(**{f"{name}__gte": int(wanted[:-1]) - 1})
    return Q(**{name: int(wanted) - 1})


def stands(verdicts: QuerySet[Verdict], kind: str) -> QuerySet[Verdict]:
    """Return those that stand so to what people decided."""
    said = verdicts.filter(state=VerdictState.SCORED, solution__decision__state="adjudicated")
    right, is_none = Q(first_error=TRUE), Q(solution__decision__first_error=NO_ERROR)
    both = Q(first_error__gt=NO_ERROR) & ~is_none
    conditions = {
        ANY_KIND: Q(),
        WRONG_KIND: ~right,
        ErrorKind.RIGHT: right,
        ErrorKind.EARLY: both & Q(first_error__lt=TRUE),
        ErrorKind.LATE: both & Q(first_error__gt=TRUE),
        ErrorKind.MISSED: ~right & Q(first_error=NO_ERROR),
        ErrorKind.FALSE_ALARM: ~right & is_none,
    }
    return said.filter(conditions[kind])


def came(verdicts: QuerySet[Verdict], span: str) -> QuerySet[Verdict]:
    """Return those of the days, in UTC."""
    try:
        first, last = (datetime.fromisoformat(f"{day}T00:00+00:00") for day in span_of(span) or ())
    except ValueError:  # the 31st of February
        return verdicts.none()
    return verdicts.filter(created_at__gte=first, created_at__lt=last + timedelta(days=1))


class _LastIsLowest(Func):
    """Whether the last of two or more scores is below all others; null with fewer."""

    template = (
        "(SELECT CASE WHEN cardinality(s.a) > 1 THEN s.a[cardinality(s.a)] < "
        "(SELECT min(x) FROM unnest(s.a[:cardinality(s.a) - 1]) x) END "
        "FROM (SELECT array_remove(%(expressions)s, NULL) AS a) s)"
    )
    output_field = BooleanField(null=True)


def lowest(verdicts: QuerySet[Verdict], where: str) -> QuerySet[Verdict]:
    """Return those whose lowest score is the last step's, an earlier one's, or either."""
    found = verdicts.alias(last_is_lowest=_LastIsLowest(F("step_scores")))
    if where == Minimum.ANY:
        return found.filter(last_is_lowest__isnull=False)
    return found.filter(last_is_lowest=where == Minimum.LAST)


def in_difficulty(verdicts: QuerySet[Verdict], band: str) -> QuerySet[Verdict]:
    """Return Monte-Carlo verdicts whose samples from before the first step pass so often."""
    drawn = verdicts.filter(mc_n__0__gt=0)
    if band == DIFFICULTIES[0]:
        return drawn.filter(mc_k__0=0)
    if band == DIFFICULTIES[-1]:
        return drawn.filter(mc_k__0__gt=0, mc_k__0=F("mc_n__0"))
    quarter = DIFFICULTIES.index(band) - 1
    some = drawn.filter(mc_k__0__gt=0, mc_k__0__lt=F("mc_n__0"))
    four = some.alias(four=4 * F("mc_k__0"))
    return four.filter(four__gte=quarter * F("mc_n__0"), four__lt=(quarter + 1) * F("mc_n__0"))


class _StepsAtPosition(Func):
    """How many labeled steps of a band stand before or at the true first error; all or wrong."""

    template = (
        "(SELECT count(*) FROM (VALUES (%(expressions)s)) AS v (labels, truth), "
        "unnest(v.labels) WITH ORDINALITY AS s (label, place) "
        "WHERE s.label IS NOT NULL AND s.place BETWEEN %(low)s AND %(high)s "
        "AND (v.truth = -1 OR s.place - 1 <= v.truth) %(wrong)s)"
    )
    output_field = IntegerField()


_WRONG = "AND s.label <> CASE WHEN s.place - 1 = v.truth THEN -1 ELSE 1 END"


def steps_at(band: str, *, wrong: bool) -> Func:
    """Return the count of a verdict's steps of a band of positions that people's decision speaks
    of, or of those of them that are wrong."""
    low, high = position_of(band)
    values: dict[str, Any] = {"low": low, "high": high, "wrong": _WRONG if wrong else ""}
    return _StepsAtPosition(F("step_labels"), TRUE, **values)
