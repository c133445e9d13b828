"""What two sides said of the same solution: the rows behind the cells of a pair's tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import F, Func, IntegerField, Q, QuerySet

from labeling.domain.cells import Between, distance_of, step_labels_of
from labeling.domain.labels import NO_ERROR, VerdictState
from labeling.models import Verdict
from labeling.selectors.verdict_conditions import first_error_is

_JUDGED = [VerdictState.SCORED, VerdictState.REFUTED]


def pairs(
    one: Sequence[int], other: Sequence[int], says: tuple[str, str], between: str
) -> QuerySet[Verdict]:
    """Return the verdicts of `one` (labelers' ids), once for each verdict of `other` on the same
    solution, that stand so to each other: labeling.domain.boards counts the same pairs.

    Verdicts that a person gave after seeing others' are no part of it. Within a group each two
    people are one pair, the earlier labeler first.
    """
    found = Verdict.objects.filter(
        labeler__in=one, informed=False, state__in=_JUDGED,
        solution__verdicts__labeler__in=other, solution__verdicts__informed=False,
        solution__verdicts__state__in=_JUDGED,
    ).annotate(
        partner=F("solution__verdicts__labeler"),
        partner_says=F("solution__verdicts__first_error"),
        partner_state=F("solution__verdicts__state"),
        partner_labels=F("solution__verdicts__step_labels"),
    )  # fmt: skip
    found = found.exclude(state=VerdictState.REFUTED, partner_state=VerdictState.REFUTED)
    if set(one) & set(other):
        found = found.filter(labeler__lt=F("partner"))
    for name, wanted in zip(("first_error", "partner_says"), says, strict=True):
        if wanted not in ("", "judged"):
            scored = "state" if name == "first_error" else "partner_state"
            found = found.filter(_says(wanted, name, scored))
    return found.filter(_related(between)) if between else found


def _says(wanted: str, name: str, state: str) -> Q:
    if wanted in {VerdictState.SCORED, VerdictState.REFUTED}:
        return Q(**{state: wanted})
    return first_error_is(wanted, name)


def _related(between: str) -> Q:
    wrong, other_wrong = Q(first_error__gt=NO_ERROR), Q(partner_says__gt=NO_ERROR)
    right, other_right = Q(first_error=NO_ERROR), Q(partner_says=NO_ERROR)
    same = Q(first_error=F("partner_says"))
    scored = Q(state=VerdictState.SCORED, partner_state=VerdictState.SCORED)
    conditions = {
        Between.JUDGED: Q(),
        Between.SCORED: scored,
        Between.SAME: same,
        Between.DIFFER: ~scored | (scored & ~same),
        Between.REFUTED: ~scored,
        Between.BOTH_NONE: right & other_right,
        Between.BOTH_ERRORS: wrong & other_wrong,
        Between.ONLY_FIRST: wrong & other_right,
        Between.ONLY_SECOND: right & other_wrong,
    }
    distance = distance_of(between)
    if distance is None:
        return conditions[Between(between)]
    # an error so far behind another one cannot stand before it: few verdicts are looked at
    far = Q(first_error__gte=distance) if distance > 0 else Q(partner_says__gte=-distance)
    return wrong & other_wrong & far & Q(first_error=F("partner_says") + distance)


class _StepsMeeting(Func):
    """How many steps the one labels so and the other so."""

    template = (
        "(SELECT count(*) FROM (VALUES (%(expressions)s)) AS v (one, other), "
        "unnest(v.one, v.other) AS s (a, b) WHERE s.a = %(a)s AND s.b = %(b)s)"
    )
    output_field = IntegerField()


def meeting(found: Any, labels: str) -> Any:
    """Return those of the pairs with a step that is labeled so by both, and how many such `steps`.

    Labels are "1,-1": what the first and what the other one says.
    """
    given = step_labels_of(labels)
    if given is None:
        return found
    values: dict[str, Any] = dict(zip(("a", "b"), given, strict=True))
    steps = _StepsMeeting(F("step_labels"), F("partner_labels"), **values)
    scored = found.filter(state=VerdictState.SCORED, partner_state=VerdictState.SCORED)
    return scored.annotate(steps=steps).filter(steps__gt=0)
