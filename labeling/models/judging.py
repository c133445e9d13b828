"""Judges' wordings of a project's own, and trials of a wording on a few solutions."""

from __future__ import annotations

from enum import StrEnum

from django.db import models
from django.db.models import Q

from labeling.domain.judging import ReplyForm
from labeling.models.fields import choices, one_of, uid_field


class JudgePrompt(models.Model):
    """One version of a wording; a change is a new version, so that labelers stay comparable."""

    uid = uid_field()
    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="judge_prompts")
    name = models.SlugField(max_length=60)
    version = models.PositiveIntegerField()
    text = models.TextField()
    reply = models.CharField(max_length=16, choices=choices(ReplyForm))
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey("labeling.User", models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "name", "version"], name="judge_prompt_version_once"
            ),
            models.CheckConstraint(
                condition=Q(version__gte=1), name="judge_prompt_versions_from_one"
            ),
            models.CheckConstraint(
                condition=one_of("reply", ReplyForm), name="judge_prompt_reply_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}-v{self.version}"


class TrialState(StrEnum):
    """A trial's life."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class JudgeTrial(models.Model):
    """A dry run of a judge's configuration: its replies are shown and label nothing.

    `solutions` are uids; `results` has one object per solution once done.
    """

    uid = uid_field()
    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="judge_trials")
    engine = models.ForeignKey("labeling.Engine", models.PROTECT, related_name="+")
    config = models.JSONField()
    solutions = models.JSONField(default=list)
    state = models.CharField(max_length=16, choices=choices(TrialState), default="waiting")
    results = models.JSONField(default=list, blank=True)
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey("labeling.User", models.PROTECT, related_name="+")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=one_of("state", TrialState), name="judge_trial_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | ~Q(reason=""), name="judge_trial_failed_has_reason"
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", finished_at__isnull=True)
                | (~Q(state="waiting") & Q(finished_at__isnull=False)),
                name="judge_trial_finished_at_iff_over",
            ),
        ]

    def __str__(self) -> str:
        return f"trial {self.uid}"
