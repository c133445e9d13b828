"""Corrections of reference answers: what is to be graded, and how each stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.http import Http404

from labeling.models import (
    AnswerCorrection,
    Assignment,
    Problem,
    Project,
    Rollout,
    Snapshot,
    Solution,
    User,
)
from labeling.models.corrections import OPEN, CorrectionState


def correction_of(project: Project, uid: str) -> AnswerCorrection:
    """Return the project's correction or raise Http404."""
    found = (
        AnswerCorrection.objects.filter(project=project, uid=uid)
        .select_related("problem", "project", "created_by", "confirmed_by")
        .first()
    )
    if found is None:
        raise Http404("no such correction")
    return found


def open_of(problem: Problem) -> AnswerCorrection | None:
    """Return the correction of the problem that is not over."""
    return AnswerCorrection.objects.filter(problem=problem, state__in=OPEN).first()


def history_of(problem: Problem) -> list[AnswerCorrection]:
    """Return the corrections that were carried out, the latest first."""
    done = AnswerCorrection.objects.filter(problem=problem, state=CorrectionState.DONE)
    return list(done.select_related("created_by").order_by("-applied_at"))


@dataclass(slots=True)
class Change:
    """What a correction changes, or has changed, of one solution."""

    uid: str
    answer: dict[str, Any] | None = None
    mc: list[dict[str, Any]] = field(default_factory=list)
    decision: dict[str, Any] | None = None


def changes_of(correction: AnswerCorrection) -> list[Change]:
    """Return the report solution by solution, in its order."""
    report = correction.report
    if not report:
        return []
    found: dict[str, Change] = {}

    def change(uid: str) -> Change:
        return found.setdefault(uid, Change(uid))

    for one in report["solutions"]["changed"]:
        change(one["uid"]).answer = one
    for how in ("revised", "withdrawn", "void"):
        for one in report["mc"][how]:
            change(one["uid"]).mc.append({**one, "how": how})
    for one in report["decisions"]:
        change(one["uid"]).decision = one
    return list(found.values())


def is_labeling(correction: AnswerCorrection, user: User) -> bool:
    """Say whether the user labels a solution of the problem blind: the report would tell of it."""
    held = Assignment.objects.filter(
        solution__problem=correction.problem_id, user=user, submitted_at=None, skipped_at=None
    )
    return correction.project.policy.blind and held.exists()


def older_snapshots(correction: AnswerCorrection) -> list[Snapshot]:
    """Return the snapshots that were frozen before the correction was carried out."""
    frozen = Snapshot.objects.filter(project=correction.project, frozen_at__isnull=False)
    if correction.applied_at is not None:
        frozen = frozen.filter(frozen_at__lt=correction.applied_at)
    return list(frozen.order_by("-frozen_at"))


def answers_of(problem: Problem, stated: Iterable[str | None]) -> set[str]:
    """Return the different answers that the problem's completions reach, with those `stated`."""
    reached = Rollout.objects.filter(solution__problem=problem, answer__isnull=False)
    found = set(reached.order_by().values_list("answer", flat=True).distinct())
    return {answer for answer in (*found, *stated) if answer is not None}


def solutions_of(problem: Problem) -> list[Solution]:
    """Return the problem's solutions."""
    return list(Solution.objects.filter(problem=problem).order_by("pk"))
