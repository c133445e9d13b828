"""Imports over the API: send a file, look at it, count, import, watch."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.api import lists
from labeling.api.authentication import caller
from labeling.api.base import Endpoint
from labeling.api.once import repeatable
from labeling.domain.refusals import Invalid
from labeling.domain.roles import Action
from labeling.models import Import
from labeling.models.imports import ImportState
from labeling.selectors import catalog
from labeling.selectors import imports as reads
from labeling.selectors.access import project_for
from labeling.services import import_jobs as service
from labeling.services.importing import uploads
from labeling.services.importing.options import Options, preview
from labeling.services.tokens import Scope


class ImportOut(serializers.ModelSerializer[Import]):
    options = serializers.DictField()
    report = serializers.DictField(help_text="Counts, refused lines, notes; empty: not begun.")

    class Meta:
        model = Import
        fields = [
            "uid", "file_name", "size", "state", "dry_run", "options", "report", "reason",
            "created_at", "started_at", "finished_at",
        ]  # fmt: skip


class StartIn(serializers.Serializer[Any]):
    dry_run = serializers.BooleanField(default=False)
    options = serializers.JSONField(default=dict)


class UploadIn(StartIn):
    file = serializers.FileField(allow_empty_file=True)
    start = serializers.BooleanField(default=True)


class PreviewIn(serializers.Serializer[Any]):
    options = serializers.JSONField(default=dict)


class PreviewOut(serializers.Serializer[Any]):
    kind = serializers.CharField()
    format = serializers.CharField(allow_null=True)
    labels = serializers.CharField()
    needs = serializers.CharField()
    columns = serializers.ListField(child=serializers.CharField())
    mapping = serializers.DictField(child=serializers.CharField(), allow_null=True)
    rows = serializers.ListField(child=serializers.DictField())
    refused = serializers.ListField(child=serializers.ListField())


class ImportQuery(lists.Query):
    state = serializers.ChoiceField(required=False, choices=[str(s) for s in ImportState])


class Imports(Endpoint):
    """A project's imports."""

    parser_classes = [MultiPartParser]
    scopes = {"POST": Scope.MANAGE}

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Let files go to disk as they arrive."""
        request.upload_handlers = [uploads.ToDisk(request)]
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(parameters=[ImportQuery], responses=lists.part_of(ImportOut))
    def get(self, request: Request, uid: str) -> Response:
        """List imports, newest first."""
        project = project_for(request.user, uid, Action.VIEW)
        query = lists.asked(request, ImportQuery)
        part = catalog.imports(project, query.place, **query.filters)
        return lists.answer(request, part, ImportOut)

    @extend_schema(request={"multipart/form-data": UploadIn}, responses={201: ImportOut})
    @repeatable
    def post(self, request: Request, uid: str) -> Response:
        """Send a file; unless `start` is false, its import begins, or with `dry_run` its count.

        `options` are those of `start`.
        """
        project = project_for(request.user, uid, Action.MANAGE)
        asked = UploadIn(data=request.data)
        asked.is_valid(raise_exception=True)
        values = asked.validated_data
        options = Options.from_dict(values["options"]).to_dict()
        job = service.upload(by=caller(request), project=project, part=_part(values["file"]))
        if values["start"]:
            job = service.start(
                by=caller(request), job=job, options=options, dry_run=values["dry_run"]
            )
        return Response(ImportOut(job).data, status=201)


class OneImport(Endpoint):
    """One import."""

    scopes = {"DELETE": Scope.MANAGE}

    @extend_schema(responses=ImportOut)
    def get(self, request: Request, uid: str, job: str) -> Response:
        """Return the import with its report so far."""
        project = project_for(request.user, uid, Action.VIEW)
        return Response(ImportOut(reads.import_for(project, job)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, uid: str, job: str) -> Response:
        """Stop an import under way (what is stored stays), or discard an upload."""
        project = project_for(request.user, uid, Action.MANAGE)
        found = reads.import_for(project, job)
        if found.state in reads.UNDER_WAY:
            service.cancel(by=caller(request), job=found, now=timezone.now())
        else:
            service.discard(by=caller(request), job=found)
        return Response(status=204)


class StartImport(Endpoint):
    """Beginning an import."""

    scopes = {"POST": Scope.MANAGE}

    @extend_schema(request=StartIn, responses={202: ImportOut})
    @repeatable
    def post(self, request: Request, uid: str, job: str) -> Response:
        """Import the file, or with `dry_run` only count what that would do.

        `options`: `format`, `split`, `pattern`, `columns` ({field: column}), `labels`,
        `labeler_kind`, `labeler_name`, `alternatives`, `source`, `licence`; all may be left out.
        """
        project = project_for(request.user, uid, Action.MANAGE)
        asked = StartIn(data=request.data)
        asked.is_valid(raise_exception=True)
        started = service.start(
            by=caller(request), job=reads.import_for(project, job), **asked.validated_data
        )
        return Response(ImportOut(started).data, status=202)


class PreviewImport(Endpoint):
    """Looking at an uploaded file."""

    scopes = {"POST": Scope.MANAGE}

    @extend_schema(request=PreviewIn, responses=PreviewOut)
    def post(self, request: Request, uid: str, job: str) -> Response:
        """Say what the file is and how its first rows are read with these options."""
        project = project_for(request.user, uid, Action.MANAGE)
        asked = PreviewIn(data=request.data)
        asked.is_valid(raise_exception=True)
        found = reads.import_for(project, job)
        options = Options.from_dict(asked.validated_data["options"])
        seen = preview(service.file_of(found), options)
        values = {
            "kind": seen.file.kind,
            "format": seen.form.name if seen.form else None,
            "labels": seen.form.labels if seen.form else "",
            "needs": seen.needs,
            "columns": seen.columns,
            "mapping": seen.mapping,
            "rows": [reads.row_values(row) for row in seen.shown],
            "refused": seen.errors,
        }
        return Response(PreviewOut(values).data)


def _part(file: Any) -> uploads.Part:
    if not isinstance(file, uploads.Part):
        raise Invalid("file: a file is expected")
    return file
