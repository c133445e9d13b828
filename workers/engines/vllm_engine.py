"""vLLM in this process: a GPU worker owns its engine. The one file that imports vllm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workers.engines.protocol import (
    Completion,
    CompletionRequest,
    EngineRefused,
    EngineUnavailable,
)
from workers.engines.texts import Texts


class VllmEngine:
    """Completes prompts with vLLM; prefix caching shares what prompts have in common."""

    def __init__(self, model: str, options: Mapping[str, Any] | None = None) -> None:
        """Start the engine; `options` are vllm.LLM's own (tensor_parallel_size, dtype, …)."""
        try:
            from vllm import LLM
        except ImportError as error:
            raise EngineUnavailable(f"vLLM is not installed here: {error}", retry=False) from error
        self.name = f"vllm:{Path(model).name}"
        self._texts = Texts(model)
        self._llm = LLM(model=model, **{"enable_prefix_caching": True, **(options or {})})
        self._context = self._llm.llm_engine.model_config.max_model_len

    def complete(self, requests: Sequence[CompletionRequest]) -> list[list[Completion]]:
        """Return one completion per seed of each request (see workers.engines.protocol)."""
        from vllm import SamplingParams
        from vllm.v1.engine.exceptions import EngineDeadError

        prompts, parameters = [], []
        for index, request in enumerate(requests):
            ids = self._encode(index, request)
            for seed in request.seeds:
                prompts.append({"prompt_token_ids": ids})
                parameters.append(
                    SamplingParams(
                        seed=seed,
                        temperature=request.temperature,
                        max_tokens=request.max_tokens,
                        stop=list(request.stop),
                    )
                )
        try:
            outputs = iter(self._llm.generate(prompts, parameters, use_tqdm=False))
        except EngineDeadError as error:
            raise EngineUnavailable(f"{self.name}: the engine died: {error}") from error
        return [[_completion(next(outputs)) for _ in request.seeds] for request in requests]

    def close(self) -> None:
        """End the engine's processes and release the GPU."""
        self._llm.llm_engine.engine_core.shutdown()

    def _encode(self, index: int, request: CompletionRequest) -> list[int]:
        try:
            ids = self._texts.encode(request.prompt)
        except EngineRefused as error:
            raise EngineRefused(f"{self.name}: {error}", index) from error
        if len(ids) + request.max_tokens > self._context:
            raise EngineRefused(
                f"{self.name}: {len(ids)} prompt tokens and {request.max_tokens} to write "
                f"do not fit into {self._context}",
                index,
            )
        return ids


def _completion(output: Any) -> Completion:
    sample = output.outputs[0]
    return Completion(
        text=sample.text,
        finish_reason="length" if sample.finish_reason == "length" else "stop",
        prompt_tokens=len(output.prompt_token_ids),
        completion_tokens=len(sample.token_ids),
    )
