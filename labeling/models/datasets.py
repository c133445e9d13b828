"""Snapshots: immutable dataset releases."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from labeling.models.fields import uid_field


class Snapshot(models.Model):
    """A rule over decisions or one labeler's verdicts, frozen into hashed files.

    `folder` stands under VAR_DIR/snapshots. `reason`: why a requested one could not be frozen.
    `progress` of one under way: `phase`, `done` of `total` solutions, `at` (seconds since 1970).
    `other_uids` of later requests for the same rule and labels, which are this one.
    `formats` asked for beside the native one, by name: what was written, nothing yet if empty.
    """

    uid = uid_field()
    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="snapshots")
    other_uids = ArrayField(models.CharField(max_length=16), default=list, blank=True)
    name = models.CharField(max_length=120)
    rule = models.JSONField()
    rule_hash = models.CharField(max_length=32)
    counts = models.JSONField(default=dict)
    content_hash = models.CharField(max_length=64, blank=True)
    folder = models.CharField(max_length=300, blank=True)
    reason = models.TextField(blank=True)
    progress = models.JSONField(default=dict, blank=True)
    formats = models.JSONField(default=dict, blank=True)
    decisions_at_freeze = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey("labeling.User", models.PROTECT, related_name="+")
    frozen_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "rule_hash", "content_hash"],
                condition=~Q(content_hash=""),
                name="snapshot_same_rule_same_bytes_once",
            ),
            models.CheckConstraint(
                condition=Q(frozen_at__isnull=True) | (~Q(content_hash="") & ~Q(folder="")),
                name="snapshot_frozen_has_files",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.content_hash[:8]}"
