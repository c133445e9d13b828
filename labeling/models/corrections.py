"""Corrections of reference answers: every version, who changed it, why, and what came of it."""

from __future__ import annotations

from enum import StrEnum

from django.db import models
from django.db.models import Q

from labeling.models.fields import choices, one_of, uid_field


class CorrectionState(StrEnum):
    """A correction's life: a worker grades, a person confirms, a worker carries it out."""

    WAITING = "waiting"
    COUNTED = "counted"
    CONFIRMED = "confirmed"
    DONE = "done"
    DROPPED = "dropped"


OPEN = (CorrectionState.WAITING, CorrectionState.COUNTED, CorrectionState.CONFIRMED)


class AnswerCorrection(models.Model):
    """A problem's reference answer from `old` to `new`.

    `grades`: whether an answer (of a solution or a completion) equals `new`. `report`: what would
    change, and once it is done what has changed (labeling.services.regrading). `total`: how many
    different answers are to be graded.
    """

    uid = uid_field()
    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="corrections")
    problem = models.ForeignKey("labeling.Problem", models.CASCADE, related_name="corrections")
    old = models.TextField(blank=True)
    new = models.TextField()
    reason = models.TextField()
    state = models.CharField(max_length=10, choices=choices(CorrectionState), default="waiting")
    grades = models.JSONField(default=dict)
    total = models.PositiveIntegerField(default=0)
    report = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey("labeling.User", models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(
        "labeling.User", models.PROTECT, null=True, blank=True, related_name="+"
    )
    applied_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=one_of("state", CorrectionState), name="correction_state_known"
            ),
            models.CheckConstraint(
                condition=Q(new__gt="") & Q(reason__gt=""), name="correction_says_what_and_why"
            ),
            models.CheckConstraint(
                condition=~Q(new=models.F("old")), name="correction_changes_something"
            ),
            # two at once would each be counted against what the other is about to change
            models.UniqueConstraint(
                fields=["problem"],
                condition=Q(state__in=[str(state) for state in OPEN]),
                name="correction_one_open_per_problem",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["confirmed", "done"], confirmed_at__isnull=False)
                & Q(confirmed_by__isnull=False)
                | ~Q(state__in=["confirmed", "done"])
                & Q(confirmed_at__isnull=True, confirmed_by__isnull=True),
                name="correction_confirmed_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(state="done", applied_at__isnull=False)
                | ~Q(state="done") & Q(applied_at__isnull=True),
                name="correction_applied_iff_done",
            ),
        ]
        indexes = [
            # answer_corrections.attend: what waits for a worker
            models.Index(
                fields=["state"],
                condition=Q(state__in=["waiting", "confirmed"]),
                name="correction_unattended",
            ),
            # selectors.pages: corrections since a snapshot was frozen
            models.Index(fields=["project", "applied_at"], name="correction_applied"),
        ]

    def __str__(self) -> str:
        return f"{self.old} → {self.new}"
