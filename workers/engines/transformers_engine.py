"""transformers in this process: the embedded default, on CPU or one GPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from workers.engines.decoding import Batch, Limits, Row
from workers.engines.feeding import Answered, Feed
from workers.engines.loading import context, load
from workers.engines.protocol import Completion, EngineRefused, EngineUnavailable, Sample
from workers.engines.states import open_states
from workers.engines.texts import Texts

SMALL = 50_000_000
"""Up to this many parameters one thread is fastest on a CPU: on contended machines two were up to
30 times slower (measured)."""
OVERHEAD = {"cpu": 48, "cuda": 1024}
"""How many tokens a pass over a single one costs."""
FULL = 3
"""So many batches of samples keep the rows full while the caller thinks."""


class TransformersEngine(Feed):
    """Completes prompts with a causal LM; a text depends on its prompt, seed and limits alone.

    What the model made of a prompt is kept, and not read again in prompts that begin with it.
    """

    def __init__(
        self,
        model: str,
        *,
        device: str | None = None,
        dtype: str | None = None,
        max_rows: int = 256,
        max_prefill_tokens: int = 32_768,
        prefix_cache_mb: int | None = None,
    ) -> None:
        """Load a folder or hub name; float32 on a CPU, the checkpoint's own type on a GPU.

        A batch holds at most `max_rows` samples and reads about `max_prefill_tokens` at once;
        `prefix_cache_mb` bounds what is kept of prompts (a share of what is free, where None). With
        "float64" texts do not depend on the batch at all; with the others about one token in a
        million does.
        """
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        name = f"transformers:{Path(model).name}"
        limits = Limits(max_rows, max_prefill_tokens, OVERHEAD.get(device[:4], 1024))
        self.decoder = Decoder(name, model, device, dtype, limits, prefix_cache_mb)
        super().__init__(name, FULL * max_rows, self.decoder)


class Decoder:
    """Texts around a Batch: tokens in, completions out."""

    def __init__(
        self,
        name: str,
        model: str,
        device: str,
        dtype: str | None,
        limits: Limits,
        prefix_cache_mb: int | None,
    ) -> None:
        self._name, self._limits = name, limits
        self.texts = Texts(model)
        self.model = load(model, device, dtype)
        if device == "cpu" and self.model.num_parameters() <= SMALL:
            torch.set_num_threads(1)
        self._context = context(self.model)
        kept = None if prefix_cache_mb is None else prefix_cache_mb * 2**20
        states = open_states(self.model, kept, limits.prefill_tokens)
        ends = _end_tokens(self.model, self.texts)
        self.batch = Batch(states, ends, self._says_stop, limits)
        self._refused: list[Answered] = []

    def add(self, samples: Sequence[Sample]) -> None:
        for sample in samples:
            try:
                self.batch.waiting.append(self._row(sample))
            except EngineRefused as error:
                self._refused.append((sample, EngineRefused(f"{self._name}: {error}")))

    def step(self) -> list[Answered]:
        refused, self._refused = self._refused, []
        try:
            return refused + [(row.sample, self._completion(row)) for row in self.batch.step()]
        except torch.OutOfMemoryError as error:
            rows = self.batch.shrink()
            raise EngineUnavailable(
                f"{self._name}: out of memory; goes on with {rows} rows at a time (max_rows)"
            ) from error

    def drop(self) -> None:
        self._refused.clear()
        self.batch.clear()

    def close(self) -> None:
        cuda = self.model.device.type == "cuda"
        del self.model, self.batch
        if cuda:
            torch.cuda.empty_cache()

    def _row(self, sample: Sample) -> Row:
        prompt = self.texts.encode(sample.prompt)
        if sample.max_tokens < 1 or len(prompt) + sample.max_tokens > self._context:
            raise EngineRefused(
                f"{len(prompt)} prompt tokens and {sample.max_tokens} to write "
                f"do not fit into {self._context}"
            )
        return Row(sample, prompt, self.texts.may_end(sample.stop))

    def _says_stop(self, row: Row) -> bool:
        text = self.texts.decode(row.prompt, row.tokens)
        return any(stop in text for stop in row.sample.stop)

    def _completion(self, row: Row) -> Completion:
        text = self.texts.decode(row.prompt, row.tokens)
        return Completion(
            text=self.texts.cut(text, row.sample.stop) if row.stopped else text,
            finish_reason="stop" if row.stopped else "length",
            prompt_tokens=len(row.prompt),
            completion_tokens=len(row.tokens),
        )


def _end_tokens(model: Any, texts: Texts) -> frozenset[int]:
    configured = model.generation_config.eos_token_id
    ids = configured if isinstance(configured, list) else [configured]
    return frozenset(i for i in (*ids, texts.tokenizer.eos_token_id) if i is not None)
