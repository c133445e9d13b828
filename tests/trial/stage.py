"""The project of a trial: real solutions, each with a dispute, and their evidence."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from labeling.domain.labels import NO_ERROR, LabelerKind, VerdictState
from labeling.domain.policy import Policy
from labeling.domain.roles import Role
from labeling.models import Labeler, Problem, Project, Solution, User
from labeling.models.fields import new_uid
from labeling.services import labelers, projects, verdicts
from tests import factories

SPLITS = ("gsm8k", "math", "olympiadbench", "omnimath")
LONG = "prm800k_phase1_train_accepted.jsonl"
"""Where the solution with most steps stands."""
SAMPLES = 8
SAMPLES_KEPT = 6


def rows(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of the four ProcessBench splits in turn; the longest solution comes third."""
    splits = [_read(folder / f"processbench_{split}.jsonl") for split in SPLITS]
    mixed = [row for at in range(max(map(len, splits))) for s in splits for row in s[at : at + 1]]
    longest = max(_read(folder / LONG), key=lambda row: len(row["steps"]))
    return [*mixed[:2], longest, *mixed[2:]]


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def build(found: Sequence[dict[str, Any]], **policy: Any) -> tuple[Project, User]:
    """Make the project and its annotator; on every solution MC and the judge disagree."""
    project = factories.ProjectFactory(
        name=f"Trial {new_uid()}",
        created_by=projects.machine(),
        policy_values=Policy(lease_minutes=60, **policy).to_dict(),
    )
    user = factories.UserFactory(username=f"trial-{project.uid}")
    projects.add_member(by=project.created_by, project=project, user=user, role=Role.ANNOTATOR)
    mc, judge = (
        labelers.register(
            by=project.created_by, project=project, kind=kind, name=f"trial {kind}", config={}
        )
        for kind in (LabelerKind.MC, LabelerKind.JUDGE)
    )
    for row in found:
        _dispute(project, mc, judge, row)
    return project, user


def _dispute(project: Project, mc: Labeler, judge: Labeler, row: dict[str, Any]) -> None:
    solution, steps = _solution(project, row), row["steps"]
    judged = max(0, row["label"]) if row["label"] is not None else len(steps) // 2
    by = project.created_by
    counts = [SAMPLES - number % 3 for number in range(len(steps))]
    passes = verdicts.NewVerdict(
        solution.pk, VerdictState.SCORED, NO_ERROR,
        fields={"mc_k": counts, "mc_n": [SAMPLES] * len(steps)},
        rollouts=list(_rollouts(steps, judged)),
    )  # fmt: skip
    words = (
        f"Look at this: {steps[judged]}\n\nThat does not follow from {steps[max(0, judged - 1)]}"
    )
    faults = verdicts.NewVerdict(
        solution.pk, VerdictState.SCORED, judged, fields={"critique": words}
    )
    verdicts.record(by=by, labeler=mc, verdicts=[passes])
    verdicts.record(by=by, labeler=judge, verdicts=[faults])


def _solution(project: Project, row: dict[str, Any]) -> Solution:
    problem = Problem.objects.filter(project=project, statement=row["problem"]).first()
    if problem is None:
        problem = factories.ProblemFactory(
            project=project, statement=row["problem"], answer=row["answer"] or "",
            source=row["source"][:80],
        )  # fmt: skip
    made: Solution = factories.SolutionFactory(problem=problem, steps=row["steps"])
    return made


def _rollouts(steps: Sequence[str], judged: int) -> Iterator[verdicts.NewRollout]:
    """Yield completions of the step in question, as long as real ones: what followed it."""
    text = "\n\n".join(steps[judged:][:8])
    for sample in range(SAMPLES_KEPT):
        right = sample % 3 > 0
        yield verdicts.NewRollout(judged, sample, text, "1" if right else "2", right, "stop")
