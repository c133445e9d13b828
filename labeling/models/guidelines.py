"""What a project tells its annotators, version by version, and who has read which."""

from __future__ import annotations

from django.db import models

LONGEST = 100_000
"""Characters of one version."""


class Guideline(models.Model):
    """One version of a project's guidelines, in Markdown. The highest one holds."""

    project = models.ForeignKey(
        "labeling.Project", models.CASCADE, related_name="guideline_versions"
    )
    version = models.PositiveIntegerField()
    text = models.TextField()
    change = models.CharField(max_length=400, blank=True)
    """What is different from the version before, in its author's words."""
    needs_acknowledgement = models.BooleanField(default=True)
    """Annotators are shown it before their next item."""
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey("labeling.User", models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "version"], name="guideline_one_per_version"
            ),
            models.CheckConstraint(
                condition=models.Q(version__gte=1), name="guideline_version_positive"
            ),
            models.CheckConstraint(condition=~models.Q(text=""), name="guideline_not_empty"),
        ]

    def __str__(self) -> str:
        return f"guidelines v{self.version} of {self.project_id}"


class Acknowledgement(models.Model):
    """A person has read one version and said so."""

    guideline = models.ForeignKey(
        "labeling.Guideline", models.CASCADE, related_name="acknowledgements"
    )
    user = models.ForeignKey("labeling.User", models.CASCADE, related_name="acknowledgements")
    acknowledged_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["guideline", "user"], name="acknowledgement_one_per_person"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} read {self.guideline_id}"
