"""Solutions whose first error is known for certain: exam and hidden control of people."""

from __future__ import annotations

from django.db import models

from labeling.domain.assignments import GoldUse
from labeling.models.fields import choices, one_of


class GoldItem(models.Model):
    """A solution that tests people. Its key is the first error that an adjudicator gave it.

    An adjudicator's verdict outranks people's (labeling.domain.consensus), so what people say of
    a gold item never changes its decision. `explanation` is shown once the exam is over.
    """

    solution = models.OneToOneField(
        "labeling.Solution", models.CASCADE, primary_key=True, related_name="gold_item"
    )
    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="gold_items")
    use = models.CharField(max_length=8, choices=choices(GoldUse))
    explanation = models.TextField(blank=True)
    active = models.BooleanField(default=True)
    added_at = models.DateTimeField(auto_now_add=True)
    added_by = models.ForeignKey("labeling.User", models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=one_of("use", GoldUse), name="gold_use_known"),
        ]
        indexes = [
            # assignments.lease_next: a gold item that the person has not labeled yet
            models.Index(
                fields=["project", "use", "solution"],
                condition=models.Q(active=True),
                name="gold_active",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.use} item {self.solution_id}"


class ExamGrant(models.Model):
    """Leave to take the exam once more: exam items given before it belong to earlier attempts."""

    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="exam_grants")
    user = models.ForeignKey("labeling.User", models.CASCADE, related_name="exam_grants")
    reason = models.TextField()
    granted_at = models.DateTimeField(auto_now_add=True)
    granted_by = models.ForeignKey("labeling.User", models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(reason=""), name="exam_grant_has_reason"),
        ]
        indexes = [
            # selectors.exams: when a person's current attempt began
            models.Index(fields=["project", "user", "-granted_at"], name="exam_grant_latest"),
        ]

    def __str__(self) -> str:
        return f"another exam for {self.user_id}"
