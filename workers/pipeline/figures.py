"""The report's figures: costs of the stages, label quality against the truth, PRM scores."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from labeling.domain.labels import NO_ERROR, LabelerKind
from labeling.domain.statistics.agreement import quality
from labeling.domain.statistics.confusion import Confusion
from labeling.domain.statistics.undefined import known
from labeling.models import Decision, Project, Run, Sampling, Solution, TrainingRun, Verdict
from labeling.services.training import f1_of


def stage_costs(project: Project) -> dict[str, dict[str, Any]]:
    """Return wall seconds, completions and tokens of each stage, over all its runs."""
    stages: dict[str, dict[str, Any]] = {}
    for run in Run.objects.filter(project=project).order_by("pk"):
        cost = _generation_cost(run) if run.labeler_id is None else _labeling_cost(run)
        stages[run.kind] = {
            "wall_seconds": _wall([(run.created_at, run.finished_at)]),
            "worker_seconds": round(run.seconds, 2),
            **cost,
        }
    trainings = TrainingRun.objects.filter(project=project, finished_at__isnull=False)
    spans = list(trainings.values_list("created_at", "finished_at"))
    if spans:
        stages["train"] = {
            "wall_seconds": _wall(spans),
            "worker_seconds": round(sum(trainings.values_list("seconds", flat=True)), 2),
            "trainings": len(spans),
        }
    return stages


def _generation_cost(run: Run) -> dict[str, Any]:
    sums = Sampling.objects.filter(
        problem__project=run.project_id, config_hash=run.config_hash
    ).aggregate(
        completions=Sum("drawn", default=0),
        kept=Sum("kept", default=0),
        duplicates=Sum("duplicates", default=0),
        unusable=Sum("unusable", default=0),
        prompt_tokens=Sum("prompt_tokens", default=0),
        completion_tokens=Sum("completion_tokens", default=0),
    )
    return dict(sums)


def _labeling_cost(run: Run) -> dict[str, Any]:
    sums = Verdict.objects.filter(labeler=run.labeler_id).aggregate(
        completions=Sum("completions", default=0),
        exhaustive_completions=Sum("exhaustive_completions", default=0),
        prompt_tokens=Sum("prompt_tokens", default=0),
        completion_tokens=Sum("completion_tokens", default=0),
    )
    cost = dict(sums)
    exhaustive = cost.pop("exhaustive_completions")
    if exhaustive:
        cost["exhaustive_completions"] = exhaustive
        cost["completions_avoided"] = exhaustive - cost["completions"]
    return cost


def _wall(spans: Iterable[tuple[datetime, datetime | None]]) -> float | None:
    known = [(start, end) for start, end in spans if end is not None]
    if not known:
        return None
    start, end = min(s for s, _ in known), max(e for _, e in known)
    return round((end - start).total_seconds(), 2)


def label_quality(project: Project) -> dict[str, Any]:
    """Compare mc, judge and consensus with the known truth; empty where none is known.

    `right_answer_wrong_process`: of the solutions with a right final answer, the share with a
    wrong step; `right_answer_wrong_process_of_all`: the same count as a share of all solutions.
    """
    truth = dict(
        _first_errors(
            Verdict.objects.filter(labeler__project=project, labeler__kind=LabelerKind.GOLD)
        )
    )
    if not truth:
        return {}
    figures: dict[str, Any] = {}
    for kind in (LabelerKind.MC, LabelerKind.JUDGE):
        rows = Verdict.objects.filter(
            labeler__project=project, labeler__kind=kind, labeler__active=True, state="scored"
        )
        figures[kind.value] = _against(truth, _first_errors(rows))
    agreed = Decision.objects.filter(project=project, state="consensus")
    figures["consensus"] = _against(truth, _first_errors(agreed))
    right = list(
        Solution.objects.filter(project=project, final_answer_correct=True).values_list(
            "pk", flat=True
        )
    )
    flawed = sum(1 for pk in right if truth.get(pk, NO_ERROR) != NO_ERROR)
    figures["right_answer_wrong_process"] = flawed / len(right) if right else None
    figures["right_answer_wrong_process_of_all"] = flawed / len(truth)
    return figures


def _first_errors(rows: QuerySet[Any]) -> list[tuple[int, int]]:
    known = rows.filter(first_error__isnull=False)
    return list(known.values_list("solution_id", "first_error"))


def _against(truth: dict[int, int], rows: Iterable[tuple[int, int]]) -> dict[str, Any]:
    measured = quality(Confusion.of((said, truth[pk]) for pk, said in rows if pk in truth))
    return {name: known(value) for name, value in asdict(measured).items()}


def retention(project: Project) -> dict[str, Any]:
    """Return the share of solutions labeled by MC and judge on which both agree."""
    both = (
        Solution.objects.filter(project=project)
        .annotate(
            kinds=Count(
                "verdicts__labeler__kind",
                filter=Q(verdicts__state="scored", verdicts__labeler__kind__in=["mc", "judge"]),
                distinct=True,
            )
        )
        .filter(kinds=2)
    )
    labeled = both.count()
    kept = both.filter(decision__state="consensus").count()
    return {"labeled": labeled, "kept": kept, "share": kept / labeled if labeled else None}


def prm_scores(project: Project) -> dict[str, Any]:
    """Return the F1 of the trained PRMs per label source, one value per seed."""
    rows = defaultdict(list)
    trainings = (
        TrainingRun.objects.filter(project=project, prm__isnull=False)
        .select_related("prm", "snapshot")
        .order_by("pk")
    )
    for run in trainings:
        rows[run.config.get("source", "other")].append(run)
    return {source: _source_scores(runs) for source, runs in rows.items()}


def _source_scores(runs: list[TrainingRun]) -> dict[str, Any]:
    scores = [f1_of(run.prm) for run in runs]
    known = [score for score in scores if score is not None]
    return {
        "f1": scores,
        "f1_mean": statistics.fmean(known) if known else None,
        "f1_std": statistics.stdev(known) if len(known) > 1 else None,
        "train_solutions": runs[0].snapshot.counts["train"]["records"],
        "test_solutions": runs[0].prm.metrics.get("n"),
        "champion": next((run.prm.uid for run in runs if run.prm.champion), None),
    }
