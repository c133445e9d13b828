"""A labeling campaign and its policy."""

from __future__ import annotations

from django.db import models

from labeling.domain.policy import Policy
from labeling.models.fields import uid_field


class Project(models.Model):
    """A labeling campaign; everything else hangs on one."""

    uid = uid_field()
    name = models.CharField(max_length=120, unique=True)
    policy_values = models.JSONField(default=dict)
    policy_version = models.PositiveIntegerField(default=1)
    decided_from = models.PositiveIntegerField(default=1, db_default=1)
    """Decisions made under an older policy version have to be made again; 1 once all are."""
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey("labeling.User", models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(policy_version__gte=1), name="project_policy_version_positive"
            ),
            models.CheckConstraint(condition=~models.Q(name=""), name="project_name_not_empty"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def policy(self) -> Policy:
        """Return the policy as the domain reads it."""
        return Policy.from_dict(self.policy_values)
