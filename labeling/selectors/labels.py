"""The labels that a snapshot rule picks, streamed as training records in a reproducible order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery

from labeling.domain.labels import LabelerKind, labels_up_to
from labeling.domain.monte_carlo import McMode
from labeling.domain.releases import Rule, neutral_steps, targets
from labeling.models import Decision, Project, Verdict
from trainer.records import Record

_COLUMNS = (
    "first_error",
    "labels",
    "content_hash",
    "steps",
    "final_answer_correct",
    "problem_hash",
    "statement",
    "source",
    "mc_k",
    "mc_n",
    "mc_mode",
)


def labeled_records(
    project: Project, rule: Rule, split: str, limit: int | None = None
) -> Iterator[Record]:
    """Stream the records of one split, ordered by the solutions' content hash."""
    rows = _by_labeler(project, rule.labeler) if rule.labeler else _by_decision(project, rule)
    rows = rows.filter(solution__problem__split=split).order_by("solution__content_hash")
    columns = rows.values(*_COLUMNS)
    for row in (columns[:limit] if limit else columns).iterator(chunk_size=2000):
        yield _record(row, rule, split)


def _by_decision(project: Project, rule: Rule) -> QuerySet[Any]:
    mc = Verdict.objects.filter(
        solution=OuterRef("solution"),
        labeler__kind=LabelerKind.MC,
        labeler__active=True,
        state="scored",
    ).order_by("-id")
    rows = Decision.objects.filter(project=project, state__in=[str(s) for s in rule.states])
    return _named(rows).annotate(
        source=F("state"),
        labels=Subquery(
            Verdict.objects.filter(pk=OuterRef("follows_from__0")).values("step_labels")[:1]
        ),
        mc_k=Subquery(mc.values("mc_k")[:1]),
        mc_n=Subquery(mc.values("mc_n")[:1]),
        mc_mode=Subquery(mc.values("labeler__config__mode")[:1]),
    )


def _by_labeler(project: Project, uid: str) -> QuerySet[Any]:
    rows = Verdict.objects.filter(labeler__project=project, labeler__uid=uid, state="scored")
    return _named(rows).annotate(
        labels=F("step_labels"), source=F("labeler__kind"), mc_mode=F("labeler__config__mode")
    )


def _named(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.annotate(
        content_hash=F("solution__content_hash"),
        steps=F("solution__steps"),
        final_answer_correct=F("solution__final_answer_correct"),
        problem_hash=F("solution__problem__content_hash"),
        statement=F("solution__problem__statement"),
    )


def _record(row: dict[str, Any], rule: Rule, split: str) -> Record:
    count = len(row["steps"])
    labels = row["labels"] or labels_up_to(row["first_error"], count)
    return Record(
        id=row["content_hash"],
        problem_id=row["problem_hash"],
        prompt=row["statement"],
        steps=tuple(row["steps"]),
        labels=targets(labels, row["first_error"], rule.neutral_as),
        counts=_counts(row["mc_k"], row["mc_n"], count),
        first_error=row["first_error"],
        final_answer_correct=row["final_answer_correct"],
        split=split,
        sources={
            "labels": row["source"],
            **_sampling(row["mc_mode"]),
            **_neutral(labels, row["first_error"]),
        },
    )


def _neutral(labels: Sequence[int | None], first_error: int) -> dict[str, object]:
    """Return which steps before the first error are neutral, whatever the rule made of them."""
    steps = neutral_steps(labels, first_error)
    return {"neutral": steps} if steps else {}


def _sampling(mode: str | None) -> dict[str, object]:
    """Return how the Monte-Carlo counts came about; bisection's labels are marked in every row."""
    if mode is None:
        return {}
    return {"mc_mode": mode, "mc_exact": McMode(mode).exact}


def _counts(
    k: list[int | None] | None, n: list[int | None] | None, step_count: int
) -> tuple[tuple[int, int] | None, ...] | None:
    if not k or not n or len(k) != step_count:
        return None
    return tuple(
        None if done is None or drawn is None else (done, drawn)
        for done, drawn in zip(k, n, strict=True)
    )
