"""Labels and snapshots over the API: streamed, so that memory does not grow with the project."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import FileResponse, Http404, HttpResponse, StreamingHttpResponse
from django.utils.http import http_date, parse_etags
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request

from labeling.api.base import Endpoint
from labeling.domain.refusals import Invalid
from labeling.domain.releases import Rule
from labeling.domain.roles import Action
from labeling.models import Snapshot
from labeling.selectors.access import project_for
from labeling.selectors.labels import labeled_records
from labeling.services.snapshots import SPLITS, folder_of
from labeling.services.tokens import Scope
from trainer.records import to_json

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
    """One file of a frozen snapshot."""

    scopes = {"GET": Scope.EXPORT}

    @extend_schema(parameters=[_SPLIT], responses={(200, "application/x-ndjson"): _JSONL})
    def get(self, request: Request, uid: str, snapshot_uid: str) -> Any:
        """Send the split's JSONL; it never changes, so its ETag is its content hash."""
        project = project_for(request.user, uid, Action.EXPORT)
        snapshot = Snapshot.objects.filter(
            project=project, uid=snapshot_uid, frozen_at__isnull=False
        ).first()
        if snapshot is None or snapshot.frozen_at is None:
            raise Http404("no such frozen snapshot")
        split = _splits(request)[0]
        etag = f'"{snapshot.content_hash}-{split}"'
        if etag in parse_etags(request.headers.get("If-None-Match", "")):
            return HttpResponse(status=304, headers={"ETag": etag})
        path = folder_of(snapshot) / f"{split}.jsonl"
        return FileResponse(
            path.open("rb"),
            as_attachment=True,
            filename=f"{snapshot.content_hash[:12]}-{split}.jsonl",
            content_type="application/x-ndjson",
            headers={"ETag": etag, "Last-Modified": http_date(snapshot.frozen_at.timestamp())},
        )


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
