"""The project's gold items with their keys, and what people answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, F, OuterRef, QuerySet
from django.db.models.functions import Left
from django.http import Http404

from labeling.domain.assignments import GoldUse, Purpose
from labeling.domain.labels import LabelerKind
from labeling.domain.quality import is_doubtful
from labeling.domain.statistics.intervals import Proportion
from labeling.models import GoldItem, Labeler, Project, Solution, Verdict
from labeling.selectors.gold import key

STATEMENT_SHOWN = 160
SOURCES = (LabelerKind.HUMAN, LabelerKind.ADJUDICATOR, LabelerKind.GOLD)
"""Kinds of labelers whose verdicts may become keys."""


@dataclass(frozen=True, slots=True)
class Gold:
    """One gold item. `answers`: people by first error, None for those who reported it.

    `bare`: no machine has labeled it, so the evidence after submitting gives it away.
    """

    uid: str
    statement: str
    use: GoldUse
    active: bool
    explanation: str
    key: int | None
    bare: bool
    added_at: datetime
    added_by: str
    answers: Mapping[int | None, int]

    @property
    def right(self) -> Proportion:
        """People who gave the key's first error, of those who answered."""
        right = self.answers.get(self.key, 0) if self.key is not None else 0
        return Proportion(right, sum(self.answers.values()))

    @property
    def ranked(self) -> list[tuple[int | None, int]]:
        """The answers, the most frequent first."""
        return sorted(self.answers.items(), key=lambda said: (-said[1], said[0] is None, said))

    @property
    def doubtful(self) -> bool:
        """Whether most people disagree with the key."""
        return is_doubtful(self.answers, self.key)

    def shows_under(self, name: str) -> bool:
        """Say whether a list shows the item: "exam", "hidden", "retired", "doubtful" or all."""
        if name == "doubtful":
            return self.doubtful
        if name == "retired":
            return not self.active
        return not name or (self.active and self.use == name)


@dataclass(frozen=True, slots=True)
class Stock:
    """How many active items with a key serve where; `doubtful` ones want a second look."""

    exam: int
    hidden: int
    retired: int
    doubtful: int
    with_error: int
    without_error: int


@dataclass(frozen=True, slots=True)
class Source:
    """A labeler whose verdicts may become keys."""

    uid: str
    name: str
    kind: LabelerKind


def gold_items(project: Project) -> list[Gold]:
    """Return all gold items: doubtful keys first, then the newest."""
    return _golds(project, GoldItem.objects.filter(project=project))


def gold_of(solution: Solution) -> Gold | None:
    """Return the gold item of a solution, None where it is none."""
    found = _golds(solution.project, GoldItem.objects.filter(solution=solution))
    return found[0] if found else None


def stock(found: list[Gold]) -> Stock:
    """Count the items of a whole list."""
    serving = [gold for gold in found if gold.active and gold.key is not None]
    return Stock(
        exam=sum(gold.use is GoldUse.EXAM for gold in serving),
        hidden=sum(gold.use is GoldUse.HIDDEN for gold in serving),
        retired=sum(not gold.active for gold in found),
        doubtful=sum(gold.doubtful for gold in found),
        with_error=sum((gold.key or 0) >= 0 for gold in serving),
        without_error=sum((gold.key or 0) < 0 for gold in serving),
    )


def item_for(project: Project, solution: str) -> GoldItem:
    """Return the gold item of a solution's uid or raise Http404."""
    found = (
        GoldItem.objects.filter(project=project, solution__uid=solution)
        .select_related("solution", "project")
        .first()
    )
    if found is None:
        raise Http404("no such gold item")
    return found


def sources(project: Project) -> list[Source]:
    """Return the labelers whose verdicts may become keys."""
    rows = Labeler.objects.filter(project=project, kind__in=SOURCES).order_by("kind", "name")
    return [Source(row.uid, row.name, LabelerKind(row.kind)) for row in rows]


def source_for(project: Project, uid: str) -> Labeler | None:
    """Return the labeler of `sources` with this uid."""
    return Labeler.objects.filter(project=project, kind__in=SOURCES, uid=uid).first()


def _golds(project: Project, rows: QuerySet[GoldItem]) -> list[Gold]:
    machine = Verdict.objects.filter(
        solution=OuterRef("solution"), labeler__kind__in=[LabelerKind.MC, LabelerKind.JUDGE]
    )
    columns = rows.annotate(
        statement=Left("solution__problem__statement", STATEMENT_SHOWN),
        wanted=key("solution"),
        bare=~Exists(machine),
    ).select_related("solution", "added_by")
    answered = _answers(project)
    found = [
        Gold(
            uid=row.solution.uid,
            statement=row.statement,
            use=GoldUse(row.use),
            active=row.active,
            explanation=row.explanation,
            key=row.wanted,
            bare=row.bare,
            added_at=row.added_at,
            added_by=row.added_by.username,
            answers=answered.get(row.pk, {}),
        )
        for row in columns.order_by("-added_at", "-solution_id")
    ]
    return sorted(found, key=lambda gold: not gold.doubtful)


def _answers(project: Project) -> dict[int, dict[int | None, int]]:
    """Return by solution id how many people gave which first error without having seen more."""
    rows = Verdict.objects.filter(
        labeler__project=project,
        labeler__kind=LabelerKind.HUMAN,
        solution__assignments__user=F("labeler__user"),
        solution__assignments__purpose__in=[Purpose.GOLD, Purpose.EXAM],
        solution__assignments__submitted_at__isnull=False,
        informed=False,
    )
    found: defaultdict[int, dict[int | None, int]] = defaultdict(dict)
    for solution, said, n in rows.values_list("solution_id", "first_error").annotate(n=Count("pk")):
        found[solution][said] = n
    return dict(found)
