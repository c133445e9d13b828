"""The counts behind the dashboards, what was counted, and what waits to be counted anew."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from labeling.domain.boards import Board
from labeling.models.fields import choices, one_of


class Stale(models.Model):
    """Solutions whose counts may be out of date: triggers add rows with every statement that
    changes some (migration rollups), services.rollups.fold takes them away. A solution may stand
    here twice.
    """

    solutions = ArrayField(models.BigIntegerField())

    def __str__(self) -> str:
        return f"{len(self.solutions)} solutions"


class Counted(models.Model):
    """What the boards hold of one solution: labeling.domain.boards.Facts, as last counted.

    No foreign key to the solution: what a deleted one added must be known to be taken back.
    """

    solution = models.BigIntegerField(primary_key=True)
    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="counted")
    facts = models.JSONField()

    def __str__(self) -> str:
        return f"solution {self.solution}"


class BoardCount(models.Model):
    """One count of one board: the sum of labeling.domain.boards.contributions over `Counted`."""

    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="board_counts")
    board = models.CharField(max_length=12, choices=choices(Board))
    key = ArrayField(models.TextField())
    n = models.BigIntegerField()

    class Meta:
        constraints = [
            # also finds a project's board
            models.UniqueConstraint(
                fields=["project", "board", "key"], name="board_count_one_per_key"
            ),
            models.CheckConstraint(condition=Q(n__gte=0), name="board_count_not_negative"),
            models.CheckConstraint(condition=one_of("board", Board), name="board_count_known"),
        ]

    def __str__(self) -> str:
        return f"{self.board} {self.key}: {self.n}"
