"""Users and their roles in projects."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models

from labeling.domain.roles import Role
from labeling.models.fields import choices, one_of


class User(AbstractUser):
    """A person or a service account."""

    preferences = models.JSONField(default=dict, blank=True)
    """How the person works on the annotate page (labeling.domain.shortcuts)."""


class Membership(models.Model):
    """A user's role in one project."""

    user = models.ForeignKey("labeling.User", models.CASCADE, related_name="memberships")
    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=choices(Role))
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "project"], name="membership_one_role_per_project"
            ),
            models.CheckConstraint(condition=one_of("role", Role), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} as {self.role} of {self.project}"
