"""Words that pages show as they stand in the rows: states, kinds, roles, reasons."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from labeling.domain.consensus import DecisionState
from labeling.domain.judging import ReplyForm
from labeling.domain.labels import LabelerKind, VerdictState
from labeling.domain.roles import Action, Role
from labeling.domain.statistics.diagnostics import ErrorKind
from labeling.domain.statistics.undefined import Undefined
from labeling.models.imports import ImportState
from labeling.models.judging import TrialState
from labeling.models.rewards import TrainingState
from labeling.models.runs import RunKind, RunState
from labeling.models.webhooks import DeliveryState

_SHOWN: tuple[type[StrEnum], ...] = (
    Action,
    DecisionState,
    DeliveryState,
    ErrorKind,
    ImportState,
    LabelerKind,
    ReplyForm,
    Role,
    RunKind,
    RunState,
    TrainingState,
    TrialState,
    Undefined,
    VerdictState,
)
_SPLITS = ("train", "test")
_RUN_EVENTS = (
    "run started",
    "run moved",
    "run paused",
    "run resumed",
    "run cancelled",
    "run failed",
    "run done",
    "unscored retried",
    "solutions drawn",
    "training retried",
)
"""What a run's history tells of (labeling.services.runs)."""


def shown() -> Iterator[tuple[str, str]]:
    """Return each word with the file that it comes from."""
    for enumeration in _SHOWN:
        path = enumeration.__module__.replace(".", "/") + ".py"
        yield from ((path, str(member)) for member in enumeration)
    yield from (("labeling/models/problems.py", word) for word in _SPLITS)
    yield from (("labeling/services/runs.py", word) for word in _RUN_EVENTS)
