"""The engine that a run or a trial names."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from labeling.models import Engine as EngineRow
from labeling.models import JudgeTrial, Run
from labeling.models.engines import EngineKind
from workers.engines.protocol import Engine, EngineUnavailable
from workers.engines.registry import open_engine


def engine_of(run: Run | JudgeTrial) -> Engine:
    """Open the run's engine; raise EngineUnavailable where it serves another model by now."""
    return opened(engine_row(run))


def engine_row(run: Run | JudgeTrial) -> EngineRow:
    """Return the run's engine; raise EngineUnavailable where it serves another model by now."""
    row = run.engine
    if row is None:
        raise EngineUnavailable("the run names no engine", retry=False)
    if row.model != run.config["model"]:
        raise EngineUnavailable(
            f"the engine {row.name} serves {row.model} by now, and this run needs "
            f"{run.config['model']}: start a new run, or give the engine its model back",
            retry=False,
        )
    return row


def opened(row: EngineRow) -> Engine:
    """Open an engine of the table."""
    return open_engine(row.kind, model_of(row), row.options)


def model_of(row: EngineRow) -> str:
    """Return the model as its engine wants it: a folder inside the project is named relative."""
    local = Path(settings.BASE_DIR) / row.model
    return str(local) if row.kind != EngineKind.OPENAI and local.is_dir() else row.model
