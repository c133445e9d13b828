"""Snapshots over the API: ask for one, watch it, see what it holds."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.api import lists
from labeling.api.authentication import caller
from labeling.api.base import Endpoint
from labeling.api.once import repeatable
from labeling.domain.exports import FORMATS
from labeling.domain.roles import Action
from labeling.models import Snapshot
from labeling.selectors import catalog
from labeling.selectors.access import project_for
from labeling.services import snapshot_formats, snapshots
from labeling.services.tokens import Scope

_FORMATS = [form.name for form in FORMATS]


class SnapshotOut(serializers.ModelSerializer[Snapshot]):
    rule = serializers.DictField(help_text="What it takes, and how; see docs/data.md.")
    counts = serializers.DictField()
    reason = serializers.CharField(help_text="Why it could not be frozen; empty: nothing failed.")

    progress = serializers.DictField(help_text="Of a freeze under way: `done` of `total`.")
    formats = serializers.DictField(help_text="Beside the native one; empty: not written yet.")

    class Meta:
        model = Snapshot
        fields = [
            "uid", "name", "rule", "counts", "content_hash", "reason", "progress", "formats",
            "created_at", "frozen_at",
        ]  # fmt: skip


class SnapshotIn(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120)
    rule = serializers.DictField(
        required=False, default=dict, help_text="See docs/data.md; what is missing takes defaults."
    )
    formats = serializers.ListField(
        child=serializers.ChoiceField(choices=_FORMATS), required=False, max_length=len(_FORMATS)
    )


class FormatIn(serializers.Serializer[Any]):
    format = serializers.ChoiceField(choices=_FORMATS)


class Snapshots(Endpoint):
    """A project's snapshots."""

    scopes = {"POST": Scope.MANAGE}

    @extend_schema(parameters=[lists.Query], responses=lists.part_of(SnapshotOut))
    def get(self, request: Request, uid: str) -> Response:
        """List snapshots, newest first."""
        project = project_for(request.user, uid, Action.VIEW)
        query = lists.asked(request, lists.Query)
        return lists.answer(request, catalog.snapshots(project, query.place), SnapshotOut)

    @extend_schema(request=SnapshotIn, responses={202: SnapshotOut})
    @repeatable
    def post(self, request: Request, uid: str) -> Response:
        """Ask for a snapshot; a worker freezes it: `frozen_at` says when it has."""
        project = project_for(request.user, uid, Action.MANAGE)
        asked = SnapshotIn(data=request.data)
        asked.is_valid(raise_exception=True)
        values: dict[str, Any] = asked.validated_data
        snapshot = snapshots.request(
            by=caller(request),
            project=project,
            name=values["name"],
            rule=values["rule"],
            formats=values.get("formats", ()),
        )
        return Response(SnapshotOut(snapshot).data, status=202)


class OneSnapshot(Endpoint):
    """One snapshot."""

    @extend_schema(responses=SnapshotOut)
    def get(self, request: Request, uid: str, snapshot: str) -> Response:
        """Return the snapshot; once `frozen_at` is set it never changes."""
        project = project_for(request.user, uid, Action.VIEW)
        return Response(SnapshotOut(catalog.snapshot_for(project, snapshot)).data)


class SnapshotFormats(Endpoint):
    """Other formats of a snapshot."""

    scopes = {"POST": Scope.MANAGE}

    @extend_schema(request=FormatIn, responses={202: SnapshotOut})
    @repeatable
    def post(self, request: Request, uid: str, snapshot: str) -> Response:
        """Ask for a format; a worker writes it once the snapshot is frozen. Twice is once."""
        project = project_for(request.user, uid, Action.MANAGE)
        asked = FormatIn(data=request.data)
        asked.is_valid(raise_exception=True)
        found = catalog.snapshot_for(project, snapshot)
        snapshot_formats.ask(
            by=caller(request), snapshot=found, name=asked.validated_data["format"]
        )
        return Response(SnapshotOut(catalog.snapshot_for(project, snapshot)).data, status=202)
