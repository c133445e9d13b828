"""A project's rows in parts, for programs: problems, solutions, labelers, verdicts, decisions.

In a blind project what the user is labeling is left out, as on the pages
(labeling.selectors.solutions).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from typing import Any

from django.db.models import QuerySet, Sum
from django.http import Http404

from labeling.domain.labels import LabelerKind
from labeling.domain.roles import Role
from labeling.domain.visibility import visible_kinds
from labeling.models import (
    PRM,
    Assignment,
    Decision,
    Delivery,
    Import,
    Labeler,
    Problem,
    Project,
    Run,
    Snapshot,
    Solution,
    TrainingRun,
    User,
    Verdict,
    VerdictTally,
    Webhook,
)
from labeling.models.fields import is_uid
from labeling.selectors.filters import Filters, narrowed, newest
from labeling.selectors.listing import Part, Place, cut

_FEW = 250_000
"""So many verdicts are found by their labelers and sorted in 0.2 s."""

_FILTERS = frozenset(field.name for field in fields(Filters))


def one_of(query: QuerySet[Any, Any], uid: str) -> Any:
    """Return the row with this uid or raise Http404."""
    found = query.filter(uid=uid).first() if is_uid(uid) else None
    if found is None:
        raise Http404("there is no such thing")
    return found


def memberships(user: User, place: Place) -> Part[Any]:
    """Return the user's memberships with their projects."""
    return cut(user.memberships.select_related("project"), place)


def problems(project: Project, place: Place, **equal: Any) -> Part[Problem]:
    """Return problems whose columns have these values."""
    return cut(Problem.objects.filter(project=project, **equal), place)


def problem_for(project: Project, uid: str) -> Problem:
    """Return the project's problem or raise Http404."""
    found: Problem = one_of(Problem.objects.filter(project=project), uid)
    return found


def solutions(project: Project, user: User, place: Place, **wanted: str) -> Part[Solution]:
    """Return solutions by the filters of the pages, by `problem` (uid) or `external_id`."""
    filters = Filters(**{name: wanted[name] for name in wanted.keys() & _FILTERS})
    query = narrowed(project, filters, newest(project)).select_related("problem", "decision")
    if "problem" in wanted:
        query = query.filter(problem__uid=wanted["problem"])
    if "external_id" in wanted:
        query = query.filter(external_id=wanted["external_id"])
    return cut(_not_held(query, project, user, "pk"), place)


def labelers(project: Project, role: Role, place: Place, **equal: Any) -> Part[Labeler]:
    """Return the labelers that this role may know of."""
    kinds = _kinds(project, role)
    return cut(Labeler.objects.filter(project=project, kind__in=kinds, **equal), place)


def verdicts(
    project: Project, user: User, role: Role, place: Place, by: dict[str, Any], **equal: Any
) -> Part[Verdict]:
    """Return what active labelers with the columns `by` said, of the kinds this role may see."""
    labelers = Labeler.objects.filter(project=project, active=True, **by)
    ids = [row.pk for row in labelers if row.kind in _kinds(project, role)]
    said = VerdictTally.objects.filter(labeler__in=ids).aggregate(n=Sum("verdicts"))["n"] or 0
    query = _not_held(Verdict.objects.filter(labeler__in=ids, **equal), project, user)
    return cut(query.select_related("labeler", "solution"), place, few=said <= _FEW)


def verdicts_on(solution: Solution, kinds: Collection[LabelerKind]) -> list[Verdict]:
    """Return what active labelers of these kinds said of one solution, oldest first."""
    query = Verdict.objects.filter(
        solution=solution, labeler__active=True, labeler__kind__in=list(kinds)
    )
    return list(query.select_related("labeler", "solution").order_by("pk"))


def decisions(project: Project, user: User, place: Place, **equal: Any) -> Part[Decision]:
    """Return decisions whose columns have these values."""
    query = Decision.objects.filter(project=project, **equal).select_related("solution")
    return cut(_not_held(query, project, user), place)


