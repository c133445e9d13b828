"""Runs of machine labelers, the leases of their chunks, and what generation has drawn."""

from __future__ import annotations

from enum import StrEnum

from django.db import models
from django.db.models import Q

from labeling.models.fields import choices, one_of, uid_field


class RunKind(StrEnum):
    """What a run's workers do; the value is also the queue's name."""

    GENERATE = "generate"
    MC = "mc"
    JUDGE = "judge"
    SCORE = "score"


class RunState(StrEnum):
    """A run's life; see docs/states.md."""

    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Run(models.Model):
    """Work over a project: each solution without a verdict by `labeler`, or, for generation,
    each problem without a Sampling of this run's configuration.

    Only the score of a PRM that this project trained needs no `engine`. After `failures` of the
    engine in a row the run rests until `retry_at`."""

    uid = uid_field()
    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="runs")
    kind = models.CharField(max_length=16, choices=choices(RunKind))
    labeler = models.ForeignKey(
        "labeling.Labeler", models.PROTECT, null=True, blank=True, related_name="runs"
    )
    engine = models.ForeignKey(
        "labeling.Engine", models.PROTECT, null=True, blank=True, related_name="runs"
    )
    config = models.JSONField(default=dict)
    config_hash = models.CharField(max_length=32)
    state = models.CharField(max_length=16, choices=choices(RunState), default="running")
    reason = models.TextField(blank=True)
    failures = models.PositiveSmallIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    seconds = models.FloatField(default=0)
    last_progress_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey("labeling.User", models.PROTECT, related_name="+")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=one_of("kind", RunKind), name="run_kind_known"),
            models.CheckConstraint(condition=one_of("state", RunState), name="run_state_known"),
            models.CheckConstraint(
                condition=Q(kind="generate", labeler__isnull=True)
                | (~Q(kind="generate") & Q(labeler__isnull=False)),
                name="run_labels_by_a_labeler",
            ),
            models.CheckConstraint(
                condition=Q(state="failed", reason__gt="") | ~Q(state="failed"),
                name="run_failed_has_reason",
            ),
            # two identical runs at once would only race for the same work
            models.UniqueConstraint(
                fields=["project", "kind", "config_hash"],
                condition=Q(state__in=["running", "paused"]),
                name="run_one_alive_per_configuration",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} run {self.uid}"


class Claim(models.Model):
    """A worker's lease of one solution (or problem, for generation) within a run.

    A row exists only while the work is under way; expired rows are anyone's again.
    """

    run = models.ForeignKey("labeling.Run", models.CASCADE, related_name="claims")
    item = models.BigIntegerField()
    token = models.UUIDField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "item"], name="claim_one_worker_per_item"),
        ]
        indexes = [
            # claims.sweep: the expired leases
            models.Index(fields=["expires_at"], name="claim_expires_at"),
        ]

    def __str__(self) -> str:
        return f"claim of {self.item} in run {self.run_id}"


class Sampling(models.Model):
    """That a problem's solutions were drawn with one generation configuration, and at what cost."""

    problem = models.ForeignKey("labeling.Problem", models.CASCADE, related_name="samplings")
    config_hash = models.CharField(max_length=32)
    drawn = models.PositiveIntegerField()
    kept = models.PositiveIntegerField()
    duplicates = models.PositiveIntegerField(default=0)
    unusable = models.PositiveIntegerField(default=0)
    reason = models.TextField(blank=True)
    prompt_tokens = models.PositiveBigIntegerField(default=0)
    completion_tokens = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["problem", "config_hash"], name="sampling_once_per_problem_and_config"
            ),
            models.CheckConstraint(
                condition=Q(drawn=models.F("kept") + models.F("duplicates") + models.F("unusable")),
                name="sampling_counts_add_up",
            ),
        ]
        indexes = [
            # selectors.run_numbers: what a generation run has drawn, and in the last minutes
            models.Index(fields=["config_hash", "created_at"], name="sampling_config_created"),
        ]

    def __str__(self) -> str:
        return f"{self.kept} of {self.drawn} solutions of {self.problem_id}"
