"""What a run would cost, before it is started: the project's counts, lengths and measurements."""

from __future__ import annotations

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
from labeling.domain.workloads import Sample, Shape
from labeling.models import Engine, Problem, Project, Sampling, Solution, VerdictTally
from labeling.selectors import measurements
from labeling.selectors.run_choices import with_weights
from labeling.selectors.run_rows import prices_of
from labeling.selectors.run_sums import unsolved

SAMPLED = 300
"""Solutions, or problems, whose lengths stand for all. They are taken by content hash: at random,
and the same ones every time."""


def estimate_of(project: Project, engine: Engine | None, settings: RunSettings) -> Estimate:
    """Return the estimate for a run with these settings, in a constant number of queries."""
    settings = with_weights(engine, settings)
    work = _workload(project, settings)
    prices = prices_of(engine) if engine else Prices()
    return estimate(work, prices, measurements.speed_of(project, engine, settings.kind))


def _workload(project: Project, settings: RunSettings) -> Workload:
    model = settings.model
    if isinstance(settings, GenerateSettings):
        return workloads.generate(
            _problems(project, settings),
            settings,
            [shape.text for shape in _shapes(project)],
            measurements.like_generation(project, settings),
            measurements.characters_of(project, model),
        )
    if isinstance(settings, McSettings):
        sample = Sample(_pending(project, settings), _shapes(project, answered=True))
        measured = measurements.like_mc(project, settings)
        return mc_workload.mc(
            sample, settings, measured, measurements.characters_of(project, model)
        )
    sample = Sample(_pending(project, settings), _shapes(project))
    characters = measurements.characters_of(project, model)
    if isinstance(settings, JudgeSettings):
        measured = measurements.like_judge(project, settings)
        return workloads.judge(sample, settings, measured, characters)
    return workloads.score(sample, characters)


def _pending(project: Project, settings: RunSettings) -> int:
    """Return the solutions without a verdict by the labeler that these settings make."""
    said = VerdictTally.objects.filter(
        labeler__project=project, labeler__config_hash=config_hash(settings.config())
    ).aggregate(n=Sum("verdicts"))
    return Solution.objects.filter(project=project).count() - (said["n"] or 0)


def _shapes(project: Project, answered: bool = False) -> list[Shape]:
    """Return the lengths of some solutions.

    Where they must be `answered`, a solution whose problem has no reference answer counts as one
    step: nothing is drawn for it.
    """
    rows = Solution.objects.filter(project=project).order_by("content_hash")
    found = rows.values_list("problem__statement", "problem__answer", "steps")[:SAMPLED]
    return [
        Shape(
            len(statement),
            tuple(map(len, steps)) if answer or not answered else (sum(map(len, steps)),),
        )
        for statement, answer, steps in found
    ]


def _problems(project: Project, settings: GenerateSettings) -> Sample:
    problems = Problem.objects.filter(project=project)
    one = config_hash(settings.config())
    if settings.unsolved_only:
        waiting = unsolved(project, [one])[one]
    else:
        sampled = Sampling.objects.filter(problem__project=project, config_hash=one).count()
        waiting = problems.count() - sampled
    statements = problems.order_by("content_hash").values_list("statement", flat=True)[:SAMPLED]
    return Sample(waiting, [Shape(len(statement)) for statement in statements])
