"""Training runs and the reward models (PRMs) that come of them."""

from __future__ import annotations

from enum import StrEnum

from django.db import models
from django.db.models import Q

from labeling.models.fields import choices, one_of, uid_field


class TrainingState(StrEnum):
    """A training run's life."""

    WAITING = "waiting"
    TRAINING = "training"
    EVALUATING = "evaluating"
    DONE = "done"
    FAILED = "failed"


class TrainingRun(models.Model):
    """One training of a PRM on one snapshot, in a process of its own."""

    uid = uid_field()
    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="training_runs")
    snapshot = models.ForeignKey("labeling.Snapshot", models.PROTECT, related_name="training_runs")
    name = models.CharField(max_length=120)
    config = models.JSONField()
    config_hash = models.CharField(max_length=32)
    evaluation_set = models.ForeignKey(
        "labeling.Snapshot", models.PROTECT, related_name="evaluated_runs", null=True, blank=True
    )
    state = models.CharField(max_length=16, choices=choices(TrainingState), default="waiting")
    reason = models.TextField(blank=True)
    progress = models.JSONField(default=dict)
    lease_until = models.DateTimeField(null=True)
    seconds = models.FloatField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey("labeling.User", models.PROTECT, related_name="+")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["snapshot", "config_hash"], name="training_once_per_snapshot_and_config"
            ),
            models.CheckConstraint(
                condition=one_of("state", TrainingState), name="training_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | Q(reason__gt=""), name="training_failed_has_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"training {self.name}"


class PRM(models.Model):
    """A trained reward model with its metrics. At most one champion per project."""

    uid = uid_field()
    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="prms")
    training_run = models.OneToOneField("labeling.TrainingRun", models.PROTECT, related_name="prm")
    folder = models.CharField(max_length=300)
    metrics = models.JSONField(default=dict)
    champion = models.BooleanField(default=False)
    promoted_at = models.DateTimeField(null=True)
    promoted_by = models.ForeignKey(
        "labeling.User", models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project"], condition=Q(champion=True), name="prm_one_champion_per_project"
            ),
            models.CheckConstraint(
                condition=Q(champion=False)
                | Q(promoted_at__isnull=False, promoted_by__isnull=False),
                name="prm_champion_was_promoted",
            ),
        ]

    def __str__(self) -> str:
        return f"PRM {self.training_run_id}"