def assignments(project: Project, place: Place, **equal: Any) -> Part[Assignment]:
    """Return assignments, newest first."""
    query = Assignment.objects.filter(project=project, **equal).select_related("solution", "user")
    return cut(query, place, newest_first=True)


def runs(project: Project, place: Place, **equal: Any) -> Part[Run]:
    """Return runs, newest first."""
    query = Run.objects.filter(project=project, **equal)
    beside = ("labeler", "engine", "project", "created_by")
    return cut(query.select_related(*beside), place, newest_first=True)


def snapshots(project: Project, place: Place) -> Part[Snapshot]:
    """Return snapshots, newest first."""
    return cut(Snapshot.objects.filter(project=project), place, newest_first=True)


def snapshot_for(project: Project, uid: str) -> Snapshot:
    """Return the project's snapshot, by the uid of any request for it, or raise Http404."""
    query = Snapshot.objects.filter(project=project)
    merged = query.filter(other_uids__contains=[uid]).first() if is_uid(uid) else None
    found: Snapshot = merged or one_of(query, uid)
    return found


def models(project: Project, place: Place, **equal: Any) -> Part[PRM]:
    """Return reward models, newest first."""
    query = PRM.objects.filter(project=project, **equal)
    beside = ("training_run__snapshot", "training_run__evaluation_set", "promoted_by")
    return cut(query.select_related(*beside), place, newest_first=True)


def model_for(project: Project, uid: str) -> PRM:
    """Return the project's reward model or raise Http404."""
    beside = ("training_run__snapshot", "training_run__evaluation_set", "promoted_by")
    found: PRM = one_of(PRM.objects.filter(project=project).select_related(*beside), uid)
    return found


def trainings(project: Project, place: Place, **equal: Any) -> Part[TrainingRun]:
    """Return trainings, newest first."""
    query = TrainingRun.objects.filter(project=project, **equal)
    beside = ("snapshot", "evaluation_set", "prm")
    return cut(query.select_related(*beside), place, newest_first=True)


def training_for(project: Project, uid: str) -> TrainingRun:
    """Return the project's training or raise Http404."""
    query = TrainingRun.objects.filter(project=project)
    found: TrainingRun = one_of(query.select_related("snapshot", "evaluation_set", "prm"), uid)
    return found


def champion_of(project: Project) -> TrainingRun | None:
    """Return the training that made the project's champion."""
    return TrainingRun.objects.filter(project=project, prm__champion=True).first()


def imports(project: Project, place: Place, **equal: Any) -> Part[Import]:
    """Return imports, newest first."""
    return cut(Import.objects.filter(project=project, **equal), place, newest_first=True)


def webhooks(project: Project, place: Place) -> Part[Webhook]:
    """Return webhooks, newest first."""
    return cut(Webhook.objects.filter(project=project), place, newest_first=True)


def webhook_for(project: Project, uid: str) -> Webhook:
    """Return the project's webhook or raise Http404."""
    found: Webhook = one_of(Webhook.objects.filter(project=project).select_related("project"), uid)
    return found


def deliveries(webhook: Webhook, place: Place, **equal: Any) -> Part[Delivery]:
    """Return deliveries, newest first."""
    return cut(Delivery.objects.filter(webhook=webhook, **equal), place, newest_first=True)


def _kinds(project: Project, role: Role) -> list[LabelerKind]:
    kinds = visible_kinds(role, project.policy, labeling=False, submitted=False)
    return sorted(kinds)


def _not_held(
    query: QuerySet[Any, Any], project: Project, user: User, column: str = "solution"
) -> QuerySet[Any, Any]:
    if not project.policy.blind:
        return query
    held = Assignment.objects.filter(
        project=project, user=user, submitted_at=None, skipped_at=None
    ).values_list("solution_id", flat=True)
    ids = list(held)  # at most two: the item and the one ahead of it
    return query.exclude(**{f"{column}__in": ids}) if ids else query
