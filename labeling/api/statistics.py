"""Numbers over the API: counts, agreement, what machine labels are worth, the audit."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.api.base import Endpoint
from labeling.api.statistics_rows import (
    AgreementOut,
    AuditOut,
    CountsOut,
    DiagnosticsOut,
    HistoryOut,
    PairOut,
)
from labeling.domain.refusals import NotFound
from labeling.domain.roles import Action, Role, can
from labeling.selectors import agreement, diagnostics, history, overview
from labeling.selectors.access import membership_for, project_for

_SIDE = "A labeler's uid, or `annotators` or `adjudicators` for all people of the kind."


class Counts(Endpoint):
    """How far the project is."""

    @extend_schema(responses=CountsOut)
    def get(self, request: Request, uid: str) -> Response:
        """Return counts from problems to decisions, and what each labeler has said."""
        project = project_for(request.user, uid, Action.VIEW)
        counts = overview.counts(project)
        covered = overview.coverage(project, counts.solutions)
        return Response(CountsOut({"counts": counts, "coverage": covered}).data)


class Agreement(Endpoint):
    """How labelers agree."""

    @extend_schema(responses=AgreementOut)
    def get(self, request: Request, uid: str) -> Response:
        """Return the agreement of each two labelers at a glance."""
        member = membership_for(request.user, uid, Action.VIEW)
        gold = can(Role(member.role), Action.MANAGE)
        found = agreement.matrix(member.project, gold=gold)
        cells = [cell for _, row in found.rows for cell in row if cell is not None]
        return Response(AgreementOut({"sides": found.sides, "pairs": cells}).data)


class PairAgreement(Endpoint):
    """Two labelers."""

    @extend_schema(
        parameters=[OpenApiParameter(n, str, "path", description=_SIDE) for n in ("one", "other")],
        responses=PairOut,
    )
    def get(self, request: Request, uid: str, one: str, other: str) -> Response:
        """Return how two labelers agree, with 95 % intervals."""
        member = membership_for(request.user, uid, Action.VIEW)
        gold = can(Role(member.role), Action.MANAGE)
        found = agreement.detail(member.project, one, other, gold=gold)
        if found is None:
            raise NotFound("these two have labeled nothing in common")
        return Response(PairOut(found).data)


class Diagnostics(Endpoint):
    """What machine labels are worth."""

    @extend_schema(responses=DiagnosticsOut)
    def get(self, request: Request, uid: str) -> Response:
        """Return machine labels against people's decisions, and how much of them was kept."""
        project = project_for(request.user, uid, Action.VIEW)
        return Response(DiagnosticsOut(diagnostics.diagnostics(project)).data)


class Audit(Endpoint):
    """How right an export would be."""

    @extend_schema(responses=AuditOut)
    def get(self, request: Request, uid: str) -> Response:
        """Return the estimated precision of all decided labels, with its interval."""
        project = project_for(request.user, uid, Action.VIEW)
        return Response(AuditOut(diagnostics.audit(project)).data)


class History(Endpoint):
    """Labels over time."""

    @extend_schema(responses=HistoryOut)
    def get(self, request: Request, uid: str) -> Response:
        """Return how many verdicts came when, by labeler, and how right they turned out."""
        project = project_for(request.user, uid, Action.VIEW)
        return Response(HistoryOut(history.history(project)).data)
