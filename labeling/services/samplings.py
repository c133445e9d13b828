"""Store generated solutions: what was drawn for a problem, without duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from labeling.domain.hashing import solution_hash
from labeling.models import Problem, Run, Sampling, Solution, User
from labeling.services import decisions, events


@dataclass(frozen=True, slots=True)
class NewSolution:
    """One sampled solution; `gaps` as in labeling.domain.steps."""

    steps: Sequence[str]
    gaps: Sequence[str]
    final_answer: str | None
    final_answer_correct: bool | None
    generator_config: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Drawn:
    """All that was drawn for one problem. `unusable` samples had no step; `reason` says why."""

    problem_id: int
    solutions: Sequence[NewSolution]
    unusable: int = 0
    reason: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    against: str | None = None
    """The reference answer that the solutions were graded by; None: they were not."""


@transaction.atomic
def record(*, by: User, run: Run, drawn: Sequence[Drawn]) -> int:
    """Store solutions of problems not sampled before with this configuration; return their number.

    A late worker's draw for a problem that another worker has finished adds nothing: the
    problems' rows are locked first, so the two cannot interleave.
    """
    problems = {
        p.pk: p
        for p in Problem.objects.filter(pk__in=[d.problem_id for d in drawn])
        .order_by("pk")
        .select_for_update(no_key=True)
    }
    done = set(
        Sampling.objects.filter(problem__in=problems, config_hash=run.config_hash).values_list(
            "problem_id", flat=True
        )
    )
    # A correction of the reference answer locks the problem as well. What was graded by the former
    # one is dropped: the problem waits for its solutions again.
    fresh = [
        d
        for d in drawn
        if d.problem_id in problems
        and d.problem_id not in done
        and d.against in (None, problems[d.problem_id].answer)
    ]
    rows: dict[str, Solution] = {}
    for draw in fresh:
        for sample in draw.solutions:
            row = _row(run, problems[draw.problem_id], sample)
            rows.setdefault(row.content_hash, row)
    known = set(
        Solution.objects.filter(project=run.project_id, content_hash__in=rows).values_list(
            "content_hash", flat=True
        )
    )
    created = Solution.objects.bulk_create(
        [row for row in rows.values() if row.content_hash not in known]
    )
    kept: dict[int, int] = {}
    for row in created:
        kept[row.problem_id] = kept.get(row.problem_id, 0) + 1
    Sampling.objects.bulk_create(
        [_sampling(run, draw, kept.get(draw.problem_id, 0)) for draw in fresh]
    )
    decisions.refresh(project=run.project, solutions=created)
    events.record(
        by=by, action="solutions drawn", project=run.project, subject=run.uid, count=len(created)
    )
    return len(created)


def _row(run: Run, problem: Problem, sample: NewSolution) -> Solution:
    return Solution(
        project_id=run.project_id,
        problem=problem,
        steps=list(sample.steps),
        gaps=list(sample.gaps),
        generator=str(run.config.get("generator", "")),
        generator_config=sample.generator_config,
        final_answer=sample.final_answer,
        final_answer_correct=sample.final_answer_correct,
        content_hash=solution_hash(problem.content_hash, sample.steps),
    )


def _sampling(run: Run, draw: Drawn, kept: int) -> Sampling:
    return Sampling(
        problem_id=draw.problem_id,
        config_hash=run.config_hash,
        drawn=len(draw.solutions) + draw.unusable,
        kept=kept,
        duplicates=len(draw.solutions) - kept,
        unusable=draw.unusable,
        reason=draw.reason,
        prompt_tokens=draw.prompt_tokens,
        completion_tokens=draw.completion_tokens,
    )
