"""A process reward model behind vLLM's /pooling: token ids go out, one row per step comes back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from trainer.encoding import Encoded
from trainer.formats import StepEncoder
from trainer.http import Endpoint, HttpError
from trainer.pooling_rows import read_answer
from trainer.scorers import Scored, ScoringError, Unscored

BATCH = 32
"""Solutions in one request, at most."""
BATCH_TOKENS = 32_768
"""Tokens in one request, at most, unless one solution alone has more."""
_TOO_MUCH = (400, 413, 422)
"""What a server answers to an input that it cannot read."""


class ServedScorer:
    """See trainer.scorers.StepScorer."""

    def __init__(
        self, endpoint: Endpoint, model: str, encoder: StepEncoder, flags: str, connections: int = 4
    ) -> None:
        """Ask `endpoint` for `model`; `flags` are named where the server was started otherwise."""
        self.encoder = encoder
        self._endpoint, self._model, self._flags = endpoint, model, flags
        self._connections = connections

    def score_encoded(self, encoded: Sequence[Encoded]) -> list[Scored]:
        """Return, in order, one probability per step token, or why the server gives none.

        Raise `ScoringError` where the server is at fault, `HttpError` where it cannot be asked.
        """
        with ThreadPoolExecutor(self._connections) as pool:
            parts = list(pool.map(self._ask, _batches(encoded)))
        return [scored for part in parts for scored in part]

    def _ask(self, asked: Sequence[Encoded]) -> list[Scored]:
        """Ask for some inputs; where the server refuses them, find the one at fault by halves."""
        body: dict[str, Any] = {
            "model": self._model,
            "input": [item.ids for item in asked],
            # Asked for, a server gives probabilities even where it was started to give logits.
            "use_activation": True,
        }
        try:
            return read_answer(self._endpoint.post("/pooling", body), asked, self._flags)
        except HttpError as error:
            if error.status not in _TOO_MUCH:
                raise
            if len(asked) == 1:
                return [Unscored(str(error))]
        half = len(asked) // 2
        return [*self._ask(asked[:half]), *self._ask(asked[half:])]


def served_model(endpoint: Endpoint) -> str:
    """Return the name of the one model that a server serves."""
    answer = endpoint.get("/v1/models")
    try:
        return str(answer["data"][0]["id"])
    except (LookupError, TypeError) as error:
        raise ScoringError(f"{endpoint.url} names no model: {error!r}") from error


def _batches(encoded: Sequence[Encoded]) -> Iterator[list[Encoded]]:
    batch: list[Encoded] = []
    tokens = 0
    for item in encoded:
        if batch and (len(batch) == BATCH or tokens + len(item.ids) > BATCH_TOKENS):
            yield batch
            batch, tokens = [], 0
        batch.append(item)
        tokens += len(item.ids)
    if batch:
        yield batch
