"""Conditions on a solution by what several labelers, an audit or people made of it."""

from __future__ import annotations

from django.db.models import Exists, F, Max, Min, OuterRef, Q, QuerySet, Subquery

from labeling.domain.assignments import Purpose
from labeling.domain.cells import Audited, votes_of
from labeling.domain.labels import LabelerKind
from labeling.domain.monte_carlo import McMode
from labeling.models import Assignment, Labeler, Project, Verdict
from labeling.selectors.verdict_conditions import first_error_is, in_difficulty


def on(rows: QuerySet[Verdict]) -> Exists:
    """Return the condition that one of these verdicts is on the solution."""
    return Exists(rows.filter(solution=OuterRef("pk")))


def difficulty(project: Project, band: str) -> Q:
    """Return the condition that the samples of the newest labeler that drew all of them before
    the first step put the problem into this band."""
    rows = Labeler.objects.filter(project=project, kind=LabelerKind.MC).order_by("-pk")
    whole = {mode for mode in McMode if not mode.stops_at_success}
    found, newer = Q(pk__in=[]), list[int]()
    for pk in rows.filter(config__mode__in=whole).values_list("pk", flat=True):
        here = Q(on(in_difficulty(Verdict.objects.filter(labeler=pk), band)))
        drawn = Verdict.objects.filter(labeler__in=list(newer), mc_n__0__gt=0)
        found |= here & ~Q(on(drawn)) if newer else here
        newer.append(pk)
    return found


def audited(finding: str, label: str) -> Q:
    """Return the condition that an audit of a consensus for this class found so."""
    machines = (
        Verdict.objects.filter(
            solution=OuterRef("solution"), labeler__kind__in=[LabelerKind.MC, LabelerKind.JUDGE]
        )
        .order_by()
        .values("solution")
    )
    drawn = Assignment.objects.filter(
        solution=OuterRef("pk"), purpose=Purpose.AUDIT, submitted_at__isnull=False,
        solution__decision__state="adjudicated",
    )  # fmt: skip
    unsure = machines.filter(first_error__isnull=True)
    drawn = drawn.annotate(
        low=Subquery(machines.annotate(n=Min("first_error")).values("n")),
        high=Subquery(machines.annotate(n=Max("first_error")).values("n")),
    ).filter(~Exists(unsure), low=F("high"))
    if finding != Audited.CHECKED:
        right = Q(low=F("solution__decision__first_error"))
        drawn = drawn.filter(right if finding == Audited.RIGHT else ~right)
    return Q(Exists(drawn.filter(first_error_is(label, "low")) if label else drawn))


def labeled_by_people(project: Project, how_many: str) -> Q:
    """Return the condition that one annotator, or several, labeled it unseen by each other."""
    people = list(_people(project).values_list("pk", flat=True))
    votes = Verdict.objects.filter(labeler__in=people, informed=False, first_error__isnull=False)
    another = votes.filter(solution=OuterRef("solution")).exclude(labeler=OuterRef("labeler"))
    several = Exists(another)
    found = votes.filter(several if how_many == "several" else ~several)
    return Q(pk__in=found.values("solution"))


def voted(project: Project, text: str) -> Q:
    """Return the condition that these annotators, and no others, said so (`votes_of`)."""
    wanted = votes_of(text)
    rows = _people(project).filter(uid__in=[uid for uid, _ in wanted])
    ids = dict(rows.values_list("uid", "pk"))
    if not wanted or len(ids) < len(wanted):
        return Q(pk__in=[])
    found = ~Q(on(_votes().exclude(labeler__in=ids.values())))
    for uid, said in wanted:
        found &= Q(on(_votes().filter(first_error_is(said), labeler=ids[uid])))
    return found


def _people(project: Project) -> QuerySet[Labeler]:
    return Labeler.objects.filter(project=project, kind=LabelerKind.HUMAN)


def _votes() -> QuerySet[Verdict]:
    return Verdict.objects.filter(
        labeler__kind=LabelerKind.HUMAN, informed=False, first_error__isnull=False
    )
