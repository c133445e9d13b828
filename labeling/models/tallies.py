"""Counts and sums that pages need at once, however many rows there are; triggers keep them."""

from __future__ import annotations

from django.db import models

from labeling.domain.labels import VerdictState
from labeling.models.fields import choices, one_of


class ProjectTally(models.Model):
    """How many problems and solutions a project has: the sum of its rows, one per slot of writers.

    To count the solutions themselves takes long just while they are labeled, since every labeler
    locks them.
    """

    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="tallies")
    slot = models.PositiveSmallIntegerField()
    problems = models.BigIntegerField(default=0)
    solutions = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "slot"], name="project_tally_one_per_slot"),
        ]

    def __str__(self) -> str:
        return f"{self.problems} problems, {self.solutions} solutions of {self.project_id}"


class VerdictTally(models.Model):
    """Sums over the verdicts of one machine labeler in one state, kept by triggers on the verdicts
    (migration 0004), so that they are exact whoever writes.

    A labeler's sum is that of all its rows: writers are spread over `slot`s, so that they do not
    wait for each other. `verdicts` counts those that are there now; the other sums are what was
    spent, and stay when an unscored verdict is deleted to be asked for again. `run`: the labeler's
    newest run when the verdict came, which paid for it.
    """

    labeler = models.ForeignKey("labeling.Labeler", models.CASCADE, related_name="tallies")
    run = models.ForeignKey("labeling.Run", models.CASCADE, related_name="tallies", null=True)
    state = models.CharField(max_length=10, choices=choices(VerdictState))
    slot = models.PositiveSmallIntegerField()
    verdicts = models.BigIntegerField(default=0)
    completions = models.BigIntegerField(default=0)
    exhaustive_completions = models.BigIntegerField(default=0)
    prompt_tokens = models.BigIntegerField(default=0)
    completion_tokens = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            # the triggers' upserts, and the sums by labeler
            models.UniqueConstraint(
                fields=["labeler", "run", "state", "slot"],
                nulls_distinct=False,
                name="verdict_tally_one_per_slot",
            ),
            models.CheckConstraint(
                condition=one_of("state", VerdictState), name="verdict_tally_state_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verdicts} {self.state} of {self.labeler_id}"


class DayTally(models.Model):
    """What a run spent on a day (UTC), kept by triggers on verdicts, samplings and runs
    (migration 0017): the rows behind the page of costs, however many verdicts there are.

    `items`: verdicts or sampled problems that came; nothing is taken away when one is deleted,
    since it stays paid. `labeler` is empty for generation, `run` for what no run paid. `seconds`
    are of workers. Writers are spread over `slot`s as in VerdictTally; the seconds stand in a slot
    of their own, which only who holds the run's row writes.
    """

    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="day_tallies")
    labeler = models.ForeignKey(
        "labeling.Labeler", models.CASCADE, related_name="day_tallies", null=True
    )
    run = models.ForeignKey("labeling.Run", models.CASCADE, related_name="day_tallies", null=True)
    day = models.DateField()
    slot = models.PositiveSmallIntegerField()
    items = models.BigIntegerField(default=0)
    completions = models.BigIntegerField(default=0)
    prompt_tokens = models.BigIntegerField(default=0)
    completion_tokens = models.BigIntegerField(default=0)
    seconds = models.FloatField(default=0)

    class Meta:
        constraints = [
            # the triggers' upserts, and a project's costs
            models.UniqueConstraint(
                fields=["project", "labeler", "run", "day", "slot"],
                nulls_distinct=False,
                name="day_tally_one_per_slot",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.items} items of run {self.run_id} on {self.day}"
