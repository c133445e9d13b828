"""Run the main job: its stages in order, each named, timed, and allowed to fail alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from labeling.domain.refusals import Refusal
from workers.pipeline import rewarding, stages
from workers.pipeline.context import Context, StageFailed
from workers.pipeline.setup import models_for


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: what it is called and what it does."""

    title: str
    run: Callable[[Context], None]


SAMPLE_WORLD = (
    Stage("Import the sample problems", stages.import_data),
    Stage("A policy model writes solutions", stages.generate),
    Stage("Note the sample world's known truth", stages.know_the_truth),
    Stage("MC estimation and the LLM judge label every solution", stages.label),
    Stage("Consensus, or a dispute for the annotators", stages.settle),
    Stage("Freeze a snapshot", rewarding.freeze),
    Stage("Train PRMs on each label source and evaluate them", rewarding.compare_label_sources),
    Stage("The champion scores every solution", rewarding.score),
)


def _connect(context: Context) -> None:
    context.models = models_for(context.options, context.project)


def _engine_stage(run: Callable[[Context], None]) -> Callable[[Context], None]:
    def guarded(context: Context) -> None:
        if context.models.kind is None:
            raise StageFailed("left out: there is no engine")
        run(context)

    return guarded


USER_DATA = (
    Stage("Import", stages.import_data),
    Stage("Find an engine for this data", _connect),
    Stage("A policy model writes solutions", _engine_stage(stages.generate)),
    Stage("MC estimation and the LLM judge label", _engine_stage(stages.label)),
    Stage("Decisions", stages.settle),
    Stage("Freeze a snapshot", rewarding.freeze),
    Stage("Train a PRM on the decisions and evaluate it", rewarding.train_on_decisions),
    Stage("The champion scores every solution", rewarding.score),
)


def run(context: Context) -> bool:
    """Run every stage; say plainly which failed and why; return whether all held."""
    chosen = SAMPLE_WORLD if context.options.data is None else USER_DATA
    if context.options.data is None:
        _connect(context)
    for number, stage in enumerate(chosen, start=1):
        context.terminal.title(f"{number}/{len(chosen)}  {stage.title}")
        started = time.monotonic()
        try:
            stage.run(context)
        except (StageFailed, Refusal) as error:
            context.notes.append(f"{stage.title}: {error}")
            context.terminal.warn(str(error))
            continue
        context.terminal.say(f"  done in {time.monotonic() - started:.1f} s")
    return not context.notes
