"""Sums over what runs have stored: verdicts by their tallies, drawn samples, the last minutes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, QuerySet, Sum

from labeling.domain.labels import VerdictState
from labeling.models import (
    Problem,
    Project,
    ProjectTally,
    Run,
    Sampling,
    Solution,
    Verdict,
    VerdictTally,
)
from labeling.models.runs import RunKind

SETTLED = (VerdictState.SCORED, VerdictState.REFUTED)
"""States of verdicts whose completions can be held against the exhaustive method's."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What verdicts took; `items` are those that are there now."""

    items: int = 0
    completions: int = 0
    exhaustive: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.items + other.items,
            self.completions + other.completions,
            self.exhaustive + other.exhaustive,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
        )


@dataclass(slots=True)
class Said:
    """What a labeler has said: verdicts by state, and what the settled ones took."""

    states: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    settled: Spent = field(default_factory=Spent)

    @property
    def verdicts(self) -> int:
        """All verdicts, whatever their state."""
        return sum(self.states.values())


@dataclass(frozen=True, slots=True)
class Drawn:
    """What generation with one configuration has drawn."""

    problems: int = 0
    samples: int = 0
    kept: int = 0
    duplicates: int = 0
    unusable: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Lately:
    """What came within some time."""

    items: int = 0
    completions: int = 0
    completion_tokens: int = 0


def tallied(labelers: Collection[int]) -> tuple[dict[int, Said], dict[int | None, Spent]]:
    """Return what these labelers have said, and what each of their runs has paid for."""
    said: defaultdict[int, Said] = defaultdict(Said)
    paid: defaultdict[int | None, Spent] = defaultdict(Spent)
    rows = VerdictTally.objects.filter(labeler__in=labelers).values_list("labeler", "run", "state")
    for labeler, run, state, *sums in rows.annotate(
        Sum("verdicts"),
        Sum("completions"),
        Sum("exhaustive_completions"),
        Sum("prompt_tokens"),
        Sum("completion_tokens"),
    ):
        spent = Spent(*sums)
        paid[run] += spent
        said[labeler].states[state] += spent.items
        if state in SETTLED:
            said[labeler].settled += spent
    return dict(said), dict(paid)


def counted(project: Project) -> tuple[int, int]:
    """Return how many problems and solutions the project has."""
    rows = ProjectTally.objects.filter(project=project)
    found = rows.aggregate(problems=Sum("problems"), solutions=Sum("solutions"))
    return found["problems"] or 0, found["solutions"] or 0


def drawn_by(project: Project, hashes: Collection[str]) -> dict[str, Drawn]:
    """Return what generation has drawn with these configurations."""
    if not hashes:
        return {}
    return {
        one: Drawn(*sums)
        for one, *sums in samplings(project, hashes)
        .values_list("config_hash")
        .annotate(
            Count("pk"),
            Sum("drawn"),
            Sum("kept"),
            Sum("duplicates"),
            Sum("unusable"),
            Sum("prompt_tokens"),
            Sum("completion_tokens"),
        )
    }


def samplings(project: Project, hashes: Collection[str]) -> QuerySet[Sampling]:
    """Return the project's samplings with these configurations.

    They are joined with their problems only where another project uses one of the configurations:
    the join takes several times as long as the sum.
    """
    rows = Sampling.objects.filter(config_hash__in=hashes)
    others = Run.objects.filter(kind=RunKind.GENERATE, config_hash__in=hashes)
    shared = others.exclude(project=project).exists()
    return rows.filter(problem__project=project) if shared else rows


def unsolved(project: Project, hashes: Iterable[str]) -> dict[str, int]:
    """Return, by configuration, the problems without a solution that it has not sampled."""
    wanted = sorted(set(hashes))
    if not wanted:
        return {}
    bare = Problem.objects.filter(
        ~Exists(Solution.objects.filter(problem=OuterRef("pk"))), project=project
    )
    counts = {
        f"n{place}": Count(
            "pk", filter=~Exists(Sampling.objects.filter(problem=OuterRef("pk"), config_hash=one))
        )
        for place, one in enumerate(wanted)
    }
    found = bare.aggregate(**counts)
    return {one: found[f"n{place}"] for place, one in enumerate(wanted)}


def verdicts_since(labelers: Collection[int], since: datetime) -> dict[int, Lately]:
    """Return, by labeler, what was said since."""
    if not labelers:
        return {}
    rows = Verdict.objects.filter(labeler__in=labelers, created_at__gt=since)
    sums = (Count("pk"), Sum("completions"), Sum("completion_tokens"))
    return {key: Lately(*found) for key, *found in rows.values_list("labeler").annotate(*sums)}


def draws_since(project: Project, hashes: Collection[str], since: datetime) -> dict[str, Lately]:
    """Return, by configuration, what generation has drawn since."""
    if not hashes:
        return {}
    rows = samplings(project, hashes).filter(created_at__gt=since)
    sums = (Count("pk"), Sum("drawn"), Sum("completion_tokens"))
    return {key: Lately(*found) for key, *found in rows.values_list("config_hash").annotate(*sums)}
