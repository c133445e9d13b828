"""Labels and snapshots over the API: streamed, so that memory does not grow with the project."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.api.authentication import caller
from labeling.api.base import Endpoint
from labeling.api.once import repeatable_without
from labeling.api.refusals import ErrorOut
from labeling.api.stored_files import file_named, files_of, send
from labeling.domain.refusals import Invalid
from labeling.domain.releases import Rule
from labeling.domain.roles import Action
from labeling.models import ApiToken
from labeling.selectors import catalog
from labeling.selectors.access import project_for
from labeling.selectors.labels import labeled_records
from labeling.services import links
from labeling.services.snapshots import SPLITS
from labeling.services.tokens import Scope
from trainer.records import to_json

_NDJSON, _BYTES = "application/x-ndjson", "application/octet-stream"
PARTS = [
    OpenApiParameter("Range", str, "header", description="One part: `bytes=1000-`"),
    OpenApiParameter("If-Range", str, "header", description="The ETag that the part must be of."),
    OpenApiParameter("If-None-Match", str, "header", description="The ETag that you have."),
]


def sent_as(content_type: str) -> dict[Any, Any]:
    """Return the answers of an address that sends a file."""
    whole, part = (
        OpenApiResponse(OpenApiTypes.BINARY, description=text)
        for text in ("The whole file.", "The part that was asked for.")
    )
    return {
        (200, content_type): whole,
        (206, content_type): part,
        304: OpenApiResponse(description="The caller has the file: its ETag is the same."),
        416: OpenApiResponse(ErrorOut, description="The file has no such part."),
    }


class FileOut(serializers.Serializer[Any]):
    """One file; `name` is its path in the dataset's folder."""

    name = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    sha256 = serializers.CharField()


class LinkIn(serializers.Serializer[Any]):
    file = serializers.CharField(max_length=300, help_text="Its `name` in the list of files.")
    seconds = serializers.IntegerField(
        required=False, default=3600, min_value=1, max_value=int(links.LONGEST.total_seconds())
    )


class LinkOut(serializers.Serializer[Any]):
    url = serializers.URLField()
    expires_at = serializers.DateTimeField()
    sha256 = serializers.CharField()


_SPLIT = OpenApiParameter("split", str, enum=list(SPLITS), description="Side of the split")
_JSONL = OpenApiResponse(OpenApiTypes.BINARY, description="One training record a line")


class Labels(Endpoint):
    """The decided labels as they stand now."""

    scopes = {"GET": Scope.EXPORT}

    @extend_schema(parameters=[_SPLIT], responses={(200, "application/x-ndjson"): _JSONL})
    def get(self, request: Request, uid: str) -> StreamingHttpResponse:
        """Stream consensus and adjudicated labels as JSONL."""
        project = project_for(request.user, uid, Action.EXPORT)
        splits = _splits(request)
        lines = (
            to_json(record) + "\n"
            for split in splits
            for record in labeled_records(project, Rule(), split)
        )
        return StreamingHttpResponse(_encoded(lines), content_type="application/x-ndjson")


class SnapshotFile(Endpoint):
    """The training records of a snapshot's split."""

    scopes = {"GET": Scope.EXPORT}

    @extend_schema(parameters=[_SPLIT, *PARTS], responses=sent_as(_NDJSON))
    def get(self, request: Request, uid: str, snapshot_uid: str) -> HttpResponseBase:
        """Send the split's JSONL, `train` where none is named; other files: see `files`."""
        project = project_for(request.user, uid, Action.EXPORT)
        snapshot = catalog.snapshot_for(project, snapshot_uid)
        return send(request, file_named(snapshot, f"{_splits(request)[0]}.jsonl"), _NDJSON)


class SnapshotFiles(Endpoint):
    """The files of a frozen snapshot."""

    scopes = {"GET": Scope.EXPORT}

    @extend_schema(responses=FileOut(many=True))
    def get(self, request: Request, uid: str, snapshot: str) -> Response:
        """List the files with their sizes and hashes; 404 until the snapshot is frozen."""
        project = project_for(request.user, uid, Action.EXPORT)
        found = files_of(catalog.snapshot_for(project, snapshot))
        return Response(FileOut(found, many=True).data)


class OneSnapshotFile(Endpoint):
    """One file of a frozen snapshot."""

    scopes = {"GET": Scope.EXPORT}

    @extend_schema(parameters=PARTS, responses=sent_as(_BYTES))
    def get(self, request: Request, uid: str, snapshot: str, name: str) -> HttpResponseBase:
        """Send the file, or the part of it that `Range` names; it never changes."""
        project = project_for(request.user, uid, Action.EXPORT)
        found = catalog.snapshot_for(project, snapshot)
        return send(request, file_named(found, name), _BYTES)


def _link_again(
    _view: Any, request: Request, kept: dict[str, Any], *, uid: str, snapshot: str
) -> dict[str, Any]:
    project = project_for(request.user, uid, Action.EXPORT)
    asked = LinkIn(data=request.data)
    asked.is_valid(raise_exception=True)
    signed = links.signed(
        by=caller(request),
        snapshot=catalog.snapshot_for(project, snapshot),
        file=asked.validated_data["file"],
        ends=datetime.fromisoformat(kept["expires_at"]),
        token=_token(request),
    )
    return {"url": _url(request, signed)}


def _token(request: Request) -> ApiToken | None:
    return request.auth if isinstance(request.auth, ApiToken) else None


def _url(request: Request, signed: str) -> str:
    return request.build_absolute_uri(reverse("api-link", args=[signed]))


class Links(Endpoint):
    """Links to one file, for those who have no token."""

    scopes = {"POST": Scope.EXPORT}

    @extend_schema(request=LinkIn, responses={201: LinkOut})
    @repeatable_without(("url",), _link_again)
    def post(self, request: Request, uid: str, snapshot: str) -> Response:
        """Make a link that downloads one file for a while, without a token.

        It ends early when you may no longer export, and when your token ends or is revoked.
        """
        project = project_for(request.user, uid, Action.EXPORT)
        asked = LinkIn(data=request.data)
        asked.is_valid(raise_exception=True)
        found = catalog.snapshot_for(project, snapshot)
        file = file_named(found, asked.validated_data["file"])
        signed, ends = links.issue(
            by=caller(request),
            snapshot=found,
            file=file.name,
            lasts=timedelta(seconds=asked.validated_data["seconds"]),
            now=timezone.now(),
            token=_token(request),
        )
        values = {"url": _url(request, signed), "expires_at": ends, "sha256": file.sha256}
        return Response(values, status=201)


class OpenLink(Endpoint):
    """What a link opens."""

    authentication_classes = []
    permission_classes = []
    throttle_classes = []  # the address is counted

    @extend_schema(parameters=PARTS, responses=sent_as(_BYTES))
    def get(self, request: Request, signed: str) -> HttpResponseBase:
        """Send the file of a signed link to whoever has the link, until it ends."""
        opened = links.opened(signed=signed, now=timezone.now())
        return send(request, file_named(opened.snapshot, opened.file), _BYTES)


def _splits(request: Request) -> tuple[str, ...]:
    wanted = request.query_params.get("split")
    if wanted is None:
        return SPLITS
    if wanted not in SPLITS:
        raise Invalid(
            "split: {wanted!r} is none of {splits}", wanted=wanted, splits=", ".join(SPLITS)
        )
    return (wanted,)


def _encoded(lines: Iterator[str]) -> Iterator[bytes]:
    return (line.encode() for line in lines)
