"""Labelers: every source of verdicts, with its frozen configuration."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from labeling.domain.labels import LabelerKind
from labeling.models.fields import choices, one_of, uid_field


class Labeler(models.Model):
    """One source of verdicts. A changed configuration is a new labeler.

    Only active labelers count in decisions. A person labels through a labeler of their own;
    human labels that came with a data set have a human labeler without a user.
    """

    uid = uid_field()
    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="labelers")
    kind = models.CharField(max_length=16, choices=choices(LabelerKind))
    name = models.CharField(max_length=120)
    config = models.JSONField(default=dict, blank=True)
    config_hash = models.CharField(max_length=32)
    user = models.ForeignKey(
        "labeling.User", models.PROTECT, null=True, blank=True, related_name="labelers"
    )
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "kind", "config_hash"], name="labeler_unique_configuration"
            ),
            models.UniqueConstraint(
                fields=["project", "kind", "user"],
                condition=Q(user__isnull=False),
                name="labeler_one_per_person_and_kind",
            ),
            models.CheckConstraint(
                condition=one_of("kind", LabelerKind), name="labeler_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(user__isnull=True) | Q(kind__in=["human", "adjudicator"]),
                name="labeler_machines_have_no_user",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"
