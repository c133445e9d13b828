"""Who adjudicates which solution just now."""

from __future__ import annotations

from django.db import models


class AdjudicationLease(models.Model):
    """A solution that an adjudicator has before them; others are given another one until it ends.

    It keeps people apart and forbids nothing: a verdict is checked against what its author saw.
    """

    solution = models.OneToOneField(
        "labeling.Solution", models.CASCADE, primary_key=True, related_name="adjudication_lease"
    )
    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="+")
    user = models.ForeignKey("labeling.User", models.CASCADE, related_name="+")
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            # two tabs of one person share an item, as they do when labeling
            models.UniqueConstraint(fields=["project", "user"], name="adjudication_one_per_person"),
        ]

    def __str__(self) -> str:
        return f"{self.solution_id} to {self.user_id}"
