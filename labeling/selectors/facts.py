"""Read what the boards count of solutions: labeling.domain.boards.Facts, in three queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Exists, OuterRef

from labeling.domain.assignments import Purpose
from labeling.domain.boards import Facts, Said
from labeling.domain.consensus import DecisionState
from labeling.domain.labels import LabelerKind, VerdictState
from labeling.domain.monte_carlo import McMode
from labeling.models import Assignment, Solution, Verdict

_VERDICT = (
    "solution_id", "labeler_id", "labeler__kind", "labeler__config__mode", "state", "first_error",
    "step_labels", "step_scores", "mc_k", "mc_n", "informed", "prompt_tokens",
    "completion_tokens", "seconds", "created_at",
)  # fmt: skip


def facts_of(solutions: Sequence[int]) -> dict[int, tuple[int, Facts]]:
    """Return (project's id, facts) by solution, of those that exist."""
    said = _said(solutions)
    audited = set(
        Assignment.objects.filter(
            solution__in=solutions, purpose=Purpose.AUDIT, submitted_at__isnull=False
        ).values_list("solution_id", flat=True)
    )
    earlier = Solution.objects.filter(problem=OuterRef("problem"), pk__lt=OuterRef("pk"))
    rows = Solution.objects.filter(pk__in=solutions).annotate(opens=~Exists(earlier)).values(
        "pk", "project_id", "problem__source", "generator", "steps__len", "final_answer_correct",
        "decision__state", "decision__first_error", "opens",
    )  # fmt: skip
    return {
        row["pk"]: (row["project_id"], _facts(row, said[row["pk"]], row["pk"] in audited))
        for row in rows
    }


def _facts(row: Mapping[str, Any], said: Sequence[Said], audited: bool) -> Facts:
    return Facts(
        source=row["problem__source"],
        generator=row["generator"],
        steps=row["steps__len"],
        answer=row["final_answer_correct"],
        state=DecisionState(row["decision__state"] or DecisionState.UNDECIDED),
        first_error=row["decision__first_error"],
        audited=audited,
        opens=row["opens"],
        verdicts=tuple(said),
    )


def _said(solutions: Sequence[int]) -> defaultdict[int, list[Said]]:
    found: defaultdict[int, list[Said]] = defaultdict(list)
    rows = Verdict.objects.filter(solution__in=solutions).order_by("id").values(*_VERDICT)
    for row in rows:
        found[row["solution_id"]].append(
            Said(
                labeler=row["labeler_id"],
                kind=LabelerKind(row["labeler__kind"]),
                state=VerdictState(row["state"]),
                first_error=row["first_error"],
                labels=tuple(row["step_labels"]),
                day=row["created_at"].date().isoformat(),
                informed=row["informed"],
                tokens=row["prompt_tokens"] + row["completion_tokens"],
                milliseconds=round(1000 * row["seconds"]),
                scores=tuple(row["step_scores"]),
                drawn=_drawn(row),
            )
        )
    return found


def _drawn(row: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return the counts before the first step where no success ended the drawing early."""
    mode = row["labeler__config__mode"]
    if not row["mc_n"] or not row["mc_n"][0] or mode is None or McMode(mode).stops_at_success:
        return None
    return row["mc_k"][0], row["mc_n"][0]
