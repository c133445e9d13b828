"""vLLM in this process: a GPU worker owns its engine. The one file that imports vllm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any

from workers.engines.feeding import Answered, Feed
from workers.engines.protocol import Completion, EngineRefused, EngineUnavailable, Sample
from workers.engines.texts import Texts

FULL = 2
"""So many batches of samples keep vLLM's scheduler busy."""


class VllmEngine(Feed):
    """Completes prompts with vLLM: samples join its batch and leave it one by one.

    Prefix caching shares what prompts have in common.
    """

    def __init__(self, model: str, options: Mapping[str, Any] | None = None) -> None:
        """Start the engine; `options` are vllm.LLM's own (tensor_parallel_size, dtype, …)."""
        name = f"vllm:{Path(model).name}"
        requests = Requests(name, model, {"enable_prefix_caching": True, **(options or {})})
        super().__init__(name, FULL * requests.most, requests)


class Requests:
    """vLLM's engine, one request per sample. After its death it is started again."""

    def __init__(self, name: str, model: str, options: Mapping[str, Any]) -> None:
        self._name, self._model, self._options = name, model, options
        self._open: dict[str, Sample] = {}
        self._refused: list[Answered] = []
        self._numbers = count()
        self._engine: Any = None
        self._start()
        self._texts = Texts(model)

    @property
    def most(self) -> int:
        """How many requests vLLM works on at once."""
        return int(self._engine.vllm_config.scheduler_config.max_num_seqs)

    def add(self, samples: Sequence[Sample]) -> None:
        """Hand samples over; those that vLLM does not take are refused."""
        if self._engine is None:
            self._start()
        for sample in samples:
            try:
                self._add(sample)
            except EngineRefused as error:
                self._refused.append((sample, EngineRefused(f"{self._name}: {error}")))

    def step(self) -> list[Answered]:
        """Draw about one token of every request; return the samples that ended."""
        done, self._refused = self._refused, []
        if self._open and not done:
            with self._alive():
                outputs = self._engine.step()
            done = [
                (self._open.pop(output.request_id), _completion(output))
                for output in outputs
                if output.finished
            ]
        return done

    def drop(self) -> None:
        """Abort all requests."""
        self._refused.clear()
        names, self._open = list(self._open), {}
        if names and self._engine is not None:
            with self._alive():
                self._engine.abort_request(names)

    def close(self) -> None:
        """End the engine's processes and release the GPU."""
        if self._engine is not None:
            self._engine.engine_core.shutdown()
            self._engine = None

    def _start(self) -> None:
        try:
            from vllm import LLM
        except ImportError as error:
            raise EngineUnavailable(f"vLLM is not installed here: {error}", retry=False) from error
        try:
            self._engine = LLM(model=self._model, **self._options).llm_engine
            Thread(target=_tell_death, args=[self._engine.engine_core], daemon=True).start()
        # Whatever it is, vLLM's own words say it: memory, options, drivers, files.
        except Exception as error:
            raise EngineUnavailable(
                f"vLLM does not start with {self._model}: {error}. Its log says more. Where memory "
                "is short, lower gpu_memory_utilization or max_model_len, raise "
                "tensor_parallel_size or choose a smaller model.",
                retry=False,
            ) from error

    def _add(self, sample: Sample) -> None:
        from vllm import SamplingParams
        from vllm.exceptions import VLLMClientError
        from vllm.sampling_params import RequestOutputKind

        ids, most = self._texts.encode(sample.prompt), self._engine.model_config.max_model_len
        if len(ids) + sample.max_tokens > most:
            raise EngineRefused(
                f"{len(ids)} prompt tokens and {sample.max_tokens} to write do not fit into {most}"
            )
        name = str(next(self._numbers))
        try:
            parameters = SamplingParams(
                seed=sample.seed,
                temperature=sample.temperature,
                max_tokens=sample.max_tokens,
                stop=list(sample.stop),
                output_kind=RequestOutputKind.FINAL_ONLY,
            )
            with self._alive():
                self._engine.add_request(name, {"prompt_token_ids": list(ids)}, parameters)
        except (ValueError, VLLMClientError) as error:
            raise EngineRefused(str(error)) from error
        self._open[name] = sample

    @contextmanager
    def _alive(self) -> Iterator[None]:
        """Raise EngineUnavailable where the engine is found dead; the next samples start it."""
        from vllm.v1.engine.exceptions import EngineDeadError

        try:
            yield
        except EngineDeadError as error:
            self.close()
            raise EngineUnavailable(f"{self._name}: the engine died: {error}") from error


def _tell_death(core: Any) -> None:
    """Wake who waits for outputs once vLLM's process is gone.

    vLLM notices a killed process and then waits for its outputs forever (0.32).
    """
    from vllm.v1.engine.exceptions import EngineDeadError

    while hasattr(core, "outputs_queue"):  # else it works in this very process
        if core.resources.engine_dead:
            core.outputs_queue.put_nowait(EngineDeadError())
            return
        sleep(0.5)


def _completion(output: Any) -> Completion:
    sample = output.outputs[0]
    return Completion(
        text=sample.text,
        finish_reason="length" if sample.finish_reason == "length" else "stop",
        prompt_tokens=len(output.prompt_token_ids),
        completion_tokens=len(sample.token_ids),
    )
