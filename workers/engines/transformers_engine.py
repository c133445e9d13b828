"""transformers in this process: the embedded default, on CPU or one GPU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from workers.engines.batching import batches
from workers.engines.decoding import Row, decode
from workers.engines.protocol import (
    Completion,
    CompletionRequest,
    EngineRefused,
    EngineUnavailable,
)
from workers.engines.texts import Texts

SMALL = 50_000_000
"""Up to this many parameters one thread is fastest on a CPU: on contended machines two were up to
30 times slower (measured)."""


@dataclass(slots=True)
class _Sample:
    request: int
    prompt: tuple[int, ...]
    row: Row


class TransformersEngine:
    """Completes prompts with a causal LM; a text depends on its prompt, seed and limits alone.

    The samples of a prompt share one prefill, and requests with the same prompt share it too.
    """

    def __init__(
        self,
        model: str,
        *,
        device: str | None = None,
        dtype: str | None = None,
        max_rows: int = 256,
        max_prefill_tokens: int = 32_768,
    ) -> None:
        """Load a folder or hub name; float32 on a CPU, the checkpoint's own type on a GPU.

        A batch holds at most `max_rows` samples and reads about `max_prefill_tokens` at once.
        """
        self.name = f"transformers:{Path(model).name}"
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._max_rows, self._max_prefill_tokens = max_rows, max_prefill_tokens
        self._texts = Texts(model)
        self._model = _load(model, self._device, dtype)
        self._ends = torch.tensor(_end_tokens(self._model, self._texts), device=self._device)
        self._context = self._model.config.max_position_embeddings
        if self._device == "cpu" and self._model.num_parameters() <= SMALL:
            torch.set_num_threads(1)

    def complete(self, requests: Sequence[CompletionRequest]) -> list[list[Completion]]:
        """Return one completion per seed of each request (see workers.engines.protocol)."""
        samples = [
            sample
            for index, request in enumerate(requests)
            for sample in self._samples(index, request)
        ]
        try:
            for batch in batches(samples, self._max_rows, self._max_prefill_tokens):
                prompts = list(dict.fromkeys(sample.prompt for sample in batch))
                places = {prompt: place for place, prompt in enumerate(prompts)}
                for sample in batch:
                    sample.row.prompt = places[sample.prompt]
                decode(self._model, prompts, [sample.row for sample in batch], self._ends)
        except torch.OutOfMemoryError as error:
            raise EngineUnavailable(f"{self.name}: out of memory; lower max_rows") from error
        results: list[list[Completion]] = [[] for _ in requests]
        for sample in samples:
            results[sample.request].append(self._completion(requests[sample.request], sample))
        return results

    def close(self) -> None:
        """Release the model."""
        del self._model
        if self._device.startswith("cuda"):
            torch.cuda.empty_cache()

    def _samples(self, index: int, request: CompletionRequest) -> Iterator[_Sample]:
        try:
            prompt = tuple(self._texts.encode(request.prompt))
        except EngineRefused as error:
            raise EngineRefused(f"{self.name}: {error}", index) from error
        if request.max_tokens < 1 or len(prompt) + request.max_tokens > self._context:
            raise EngineRefused(
                f"{self.name}: {len(prompt)} prompt tokens and {request.max_tokens} to write "
                f"do not fit into {self._context}",
                index,
            )

        def is_over(tokens: Sequence[int]) -> bool:
            text = self._texts.decode(prompt, tokens)
            return any(stop in text for stop in request.stop)

        may_end = self._texts.may_end(request.stop, self._model.config.vocab_size)
        for seed in request.seeds:
            row = Row(0, seed, request.temperature, request.max_tokens, is_over, may_end)
            yield _Sample(index, prompt, row)

    def _completion(self, request: CompletionRequest, sample: _Sample) -> Completion:
        row = sample.row
        text = self._texts.decode(sample.prompt, row.tokens)
        return Completion(
            text=self._texts.cut(text, request.stop) if row.stopped else text,
            finish_reason="stop" if row.stopped else "length",
            prompt_tokens=len(sample.prompt),
            completion_tokens=len(row.tokens),
        )


def _load(model: str, device: str, dtype: str | None) -> Any:
    from transformers import AutoModelForCausalLM

    chosen = dtype or ("float32" if device == "cpu" else "auto")
    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(model, dtype=chosen)
    except (OSError, ValueError) as error:
        raise EngineUnavailable(f"cannot load {model}: {error}", retry=False) from error
    return loaded.to(device).eval()


def _end_tokens(model: Any, texts: Texts) -> list[int]:
    configured = model.generation_config.eos_token_id
    ids = configured if isinstance(configured, list) else [configured]
    return sorted({i for i in (*ids, texts.tokenizer.eos_token_id) if i is not None})
