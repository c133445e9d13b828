"""Let a PRM score solutions: a labeler like any other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any

from django.conf import settings

from labeling.domain.labels import VerdictState
from labeling.models import PRM, Run, Solution, User
from labeling.models.engines import EngineKind
from labeling.services import verdicts
from labeling.services.verdicts import NewVerdict
from workers.chunks.models import engine_row
from workers.engines.protocol import EngineRefused, EngineUnavailable
from workers.engines.scorer_registry import open_local, open_served
from workers.engines.scorers import StepScorer, StepScores

TOGETHER = 256
"""Solutions that a scorer is given at once: enough to fill a server, few enough for the memory."""

AHEAD = 2
"""Such groups under way: while one is stored or comes to its end, the next one is scored."""


def label(
    run: Run, lease: Callable[[int], Sequence[int]], by: User
) -> Iterator[tuple[Sequence[int], int]]:
    """Score what `lease(size)` gives until it gives nothing.

    Yield leased items and the number of their verdicts after each transaction.
    """
    labeler = run.labeler
    assert labeler is not None  # noqa: S101 - constraint run_labels_by_a_labeler
    leases = _leases(lease)
    first = next(leases, None)
    if first is None:
        return  # before a model is loaded for nothing
    scorer, threshold = scorer_of(run), run.config["threshold"]
    under_way: deque[tuple[Sequence[int], Future[list[NewVerdict]]]] = deque()

    def stored() -> tuple[Sequence[int], int]:
        items, found = under_way.popleft()
        return items, verdicts.record(by=by, labeler=labeler, verdicts=found.result(), run=run)

    with ThreadPoolExecutor(scorer.calls) as pool:
        for items in chain((first,), leases):
            # Read here: the pool's threads have no database.
            solutions = list(Solution.objects.filter(pk__in=items).select_related("problem"))
            under_way.append((items, pool.submit(score, solutions, scorer, threshold)))
            if len(under_way) == AHEAD:
                yield stored()
        while under_way:
            yield stored()


def _leases(lease: Callable[[int], Sequence[int]]) -> Iterator[Sequence[int]]:
    while items := lease(TOGETHER):
        yield items


def score(solutions: Sequence[Solution], scorer: StepScorer, threshold: float) -> list[NewVerdict]:
    """Return a verdict per solution: the first step below the threshold is the first error.

    One that cannot be scored whole is unscored and says why. Raise EngineUnavailable.
    """
    found = scorer.score_many([(s.problem.statement, tuple(s.steps)) for s in solutions])
    return [
        _verdict(solution.pk, scores, threshold)
        for solution, scores in zip(solutions, found, strict=True)
    ]


def scorer_of(run: Run) -> StepScorer:
    """Open the run's PRM, once per process; raise EngineUnavailable where that is impossible."""
    if "prm" in run.config:
        return open_local(_model_of(run.config["prm"]))
    row = engine_row(run)
    if row.kind != EngineKind.POOLING:
        raise EngineUnavailable(f"the engine {row.name} serves no PRM: {row.kind}", retry=False)
    return open_served(row.model, run.config["format"], _with_local_folder(row.options))


def _model_of(uid: str) -> Path:
    prm = PRM.objects.filter(uid=uid).first()
    if prm is None:
        raise EngineUnavailable(f"there is no PRM {uid} any more", retry=False)
    return Path(settings.VAR_DIR) / "prms" / prm.folder / "model"


def _with_local_folder(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options; a tokenizer's folder inside the project is named relative to it."""
    local = Path(settings.BASE_DIR) / str(options.get("tokenizer") or "/nowhere")
    return options | ({"tokenizer": str(local)} if local.is_dir() else {})


def _verdict(solution_id: int, scores: StepScores | EngineRefused, threshold: float) -> NewVerdict:
    if isinstance(scores, EngineRefused):
        return NewVerdict(solution_id, VerdictState.UNSCORED, reason=str(scores))
    below = (index for index, value in enumerate(scores.values) if value < threshold)
    fields = {"step_scores": list(scores.values), "prompt_tokens": scores.tokens}
    return NewVerdict(solution_id, VerdictState.SCORED, next(below, -1), fields=fields)
