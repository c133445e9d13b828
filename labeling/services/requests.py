"""Ask for runs: check that they can be carried out, register their labelers, start them.

The pages, the API and the main job all ask here.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from labeling.domain.labels import LabelerKind
from labeling.domain.phrases import marked
from labeling.domain.refusals import Refusal
from labeling.domain.run_settings import (
    GenerateSettings,
    JudgeSettings,
    McSettings,
    RunSettings,
    ScoreSettings,
)
from labeling.domain.setting_checks import BadSetting
from labeling.models import PRM, Engine, JudgePrompt, Labeler, Problem, Project, Run, Solution, User
from labeling.models.engines import EngineKind
from labeling.models.runs import RunKind
from labeling.selectors.run_choices import with_weights
from labeling.services import labelers, runs

_LABELER_KINDS = {
    RunKind.MC: LabelerKind.MC,
    RunKind.JUDGE: LabelerKind.JUDGE,
    RunKind.SCORE: LabelerKind.PRM,
}


class NothingToDo(Refusal):
    """The project holds nothing that the run could work on."""

    code = "nothing_to_do"


@transaction.atomic
def request(*, by: User, project: Project, engine: Engine | None, settings: RunSettings) -> Run:
    """Start a run with these settings, or return the one alive with the same configuration.

    Raise BadSetting for an engine, judge or PRM that does not fit, NothingToDo where the project
    has nothing to work on.
    """
    settings = with_weights(engine, settings)
    _check_engine(engine, settings)
    _check_project(project, settings)
    kind, config = RunKind(settings.kind), settings.config()
    labeler = None
    if kind in _LABELER_KINDS:
        labeler = labelers.register(
            by=by,
            project=project,
            kind=_LABELER_KINDS[kind],
            name=_name(project, settings)[:120],
            config=config,
        )
    return runs.start(
        by=by, project=project, kind=kind, config=config, labeler=labeler, engine=engine
    )


@transaction.atomic
def request_each(
    *, by: User, project: Project, asked: Iterable[tuple[Engine | None, RunSettings]]
) -> list[Run]:
    """Start a run for each pair, or none: one that is refused refuses all."""
    return [request(by=by, project=project, engine=e, settings=s) for e, s in asked]


def _check_engine(engine: Engine | None, settings: RunSettings) -> None:
    if isinstance(settings, ScoreSettings) and settings.prm:
        if engine is not None:
            raise BadSetting("engine", "a PRM of the project is scored by the workers themselves")
        return
    if engine is None:
        raise BadSetting("engine", "is missing")
    if not engine.active:
        raise BadSetting("engine", "{name} is switched off", name=engine.name)
    scores = isinstance(settings, ScoreSettings)
    if (engine.kind == EngineKind.POOLING) != scores:
        words = marked("{name} writes texts: it cannot score solutions")
        if engine.kind == EngineKind.POOLING:
            words = marked("{name} scores steps: it cannot write texts")
        raise BadSetting("engine", words, name=engine.name)
    if engine.model != settings.model:
        raise BadSetting(
            "model", "the engine {name} serves {model}", name=engine.name, model=engine.model
        )


def _check_project(project: Project, settings: RunSettings) -> None:
    if isinstance(settings, GenerateSettings):
        if not Problem.objects.filter(project=project).exists():
            raise NothingToDo("The project has no problems yet: import some first.")
        return
    solutions = Solution.objects.filter(project=project)
    if not solutions.exists():
        raise NothingToDo("The project has no solutions yet: import or generate some first.")
    if isinstance(settings, McSettings):
        if not solutions.exclude(problem__answer="").exists():
            raise NothingToDo(
                "No problem with solutions has a reference answer, and without one no completion "
                "can be called right or wrong."
            )
        _check_judge(project, settings)
    if isinstance(settings, JudgeSettings) and settings.text:
        _check_wording(project, settings)
    if isinstance(settings, ScoreSettings) and settings.prm:
        _trained(project, settings.prm)


def _check_judge(project: Project, settings: McSettings) -> None:
    known = Labeler.objects.filter(project=project, kind=LabelerKind.JUDGE, uid=settings.judge)
    if settings.judge and not known.exists():
        raise BadSetting("judge", "the project has no judge {judge!r}", judge=settings.judge)


def _check_wording(project: Project, settings: JudgeSettings) -> None:
    name, _, version = settings.template.rpartition("-v")
    stored = JudgePrompt.objects.filter(
        project=project, name=name, version=int(version), text=settings.text, reply=settings.reply
    )
    if not stored.exists():
        raise BadSetting(
            "text", "is not the project's wording {template}", template=settings.template
        )


def _trained(project: Project, uid: str) -> PRM:
    found = PRM.objects.filter(project=project, uid=uid).select_related("training_run").first()
    if found is None:
        raise BadSetting("prm", "the project has no PRM {uid!r}", uid=uid)
    return found


def _name(project: Project, settings: RunSettings) -> str:
    if isinstance(settings, ScoreSettings) and settings.prm:
        return f"PRM {_trained(project, settings.prm).training_run.name}"
    return settings.name
