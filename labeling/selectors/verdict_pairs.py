"""What two sides said of the same solution: the rows behind the cells of a pair's tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Exists, ExpressionWrapper, F, Func, IntegerField, OuterRef, Q, QuerySet

from labeling.domain.cells import Between, distance_of, step_labels_of
from labeling.domain.labels import NO_ERROR, VerdictState
from labeling.models import Verdict
from labeling.selectors.verdict_conditions import first_error_is

_JUDGED = [VerdictState.SCORED, VerdictState.REFUTED]
"""Scored and refuted: of these exactly the scored have a first error, by a constraint."""

Says = tuple[str, str]


def paired(
    one: Sequence[int], other: Sequence[int], says: Says, between: str, steps: str = ""
) -> QuerySet[Verdict]:
    """Return the verdicts of `one` (labelers' ids) with one of `other` on the same solution that
    stands so to it: labeling.domain.boards counts the same pairs.

    Verdicts that a person gave after seeing others' are no part of it. Within a group each two
    people are one pair, the earlier labeler first.
    """
    theirs = Verdict.objects.filter(
        solution=OuterRef("solution"), labeler__in=other, informed=False, state__in=_JUDGED
    ).alias(first=_outer("first_error"), labels=_outer("step_labels"))
    if set(one) & set(other):
        theirs = theirs.filter(labeler__gt=OuterRef("labeler"))
    theirs = theirs.filter(_says(says[1], "first_error"))
    theirs = theirs.filter(_related(between or Between.JUDGED, F("first"), "first", "first_error"))
    if given := step_labels_of(steps):
        theirs = theirs.filter(first_error__isnull=False, first__isnull=False)
        theirs = theirs.alias(n=_meeting(F("labels"), F("step_labels"), given)).filter(n__gt=0)
    ours = Verdict.objects.filter(labeler__in=one, informed=False, state__in=_JUDGED)
    return ours.filter(_says(says[0], "first_error")).filter(_bound(between), Exists(theirs))


def _outer(name: str) -> ExpressionWrapper:
    field: Any = Verdict._meta.get_field(name)
    return ExpressionWrapper(OuterRef(name), output_field=field)


def joined(
    one: Sequence[int], other: Sequence[int], says: Says, between: str, steps: str = ""
) -> QuerySet[Verdict]:
    """Return the same, once for each partner, with the number of `steps` that are labeled so."""
    found: Any = Verdict.objects.filter(
        labeler__in=one, informed=False, state__in=_JUDGED,
        solution__verdicts__labeler__in=other, solution__verdicts__informed=False,
        solution__verdicts__state__in=_JUDGED,
    ).annotate(
        partner=F("solution__verdicts__labeler"),
        partner_says=F("solution__verdicts__first_error"),
        partner_labels=F("solution__verdicts__step_labels"),
    )  # fmt: skip
    if set(one) & set(other):
        found = found.filter(labeler__lt=F("partner"))
    found = found.filter(_says(says[0], "first_error"), _says(says[1], "partner_says"))
    related = _related(between or Between.JUDGED, F("first_error"), "first_error", "partner_says")
    found = found.filter(related)
    if given := step_labels_of(steps):
        found = found.filter(first_error__isnull=False, partner_says__isnull=False)
        found = found.annotate(steps=_meeting(F("step_labels"), F("partner_labels"), given))
    return found


def _says(wanted: str, name: str) -> Q:
    if wanted in ("", "judged"):
        return Q()
    if wanted in (VerdictState.SCORED, VerdictState.REFUTED):
        return Q(**{f"{name}__isnull": wanted == VerdictState.REFUTED})
    return first_error_is(wanted, name)


def _bound(between: str) -> Q:
    """Return what a relation says of the first's verdict alone: few rows are then looked at."""
    if between in (Between.ONLY_FIRST, Between.BOTH_ERRORS):
        return Q(first_error__gt=NO_ERROR)
    if between in (Between.ONLY_SECOND, Between.BOTH_NONE):
        return Q(first_error=NO_ERROR)
    distance = distance_of(between)
    return Q() if distance is None else Q(first_error__gte=max(0, distance))


def _related(between: str, first: Any, one: str, other: str) -> Q:
    """Return the relation of two first errors, by the names `one` and `other`."""
    wrong, other_wrong = Q(**{f"{one}__gt": NO_ERROR}), Q(**{f"{other}__gt": NO_ERROR})
    right, other_right = Q(**{one: NO_ERROR}), Q(**{other: NO_ERROR})
    scored = Q(**{f"{one}__isnull": False, f"{other}__isnull": False})
    same = Q(**{other: first})
    # of a refuted and a scored one is known that they differ; two refuted ones are not compared
    refuted = Q(**{f"{one}__isnull": True, f"{other}__isnull": False}) | Q(
        **{f"{one}__isnull": False, f"{other}__isnull": True}
    )
    conditions = {
        Between.JUDGED: scored | refuted,
        Between.SCORED: scored,
        Between.SAME: scored & same,
        Between.DIFFER: refuted | (scored & ~same),
        Between.REFUTED: refuted,
        Between.BOTH_NONE: right & other_right,
        Between.BOTH_ERRORS: wrong & other_wrong,
        Between.ONLY_FIRST: wrong & other_right,
        Between.ONLY_SECOND: right & other_wrong,
    }
    distance = distance_of(between)
    if distance is None:
        return conditions[Between(between)]
    # an error so far ahead of another one cannot stand before it
    far = Q(**{f"{other}__gte": max(0, -distance)})
    return wrong & other_wrong & far & Q(**{other: first - distance})


class _StepsMeeting(Func):
    """How many steps the one labels so and the other so."""

    template = (
        "(SELECT count(*) FROM (VALUES (%(expressions)s)) AS v (one, other), "
        "unnest(v.one, v.other) AS s (a, b) WHERE s.a = %(a)s AND s.b = %(b)s)"
    )
    output_field = IntegerField()


def _meeting(one: Any, other: Any, labels: tuple[int, int]) -> Func:
    values: dict[str, Any] = dict(zip(("a", "b"), labels, strict=True))
    return _StepsMeeting(one, other, **values)
