"""Let a trained PRM score a chunk of solutions: a labeler like any other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from labeling.domain.labels import VerdictState
from labeling.models import PRM, Run, Solution, User
from labeling.services import verdicts
from labeling.services.verdicts import NewVerdict
from workers.chunks.batches import in_batches

if TYPE_CHECKING:
    from trainer.scoring import Scorer


def label(run: Run, ids: Sequence[int], by: User) -> Iterator[int]:
    """Score the solutions; the first step below the threshold is the first error."""
    labeler = run.labeler
    if labeler is None:
        raise ValueError("a score run has a labeler")
    prm = PRM.objects.get(uid=run.config["prm"])
    scorer = _scorer(str(Path(settings.VAR_DIR) / "prms" / prm.folder / "model"))
    solutions = Solution.objects.filter(pk__in=ids).select_related("problem").order_by("pk")
    for batch in in_batches(solutions):
        scores = scorer.score_many([(s.problem.statement, tuple(s.steps)) for s in batch])
        new = [
            _verdict(solution, values, run.config["threshold"])
            for solution, values in zip(batch, scores, strict=True)
        ]
        yield verdicts.record(by=by, labeler=labeler, verdicts=new, run=run)


def _verdict(solution: Solution, scores: Sequence[float], threshold: float) -> NewVerdict:
    first_error = next((i for i, score in enumerate(scores) if score < threshold), -1)
    return NewVerdict(
        solution.pk, VerdictState.SCORED, first_error, fields={"step_scores": list(scores)}
    )


@lru_cache(maxsize=2)
def _scorer(path: str) -> Scorer:
    from trainer.scoring import Scorer  # torch: only the workers that score load it

    return Scorer(path)
