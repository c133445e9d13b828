"""Problems and the solutions that models or people wrote for them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from labeling.models.fields import uid_field


class Problem(models.Model):
    """A statement with its reference answer; empty answer = none known."""

    uid = uid_field()
    # no index of its own, here and below: those of two columns begin with it
    project = models.ForeignKey(
        "labeling.Project", models.CASCADE, related_name="problems", db_index=False
    )
    external_id = models.CharField(max_length=200, blank=True)
    statement = models.TextField()
    answer = models.TextField(blank=True)
    source = models.CharField(max_length=120, blank=True)
    licence = models.CharField(max_length=200, blank=True)
    content_hash = models.CharField(max_length=32)
    split = models.CharField(max_length=8, choices=[("train", "train"), ("test", "test")])
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            # the hash first: what looks for hashes must not be led to read the whole project
            models.UniqueConstraint(
                fields=["content_hash", "project"], name="problem_unique_content_per_project"
            ),
            models.CheckConstraint(
                condition=~models.Q(statement=""), name="problem_statement_not_empty"
            ),
            models.CheckConstraint(
                condition=models.Q(split__in=["train", "test"]), name="problem_split_known"
            ),
        ]
        indexes = [
            # unique in the database: what solutions refer to
            models.Index(fields=["project", "id"], name="problem_project_id"),
        ]

    def __str__(self) -> str:
        return self.external_id or self.statement[:60]


class Solution(models.Model):
    """Ordered steps of one solution. Steps are addressed by (solution, index).

    `gaps` are the texts between the steps, one more than steps where the original text is known
    (labeling.domain.steps); empty when the source gave steps only.
    """

    uid = uid_field()
    # One foreign key of two columns, solution_of_its_projects_problem, holds both of these.
    project = models.ForeignKey(
        "labeling.Project",
        models.CASCADE,
        related_name="solutions",
        db_index=False,
        db_constraint=False,
    )
    problem = models.ForeignKey(
        "labeling.Problem", models.CASCADE, related_name="solutions", db_constraint=False
    )
    external_id = models.CharField(max_length=200, blank=True)
    steps = ArrayField(models.TextField())
    gaps = ArrayField(models.TextField(), default=list, blank=True)
    generator = models.CharField(max_length=200, blank=True)
    generator_config = models.JSONField(default=dict, blank=True)
    final_answer = models.TextField(null=True, blank=True)  # noqa: DJ001 - null: none was written
    final_answer_correct = models.BooleanField(null=True)
    content_hash = models.CharField(max_length=32)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["content_hash", "project"], name="solution_unique_content_per_project"
            ),
            models.CheckConstraint(
                condition=models.Q(steps__len__gte=1), name="solution_has_a_step"
            ),
        ]
        indexes = [
            # claims.claim: the next unlabeled solutions of a project in id order; unique in the
            # database: what decisions refer to
            models.Index(fields=["project", "id"], name="solution_project_id"),
            # lists by a name that few or none have: where none can be is skipped, 500 kB at a time;
            # new rows cost nothing until vacuum counts them in
            BrinIndex(
                fields=["external_id", "generator"],
                opclasses=["text_bloom_ops", "text_bloom_ops"],
                pages_per_range=64,
                name="solution_names",
            ),
            # lists of solutions whose answer nobody could judge: rare where there are answers
            models.Index(
                fields=["project", "id"],
                condition=models.Q(final_answer_correct=None),
                name="solution_answer_unknown",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.problem} · {self.uid}"
