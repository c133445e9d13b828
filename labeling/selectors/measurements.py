"""What a project has measured already: costs of like labelers, characters per token, speeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Sum
from django.db.models.functions import Length

from labeling.domain.costs import Range, Speed
from labeling.domain.labels import LabelerKind
from labeling.domain.phrases import Phrase
from labeling.domain.run_settings import GenerateSettings, JudgeSettings, McSettings
from labeling.domain.workloads import MEASURED_FROM, Characters, Measured
from labeling.models import Engine, Labeler, Project, Rollout, Run, Sampling, Verdict, VerdictTally
from labeling.models.runs import RunKind
from labeling.selectors.run_sums import Spent, drawn_by

NEWEST = 20
"""Labelers and runs that are looked at, the newest first."""

TEXTS = 300
LABELERS = 2
PLAUSIBLE = (1.0, 8.0)
"""Characters per token; beyond, texts and tokens do not belong together."""

SPREAD = 0.1


def like_mc(project: Project, settings: McSettings) -> Measured | None:
    """Return what the newest labelers of this mode and n took, by the same model if possible."""
    alike = _labelers(project, LabelerKind.MC, {"mode": str(settings.mode), "n": settings.n})
    return _best(alike, settings.model, settings.template)


def like_judge(project: Project, settings: JudgeSettings) -> Measured | None:
    """Return what the newest judge with the same model and template took."""
    config = {"model": settings.model, "template": settings.template}
    return _best(_labelers(project, LabelerKind.JUDGE, config), settings.model, settings.template)


def like_generation(project: Project, settings: GenerateSettings) -> Measured | None:
    """Return what sampling with the same model and template took."""
    runs = Run.objects.filter(
        project=project,
        kind=RunKind.GENERATE,
        config__model=settings.model,
        config__template=settings.template,
    )
    hashes = set(runs.order_by("-id").values_list("config_hash", flat=True)[:NEWEST])
    for drawn in drawn_by(project, hashes).values():
        if drawn.problems >= MEASURED_FROM:
            return Measured(
                what=Phrase("problems solved by {name}", name=settings.generator),
                verdicts=drawn.problems,
                completions=drawn.samples,
                exhaustive=0,
                prompt_tokens=drawn.prompt_tokens,
                completion_tokens=drawn.completion_tokens,
                same_model=True,
            )
    return None


def characters_of(project: Project, model: str) -> Characters:
    """Return how many characters of this model's texts make a token; as usual where not known."""
    labelers = Labeler.objects.filter(
        project=project, kind__in=[LabelerKind.MC, LabelerKind.JUDGE], config__model=model
    ).order_by("id")
    for labeler in labelers[:LABELERS]:
        found = _characters(labeler)
        if found is not None:
            return found
    return Characters()


def speed_of(project: Project, engine: Engine | None, kind: str) -> Speed | None:
    """Return what one worker did per second in the engine's newest runs of the kind.

    Runs of all projects count: the machine is the same. Without an engine (a PRM of the project)
    those of the project.
    """
    where: dict[str, Any] = {"engine": engine} if engine else {"engine": None, "project": project}
    newest = Run.objects.filter(kind=kind, seconds__gt=0, **where).order_by("-id")
    runs = list(newest.values_list("pk", "config_hash", "seconds")[:NEWEST])
    if not runs:
        return None
    if kind == RunKind.GENERATE:
        rows = Sampling.objects.filter(config_hash__in={row[1] for row in runs})
        found = rows.aggregate(items=Sum("drawn"), tokens=Sum("completion_tokens"))
    else:
        tallies = VerdictTally.objects.filter(run__in=[row[0] for row in runs])
        found = tallies.aggregate(items=Sum("verdicts"), tokens=Sum("completion_tokens"))
    seconds = sum(row[2] for row in runs)
    if not found["items"]:
        return None
    return Speed((found["tokens"] or 0) / seconds, found["items"] / seconds)


def _labelers(
    project: Project, kind: LabelerKind, config: dict[str, Any]
) -> list[tuple[Labeler, Spent]]:
    """Return the newest labelers whose configuration holds these values, with their sums."""
    found = Labeler.objects.filter(project=project, kind=kind, config__contains=config)
    labelers = {row.pk: row for row in found.order_by("-id")[:NEWEST]}
    sums = (
        VerdictTally.objects.filter(labeler__in=labelers)
        .values_list("labeler")
        .annotate(
            Sum("verdicts"),
            Sum("completions"),
            Sum("exhaustive_completions"),
            Sum("prompt_tokens"),
            Sum("completion_tokens"),
        )
    )
    return [(labelers[pk], Spent(*rest)) for pk, *rest in sums]


def _best(found: Sequence[tuple[Labeler, Spent]], model: str, template: str) -> Measured | None:
    """Return the measurement by the same model, else the one with the most verdicts."""
    measured = [
        Measured(
            what=Phrase("verdicts of {name}", name=labeler.name),
            verdicts=spent.items,
            completions=spent.completions,
            exhaustive=spent.exhaustive,
            prompt_tokens=spent.prompt_tokens,
            completion_tokens=spent.completion_tokens,
            same_model=labeler.config.get("model") == model
            and labeler.config.get("template") == template,
        )
        for labeler, spent in found
        if spent.items >= MEASURED_FROM
    ]
    return max(measured, key=lambda m: (m.same_model, m.verdicts), default=None)


def _characters(labeler: Labeler) -> Characters | None:
    said = Verdict.objects.filter(labeler=labeler, completion_tokens__gt=0)
    said = said.order_by("created_at")[:TEXTS]
    tokens = dict(said.values_list("solution", "completion_tokens"))
    if labeler.kind == LabelerKind.MC:
        texts = Rollout.objects.filter(labeler=labeler, solution__in=tokens)
        lengths = list(texts.annotate(size=Length("text")).values_list("size", flat=True))
    elif labeler.config.get("votes", 1) == 1:
        lengths = list(said.annotate(size=Length("critique")).values_list("size", flat=True))
    else:
        lengths = []  # of several replies one is kept
    total = sum(tokens.values())
    if len(tokens) < MEASURED_FROM or not lengths:
        return None
    each = sum(lengths) / total
    if not PLAUSIBLE[0] <= each <= PLAUSIBLE[1]:
        return None
    return Characters(Range.about(each, SPREAD), len(lengths))
