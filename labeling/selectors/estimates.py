"""What runs would cost, before they are started: the project's counts, lengths and measurements."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from django.db.models import Sum

from labeling.domain import mc_workload, workloads
from labeling.domain.costs import Estimate, Prices, Workload, estimate
from labeling.domain.hashing import config_hash
from labeling.domain.run_settings import (
    GenerateSettings,
    JudgeSettings,
    McSettings,
    RunSettings,
)
from labeling.domain.workloads import Characters, Sample, Shape
from labeling.models import Engine, Problem, Project, Solution, VerdictTally
from labeling.selectors import measurements
from labeling.selectors.run_choices import with_weights
from labeling.selectors.run_rows import prices_of
from labeling.selectors.run_sums import counted, samplings, unsolved

SAMPLED = 300
"""Solutions, or problems, whose lengths stand for all. They are taken by content hash: at random,
and the same ones every time."""


def estimate_of(project: Project, engine: Engine | None, settings: RunSettings) -> Estimate:
    """Return the estimate for a run with these settings, in a constant number of queries."""
    return estimates_of(project, [(engine, settings)])[0]


def estimates_of(
    project: Project, asked: Sequence[tuple[Engine | None, RunSettings]]
) -> list[Estimate]:
    """Return the estimate of each run that is asked for; what they share is read once."""
    known = _Known(project)
    found = []
    for engine, settings in asked:
        settings = with_weights(engine, settings)
        prices = prices_of(engine) if engine else Prices()
        speed = measurements.speed_of(project, engine, settings.kind)
        found.append(estimate(_workload(known, settings), prices, speed))
    return found


class _Known:
    """Lengths of the project's texts, read when asked for and then kept."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.shapes = cache(self._shapes)
        self.statements = cache(self._statements)
        self.characters = cache(self._characters)

    def _shapes(self, answered: bool = False) -> list[Shape]:
        """Return the lengths of some solutions.

        Where they must be `answered`, a solution whose problem has no reference answer counts as
        one step: nothing is drawn for it.
        """
        rows = Solution.objects.filter(project=self.project).order_by("content_hash")
        found = rows.values_list("problem__statement", "problem__answer", "steps")[:SAMPLED]
        return [
            Shape(
                len(statement),
                tuple(map(len, steps)) if answer or not answered else (sum(map(len, steps)),),
            )
            for statement, answer, steps in found
        ]

    def _statements(self) -> list[Shape]:
        rows = Problem.objects.filter(project=self.project).order_by("content_hash")
        return [Shape(len(text)) for text in rows.values_list("statement", flat=True)[:SAMPLED]]

    def _characters(self, model: str) -> Characters:
        return measurements.characters_of(self.project, model)


def _workload(known: _Known, settings: RunSettings) -> Workload:
    project, characters = known.project, known.characters(settings.model)
    if isinstance(settings, GenerateSettings):
        sample = Sample(_problems_left(project, settings), known.statements())
        written = [shape.text for shape in known.shapes()]
        measured = measurements.like_generation(project, settings)
        return workloads.generate(sample, settings, written, measured, characters)
    if isinstance(settings, McSettings):
        sample = Sample(_solutions_left(project, settings), known.shapes(answered=True))
        measured = measurements.like_mc(project, settings)
        return mc_workload.mc(sample, settings, measured, characters)
    sample = Sample(_solutions_left(project, settings), known.shapes())
    if isinstance(settings, JudgeSettings):
        measured = measurements.like_judge(project, settings)
        return workloads.judge(sample, settings, measured, characters)
    return workloads.score(sample, characters)


def _solutions_left(project: Project, settings: RunSettings) -> int:
    """Return the solutions without a verdict by the labeler that these settings make."""
    said = VerdictTally.objects.filter(
        labeler__project=project, labeler__config_hash=config_hash(settings.config())
    ).aggregate(n=Sum("verdicts"))
    return counted(project)[1] - (said["n"] or 0)


def _problems_left(project: Project, settings: GenerateSettings) -> int:
    one = config_hash(settings.config())
    if settings.unsolved_only:
        return unsolved(project, [one])[one]
    return counted(project)[0] - samplings(project, [one]).count()
