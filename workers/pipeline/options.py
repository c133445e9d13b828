"""What the main job is asked to do, and which models do it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.text import slugify

from labeling.models.engines import EngineKind

CHECKPOINT = Path("demo/checkpoint")
"""The sample world's model, relative to the project's folder."""


@dataclass(frozen=True, slots=True)
class Options:
    """The main job's settings; the defaults run the sample world within minutes on two cores.

    `data`: the user's own problems or solutions instead of the sample world. `engine_url`: an
    OpenAI-compatible server for them; `template`, `judge_template` and `max_tokens` (of one
    completion) replace what is usual for such a server. `backbone`: a model directory to train the
    PRM from.
    """

    data: Path | None = None
    engine_url: str = ""
    engine_model: str = ""
    template: str = ""
    judge_template: str = ""
    max_tokens: int = 0
    backbone: Path | None = None
    problems: int = 900
    samples: int = 2
    seeds: int = 3
    iterations: int = 100
    learning_rate: float = 1e-3
    seed: int = 1

    @property
    def project_name(self) -> str:
        """Name of the project that the job works in: one per data file."""
        return self.data.stem if self.data else "Sample: arithmetic modulo 10"


@dataclass(frozen=True, slots=True)
class Models:
    """The engine and the prompts that suit it; no kind = nothing can be generated or labeled.

    `engine` is its name in the table of engines. `weights` tells apart two local models of one
    name.
    """

    engine: str = ""
    kind: EngineKind | None = None
    model: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    weights: str = ""
    template: str = "boxed-chat-v1"
    judge_template: str = "paper-v1"
    max_tokens: int = 2048
    judge_max_tokens: int = 4096
    temperature: float = 1.0


def sample_models() -> Models:
    """Return the committed tiny checkpoint as policy, completer and judge."""
    weights = Path(settings.BASE_DIR) / CHECKPOINT / "model.safetensors"
    return Models(
        engine="demo",
        kind=EngineKind.TRANSFORMERS,
        model=str(CHECKPOINT),
        weights=hashlib.sha256(weights.read_bytes()).hexdigest()[:16],
        template="plain-v1",
        judge_template="check-v1",
        max_tokens=72,
        judge_max_tokens=48,
    )


def served_models(options: Options, model: str) -> Models:
    """Return the model of this name behind the OpenAI-compatible server of the options."""
    usual = Models(
        engine=slugify(urlsplit(options.engine_url).netloc.replace(":", "-").replace(".", "-")),
        kind=EngineKind.OPENAI,
        model=model,
        options={"url": options.engine_url},
    )
    return replace(
        usual,
        template=options.template or usual.template,
        judge_template=options.judge_template or usual.judge_template,
        max_tokens=options.max_tokens or usual.max_tokens,
        judge_max_tokens=options.max_tokens or usual.judge_max_tokens,
    )
