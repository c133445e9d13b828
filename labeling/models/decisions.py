"""The decision of each solution: kept in step with its verdicts, recomputable at any time."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from labeling.domain.adjudication import GIVEN_UP, Cause
from labeling.domain.consensus import DECIDED, DecisionState
from labeling.models.fields import choices, one_of


class Decision(models.Model):
    """One per solution: labeling.domain.consensus.decide of its verdicts, stored.

    `places`: how many more people's labels the policy asks for (labeling.domain.ordering).
    `gave_up`: how many people passed it back because they could not label it.
    `cause`: why its verdicts need an adjudicator (labeling.domain.adjudication), or empty.
    """

    # One foreign key of two columns, decision_of_its_projects_solution, holds both of these.
    solution = models.OneToOneField(
        "labeling.Solution",
        models.CASCADE,
        primary_key=True,
        related_name="decision",
        db_constraint=False,
    )
    project = models.ForeignKey(
        "labeling.Project",
        models.CASCADE,
        related_name="decisions",
        db_index=False,
        db_constraint=False,
    )
    state = models.CharField(max_length=16, choices=choices(DecisionState), default="undecided")
    first_error = models.IntegerField(null=True)
    follows_from = ArrayField(models.BigIntegerField(), default=list, blank=True)
    policy_version = models.PositiveIntegerField()
    priority = models.SmallIntegerField(default=0)
    places = models.PositiveSmallIntegerField(default=1, db_default=1)
    gave_up = models.PositiveSmallIntegerField(default=0, db_default=0)
    cause = models.CharField(
        max_length=10, choices=choices(Cause), blank=True, default="", db_default=""
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=one_of("state", DecisionState), name="decision_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=[str(s) for s in sorted(DECIDED)], first_error__isnull=False)
                | (~Q(state__in=[str(s) for s in sorted(DECIDED)]) & Q(first_error__isnull=True)),
                name="decision_first_error_iff_decided",
            ),
            models.CheckConstraint(
                condition=Q(cause="") | one_of("cause", Cause), name="decision_cause_known"
            ),
        ]
        indexes = [
            # overview counts by state; a random consensus for the audit
            models.Index(
                fields=["project", "state", "-priority", "solution"], name="decision_queue"
            ),
            # assignments.lease_next: the most valuable solution of a state; those that enough
            # people have labeled would otherwise be passed by again and again at its top
            models.Index(
                fields=["project", "state", "-priority", "solution"],
                condition=Q(places__gt=0),
                name="decision_open",
            ),
            # adjudication_leases.lease_next, selectors.adjudication: what waits for an adjudicator
            models.Index(
                fields=["project", "-cause", "-priority", "solution"],
                condition=Q(cause__gt="")
                | Q(gave_up__gte=GIVEN_UP, state__in=["disputed", "undecided"]),
                name="decision_to_adjudicate",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.solution_id}: {self.state}"
