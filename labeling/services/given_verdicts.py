"""Take in verdicts that a program sends in the name of a labeler of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from labeling.domain.formats import NAMEABLE
from labeling.domain.labels import (
    LabelerKind,
    LabelError,
    VerdictState,
    check_first_error,
    check_labels,
)
from labeling.domain.phrases import Phrase, phrase_of
from labeling.domain.refusals import Invalid
from labeling.models import Labeler, Project, Solution, User
from labeling.models.fields import is_uid
from labeling.services import labelers, verdicts

MOST = 1000
"""Verdicts in one request."""

_STORED = (
    "step_scores", "mc_k", "mc_n", "critique", "completions", "prompt_tokens",
    "completion_tokens", "seconds",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Taken:
    """`known`: solutions that the labeler had judged before; `refused`: (index, why)."""

    labeler: Labeler
    created: int
    known: int
    refused: list[tuple[int, Any]]


@transaction.atomic
def take(
    *,
    by: User,
    project: Project,
    kind: LabelerKind,
    name: str,
    config: Mapping[str, Any],
    given: Sequence[Mapping[str, Any]],
) -> Taken:
    """Store the verdicts that are in order; a labeler's first verdict on a solution stands.

    The labeler is told apart from those of runs and files: its configuration says that it calls
    from outside. What the caller says of it is never read as a run's settings.
    """
    if kind not in NAMEABLE:
        raise Invalid("labeler_kind: one of {nameable} is expected", nameable=", ".join(NAMEABLE))
    labeler = labelers.register(
        by=by, project=project, kind=kind, name=name, config={"api": name, "given": dict(config)}
    )
    uids = {one["solution"] for one in given if is_uid(one["solution"])}
    solutions = {s.uid: s for s in Solution.objects.filter(project=project, uid__in=uids)}
    good: dict[int, verdicts.NewVerdict] = {}
    refused: list[tuple[int, Any]] = []
    for index, one in enumerate(given):
        try:
            verdict = _read(one, solutions.get(one["solution"]))
        except (Invalid, LabelError) as error:
            refused.append((index, phrase_of(error)))
        else:
            good.setdefault(verdict.solution_id, verdict)
    created = verdicts.record(by=by, labeler=labeler, verdicts=list(good.values()))
    return Taken(labeler, created, len(given) - len(refused) - created, refused)


def _read(given: Mapping[str, Any], solution: Solution | None) -> verdicts.NewVerdict:
    if solution is None:
        raise Invalid("solution: the project has no such solution")
    steps, first, reason = len(solution.steps), given.get("first_error"), given.get("reason", "")
    if (first is None) == (not reason):
        raise Invalid("first_error: either it or a reason is expected")
    labels = given.get("step_labels") or ()
    if first is not None:
        check_first_error(first, steps)
        _check_labels(labels, first, steps)
    elif labels:
        raise Invalid("step_labels: a verdict without a first error has none")
    fields = {name: given[name] for name in _STORED if name in given}
    _check_arrays(fields, steps)
    state = VerdictState.UNSCORED if first is None else VerdictState.SCORED
    return verdicts.NewVerdict(solution.pk, state, first, labels, reason, fields)


def _check_labels(labels: Sequence[int | None], first: int, steps: int) -> None:
    if not labels:
        return
    check_labels(labels, steps)
    if next((i for i, label in enumerate(labels) if label == -1), -1) != first:
        raise Invalid("step_labels: the first wrong step is not the label's, {first}", first=first)


def _check_arrays(fields: Mapping[str, Any], steps: int) -> None:
    for name in ("step_scores", "mc_k", "mc_n"):
        if fields.get(name) and len(fields[name]) != steps:
            raise Invalid("{name}: one value per step is expected", name=Phrase(name))
    if any(s is not None and not math.isfinite(s) for s in fields.get("step_scores", ())):
        raise Invalid("{name}: one value per step is expected", name=Phrase("step_scores"))
    k, n = fields.get("mc_k") or (), fields.get("mc_n") or ()
    pairs = zip(k, n, strict=False)
    if len(k) != len(n) or any((a is None) != (b is None) or (a or 0) > (b or 0) for a, b in pairs):
        raise Invalid("mc_k: at most as many as mc_n, step by step, are expected")
