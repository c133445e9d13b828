"""Leases of solutions to people, with the draft of what they label."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from labeling.domain.assignments import Purpose, SkipReason
from labeling.models.fields import choices, one_of, uid_field


class Assignment(models.Model):
    """A solution leased to a person for minutes; its draft survives reload and expiry.

    `draft` = {"labels": [1|0|-1|null per step], "notes": {"step": text}, "note": text}.
    `draft_version` rises with every save: a stale page cannot overwrite a newer draft.
    `ahead`: leased while the person still works on another item, so that it is there at once.
    `evidence_seen_at`: since then the person knows what others said; a later change is not blind.
    """

    uid = uid_field()
    solution = models.ForeignKey("labeling.Solution", models.CASCADE, related_name="assignments")
    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="assignments")
    user = models.ForeignKey("labeling.User", models.CASCADE, related_name="assignments")
    purpose = models.CharField(max_length=8, choices=choices(Purpose), default=Purpose.LABEL)
    ahead = models.BooleanField(default=False)
    expires_at = models.DateTimeField()
    draft = models.JSONField(default=dict, blank=True)
    draft_version = models.PositiveIntegerField(default=0)
    active_seconds = models.FloatField(default=0)
    submitted_at = models.DateTimeField(null=True)
    skipped_at = models.DateTimeField(null=True)
    skip_code = models.CharField(max_length=12, choices=choices(SkipReason), blank=True)
    skip_reason = models.TextField(blank=True)
    evidence_seen_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["solution", "user"], name="assignment_once_per_solution_and_user"
            ),
            models.CheckConstraint(
                condition=Q(submitted_at__isnull=True) | Q(skipped_at__isnull=True),
                name="assignment_submitted_or_skipped",
            ),
            models.CheckConstraint(
                condition=Q(skipped_at__isnull=True) | Q(skip_reason__gt=""),
                name="assignment_skip_has_reason",
            ),
            # one open item per person and project, and one fetched ahead; also finds both
            models.UniqueConstraint(
                fields=["project", "user", "ahead"],
                condition=Q(submitted_at__isnull=True, skipped_at__isnull=True),
                name="assignment_one_open_per_person",
            ),
            models.CheckConstraint(
                condition=one_of("purpose", Purpose), name="assignment_purpose_known"
            ),
            models.CheckConstraint(
                condition=Q(skip_code="") | Q(skip_code__in=[str(r) for r in SkipReason]),
                name="assignment_skip_code_known",
            ),
            models.CheckConstraint(
                condition=Q(evidence_seen_at__isnull=True) | Q(submitted_at__isnull=False),
                name="assignment_evidence_after_submission",
            ),
        ]
        indexes = [
            # selectors: a person's last submissions, newest first; their number today
            models.Index(
                fields=["project", "user", "-submitted_at"],
                condition=Q(submitted_at__isnull=False),
                name="assignment_submitted",
            ),
            # selectors: a person's last skips
            models.Index(
                fields=["project", "user", "-skipped_at"],
                condition=Q(skipped_at__isnull=False),
                name="assignment_skipped",
            ),
            # assignments.lease_next: what the person had, and how many; the exam's items
            models.Index(
                fields=["project", "user", "purpose", "solution"], name="assignment_of_person"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.solution_id} to {self.user_id}"
