"""What every stage of the main job works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from labeling.models import Labeler, Project, User
from workers.pipeline.options import Models, Options
from workers.pipeline.progress import Terminal


class StageFailed(Exception):
    """A stage that cannot be done; its text says why and what to set. The others go on."""


@dataclass(slots=True)
class Context:
    """The project, who asks, with which options and models, and where progress is shown.

    `on_wait` is called whenever a stage waits for workers.
    """

    project: Project
    by: User
    options: Options
    models: Models
    terminal: Terminal
    on_wait: Callable[[], None]
    labelers: dict[str, Labeler] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
