"""Completions that were drawn already, by any labeler with the same completer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from labeling.domain.labels import LabelerKind
from labeling.domain.seeds import completer_hash
from labeling.models import Labeler, Project, Rollout, Solution


@dataclass(frozen=True, slots=True)
class StoredRollout:
    """Sample number `sample` after a solution's first steps: a prefix of the solution's texts."""

    steps: tuple[str, ...]
    gaps: tuple[str, ...]
    sample: int
    text: str
    finish_reason: str


def drawn_before(
    project: Project, completer: str, solutions: Sequence[Solution]
) -> dict[int, list[StoredRollout]]:
    """Return, per problem, stored completions of prefixes that these solutions have, too."""
    labelers = [
        labeler.pk
        for labeler in Labeler.objects.filter(project=project, kind=LabelerKind.MC)
        if completer_hash(labeler.config) == completer
    ]
    rows = (
        Rollout.objects.filter(
            labeler__in=labelers, solution__problem__in={s.problem_id for s in solutions}
        )
        .order_by("labeler", "solution", "step", "sample")
        .select_related("solution")
        .only(
            "step", "sample", "text", "finish_reason",
            "solution__problem", "solution__steps", "solution__gaps",
        )
    )  # fmt: skip
    prefixes = {
        (s.problem_id, tuple(s.steps[: count + 1]))
        for s in solutions
        for count in range(len(s.steps))
    }
    return _grouped(rows, prefixes)


def _grouped(
    rows: Collection[Rollout], prefixes: Collection[tuple[int, tuple[str, ...]]]
) -> dict[int, list[StoredRollout]]:
    found: defaultdict[int, list[StoredRollout]] = defaultdict(list)
    for row in rows:
        solution, count = row.solution, row.step + 1
        steps = tuple(solution.steps[:count])
        if (solution.problem_id, steps) in prefixes:
            gaps = tuple(solution.gaps[: count + 1])
            found[solution.problem_id].append(
                StoredRollout(steps, gaps, row.sample, row.text, row.finish_reason)
            )
    return dict(found)
