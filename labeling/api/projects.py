"""Projects and snapshots over the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from labeling.api.authentication import HasScope, caller
from labeling.domain.roles import Action
from labeling.models import Project, Snapshot
from labeling.selectors.access import project_for, projects_of
from labeling.services import snapshots
from labeling.services.tokens import Scope

PAGE = 200


class ProjectRow(serializers.ModelSerializer[Project]):
    class Meta:
        model = Project
        fields = ["uid", "name", "policy_values", "policy_version", "created_at"]


class SnapshotRow(serializers.ModelSerializer[Snapshot]):
    class Meta:
        model = Snapshot
        fields = ["uid", "name", "rule", "counts", "content_hash", "created_at", "frozen_at"]
        read_only_fields = ["uid", "counts", "content_hash", "created_at", "frozen_at"]


class Projects(APIView):
    """The caller's projects."""

    permission_classes = [HasScope]
    scope = Scope.READ

    @extend_schema(responses=ProjectRow(many=True))
    def get(self, request: Request) -> Response:
        """List the projects that the caller is a member of."""
        return Response(ProjectRow(projects_of(caller(request)), many=True).data)


class Snapshots(APIView):
    """A project's snapshots."""

    permission_classes = [HasScope]

    @property
    def scope(self) -> Scope:
        """Reading needs `read`, asking for a snapshot needs `write`."""
        return Scope.WRITE if self.request.method == "POST" else Scope.READ

    @extend_schema(responses=SnapshotRow(many=True))
    def get(self, request: Request, uid: str) -> Response:
        """List the newest snapshots."""
        project = project_for(request.user, uid, Action.VIEW)
        rows = Snapshot.objects.filter(project=project).order_by("-id")[:PAGE]
        return Response(SnapshotRow(rows, many=True).data)

    @extend_schema(request=SnapshotRow, responses={202: SnapshotRow})
    def post(self, request: Request, uid: str) -> Response:
        """Ask for a snapshot; a worker freezes it."""
        project = project_for(request.user, uid, Action.MANAGE)
        asked = SnapshotRow(data=request.data)
        asked.is_valid(raise_exception=True)
        values: dict[str, Any] = asked.validated_data
        snapshot = snapshots.request(
            by=caller(request), project=project, name=values["name"], rule=values["rule"]
        )
        return Response(SnapshotRow(snapshot).data, status=202)


class Me(APIView):
    """Who the caller is: the smallest authenticated call."""

    permission_classes = [HasScope]
    scope = Scope.READ

    @extend_schema(responses={200: dict})
    def get(self, request: Request) -> Response:
        """Say who the caller is."""
        return Response({"user": request.user.get_username()})
