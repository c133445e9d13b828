"""What serves a trained reward model, read from the files that its training wrote."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404

from labeling.models import PRM, Project
from labeling.selectors.pages import PrmRow, prm_row
from trainer import serving

SERVER = "http://127.0.0.1:8000"
EXAMPLE = 3
"""Steps of the solution that the page shows a request for."""


@dataclass(frozen=True, slots=True)
class Serving:
    """A model directory as vLLM serves it; `context` is in tokens."""

    directory: Path
    layout: str
    step_token: str
    step_id: int
    context: int | None

    @property
    def command(self) -> str:
        """Return the command that serves it."""
        return serving.command(str(self.directory), serving.pooling_flags(self.step_id))

    @property
    def check(self) -> str:
        """Return the command that scores a file by that server, one row per step or an error."""
        return (
            f"trainer score --model {shlex.quote(str(self.directory))} --server {SERVER} "
            "--data solutions.jsonl --out scores.jsonl"
        )

    @property
    def request(self) -> str:
        """Return a request about one solution; the tokens between the steps are left out."""
        body = {"model": str(self.directory), "input": ["TOKENS"], "use_activation": True}
        tokens = "[" + "".join(f"…, {self.step_id}, " for _ in range(EXAMPLE)).rstrip(", ") + "]"
        text = json.dumps(body, indent=2).replace('"TOKENS"', tokens)
        return f"POST {SERVER}/pooling\nContent-Type: application/json\n\n{text}"

    @property
    def answer(self) -> str:
        """Return the answer to it: a row (wrong, right) per step."""
        rows = "[[0.02, 0.98], [0.11, 0.89], [0.93, 0.07]]"
        return f'{{"data": [{{"index": 0, "data": {rows}}}], …}}'


def prm_for(project: Project, uid: str) -> PrmRow:
    """Return a model of the project or raise Http404."""
    query = PRM.objects.filter(project=project, uid=uid)
    found = query.select_related("training_run__snapshot", "project").first()
    if found is None:
        raise Http404("no such model")
    return prm_row(found)


def serving_of(prm: PRM) -> Serving | None:
    """Return how a model is served; None where its files are not on this machine, or not whole."""
    directory = Path(settings.VAR_DIR) / "prms" / prm.folder / "model"
    config, encoder = _read(directory / "config.json"), _read(directory / "prm_encoder.json")
    try:
        return Serving(
            directory=directory,
            layout=str(config["architectures"][0]),
            step_token=str(encoder["step_token"]),
            step_id=int(config["step_token_id"]),
            context=encoder.get("max_length"),
        )
    except (KeyError, IndexError, TypeError, ValueError):
        return None


def _read(path: Path) -> dict[str, Any]:
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return row if isinstance(row, dict) else {}
