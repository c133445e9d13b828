"""Imports of a project, for pages and the API."""

from __future__ import annotations

from typing import Any

from django.http import Http404

from labeling.domain.formats import GivenVerdict, ImportRow
from labeling.models import Import, Project
from labeling.models.fields import is_uid
from labeling.models.imports import ImportState

SHOWN = 100
UNDER_WAY = frozenset({ImportState.WAITING, ImportState.RUNNING})


def imports_of(project: Project) -> list[Import]:
    """Return the newest imports."""
    rows = Import.objects.filter(project=project).select_related("created_by").order_by("-id")
    return list(rows[:SHOWN])


def import_for(project: Project, uid: str) -> Import:
    """Return the project's import or raise Http404."""
    found = (
        Import.objects.filter(project=project, uid=uid)
        .select_related("created_by", "project")
        .first()
        if is_uid(uid)
        else None
    )
    if found is None:
        raise Http404("no such import")
    return found


def row_values(row: ImportRow) -> dict[str, Any]:
    """Return what was read of a row, JSON-ready."""
    solution = row.solution
    verdicts = [] if solution is None else [_verdict(verdict) for verdict in solution.verdicts]
    return {
        "problem": row.problem._asdict(),
        "solution": None if solution is None else {**solution._asdict(), "verdicts": verdicts},
        "notes": row.notes,
    }


def _verdict(verdict: GivenVerdict) -> dict[str, Any]:
    return {**verdict._asdict(), "source": verdict.source._asdict()}
