"""The keys of gold items."""

from __future__ import annotations

from django.db.models import OuterRef, QuerySet

from labeling.domain.labels import LabelerKind, VerdictState
from labeling.models import Verdict


def key(solution: str) -> QuerySet[Verdict, int | None]:
    """Return a subquery: the first error by the latest adjudicator of the outer row's `solution`.

    Null where no adjudicator gave one: such an item tests nobody.
    """
    return (
        Verdict.objects.filter(
            solution=OuterRef(solution),
            labeler__kind=LabelerKind.ADJUDICATOR,
            labeler__active=True,
            state=VerdictState.SCORED,
        )
        .order_by("-id")
        .values_list("first_error", flat=True)[:1]
    )
