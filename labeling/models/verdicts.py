"""Verdicts and the Monte-Carlo evidence behind them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from labeling.domain.assignments import RejectReason
from labeling.domain.labels import VerdictState
from labeling.models.fields import choices, one_of


class Verdict(models.Model):
    """What one labeler says of one solution. All arrays have one element per step.

    `step_labels`: 1 right, 0 neutral, -1 wrong, null not judged. `mc_k` of `mc_n` completions
    from a step reached the reference answer. Cost: tokens of the engine, wall seconds (for a
    person: active seconds).

    `refuted_at` (state refuted): a Monte-Carlo estimate that stopped once a completion count at
    this step, 0-based, ruled out the judge's first error; its own first error is not known.
    `informed`: the person had seen other labelers' verdicts on the solution before giving it.
    `reason_code` (state rejected): the kind of the reason; `reason` has the words.
    """

    # without indexes of their own: those of several columns begin with them
    labeler = models.ForeignKey(
        "labeling.Labeler", models.CASCADE, related_name="verdicts", db_index=False
    )
    solution = models.ForeignKey(
        "labeling.Solution", models.CASCADE, related_name="verdicts", db_index=False
    )
    state = models.CharField(max_length=10, choices=choices(VerdictState))
    first_error = models.IntegerField(null=True)
    step_labels = ArrayField(models.SmallIntegerField(null=True), default=list, blank=True)
    step_scores = ArrayField(models.FloatField(null=True), default=list, blank=True)
    mc_k = ArrayField(models.SmallIntegerField(null=True), default=list, blank=True)
    mc_n = ArrayField(models.SmallIntegerField(null=True), default=list, blank=True)
    refuted_at = models.PositiveSmallIntegerField(null=True)
    critique = models.TextField(blank=True)
    reason = models.TextField(blank=True)
    reason_code = models.CharField(
        max_length=16, choices=choices(RejectReason), blank=True, db_default=""
    )
    informed = models.BooleanField(default=False, db_default=False)
    comments = models.JSONField(default=dict, blank=True)
    completions = models.PositiveIntegerField(default=0)
    exhaustive_completions = models.PositiveIntegerField(default=0)
    prompt_tokens = models.PositiveBigIntegerField(default=0)
    completion_tokens = models.PositiveBigIntegerField(default=0)
    seconds = models.FloatField(default=0)
    submission_key = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            # what it includes answers selectors.verdict_pairs without the rows
            models.UniqueConstraint(
                fields=["labeler", "solution"],
                include=["first_error", "state", "informed"],
                name="verdict_one_per_labeler_and_solution",
            ),
            models.UniqueConstraint(
                fields=["submission_key"],
                condition=Q(submission_key__isnull=False),
                name="verdict_submission_key_once",
            ),
            models.CheckConstraint(
                condition=one_of("state", VerdictState), name="verdict_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="scored", first_error__isnull=False, first_error__gte=-1)
                | (~Q(state="scored") & Q(first_error__isnull=True)),
                name="verdict_first_error_iff_scored",
            ),
            models.CheckConstraint(
                condition=Q(state="scored") | ~Q(reason=""), name="verdict_unscored_has_reason"
            ),
            models.CheckConstraint(
                condition=Q(state="refuted", refuted_at__isnull=False)
                | (~Q(state="refuted") & Q(refuted_at__isnull=True)),
                name="verdict_refuted_at_iff_refuted",
            ),
            models.CheckConstraint(
                condition=~Q(state="scored") | Q(first_error__lt=F("step_labels__len")),
                name="verdict_first_error_is_a_step",
            ),
            models.CheckConstraint(
                condition=Q(mc_k__len=F("mc_n__len")), name="verdict_k_and_n_pair_up"
            ),
            models.CheckConstraint(
                condition=Q(seconds__gte=0), name="verdict_seconds_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(reason_code="")
                | Q(state="rejected", reason_code__in=[str(r) for r in RejectReason]),
                name="verdict_reason_code_known",
            ),
        ]
        indexes = [
            # selectors: verdicts of one solution with their labelers; decisions.refresh
            models.Index(fields=["solution", "labeler"], name="verdict_solution_labeler"),
            # selectors.run_numbers: what a labeler has said in the last minutes; selectors.filters:
            # on a day
            models.Index(fields=["labeler", "created_at"], name="verdict_labeler_created"),
            # selectors.filters: the solutions behind a cell, also of a rare first error
            models.Index(
                fields=["labeler", "first_error", "solution"],
                include=["state", "informed"],
                name="verdict_labeler_first",
            ),
            # selectors.run_numbers: failures by reason; runs.retry_unscored
            models.Index(
                fields=["labeler", "id"],
                condition=Q(state="unscored"),
                name="verdict_unscored",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.labeler_id} on {self.solution_id}: {self.first_error}"


class Rollout(models.Model):
    """One completion sampled from a step: the evidence of a Monte-Carlo count."""

    labeler = models.ForeignKey("labeling.Labeler", models.CASCADE, related_name="rollouts")
    solution = models.ForeignKey("labeling.Solution", models.CASCADE, related_name="rollouts")
    step = models.PositiveSmallIntegerField()
    sample = models.PositiveSmallIntegerField()
    text = models.TextField()
    answer = models.TextField(null=True, blank=True)  # noqa: DJ001 - null: none was written
    correct = models.BooleanField()
    finish_reason = models.CharField(max_length=16)

    class Meta:
        constraints = [
            # also serves the evidence panel: rollouts of a solution by step
            models.UniqueConstraint(
                fields=["solution", "labeler", "step", "sample"], name="rollout_unique_sample"
            ),
        ]

    def __str__(self) -> str:
        return f"rollout {self.sample} from step {self.step} of {self.solution_id}"
