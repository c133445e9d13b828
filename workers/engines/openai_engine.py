"""An OpenAI-compatible server over HTTP: `vllm serve`, or any provider."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx

from workers.engines.protocol import (
    Completion,
    CompletionRequest,
    EngineRefused,
    EngineUnavailable,
    FinishReason,
    Prompt,
)
from workers.engines.retrying import Retrying

_FINISH: Mapping[str, FinishReason] = {"stop": "stop", "length": "length"}


@dataclass(frozen=True, slots=True)
class _Job:
    """One sample: one HTTP request."""

    request: int
    place: int
    seed: int


class OpenAIEngine:
    """Completes prompts through /v1/completions (texts) and /v1/chat/completions (chats).

    Every sample is its own request with its own seed. A server that ignores seeds or
    `continue_final_message` (a vLLM extension that chats ending with the assistant need) still
    answers, but not reproducibly.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        api_key_env: str | None = None,
        max_concurrency: int = 32,
        timeout: float = 120.0,
        retrying: Retrying | None = None,
    ) -> None:
        """Connect lazily to `url` (with or without "/v1"); `timeout` is seconds per attempt.

        The key is read from the environment variable `api_key_env`, never from a configuration.
        """
        self.url = url.rstrip("/").removesuffix("/v1")
        self.name = f"openai:{model}@{self.url}"
        self._model = model
        self._workers = max_concurrency
        self._retrying = retrying or Retrying()
        self._client = httpx.Client(
            base_url=f"{self.url}/v1",
            headers=_authorization(api_key_env),
            timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0)),
            limits=httpx.Limits(max_connections=max_concurrency),
        )

    def complete(self, requests: Sequence[CompletionRequest]) -> list[list[Completion]]:
        """Return one completion per seed of each request (see workers.engines.protocol)."""
        jobs = [
            _Job(index, place, seed)
            for index, request in enumerate(requests)
            for place, seed in enumerate(request.seeds)
        ]
        # Neighbors share their beginnings, so that the server's prefix cache is warm.
        jobs.sort(key=lambda job: str(requests[job.request].prompt))
        results: list[list[Completion]] = [[] for _ in requests]
        for job, completion in self._run(requests, jobs):
            results[job.request].insert(job.place, completion)
        return results

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _run(
        self, requests: Sequence[CompletionRequest], jobs: Sequence[_Job]
    ) -> list[tuple[_Job, Completion]]:
        """Return the completions of all jobs; after a first failure start no more."""
        with ThreadPoolExecutor(self._workers) as pool:
            futures = [pool.submit(self._sample, requests[job.request], job) for job in jobs]
            try:
                done = [future.result() for future in futures]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return sorted(zip(jobs, done, strict=True), key=lambda pair: pair[0].place)

    def _sample(self, request: CompletionRequest, job: _Job) -> Completion:
        path, body = _payload(self._model, request, job.seed)
        return self._retrying.run(lambda: self._post(path, body, job.request))

    def _post(self, path: str, body: Mapping[str, Any], index: int) -> Completion:
        where = f"{self.url}/v1{path}"
        try:
            response = self._client.post(path, json=body)
        except httpx.TimeoutException as error:
            raise EngineUnavailable(f"{where}: no answer in time ({error!r})") from error
        except httpx.HTTPError as error:
            raise EngineUnavailable(f"{where}: {error or error!r}") from error
        if response.status_code != httpx.codes.OK:
            raise _failure(response, where, index)
        try:
            return _completion(response.json())
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise EngineUnavailable(f"{where}: the answer is no completion: {error!r}") from error
        except EngineRefused as error:
            raise EngineRefused(f"{where}: {error}", index) from error


def _authorization(api_key_env: str | None) -> dict[str, str]:
    if not api_key_env:
        return {}
    key = os.environ.get(api_key_env)
    if not key:
        raise EngineUnavailable(f"the environment variable {api_key_env} holds no API key")
    return {"Authorization": f"Bearer {key}"}


def _payload(model: str, request: CompletionRequest, seed: int) -> tuple[str, dict[str, Any]]:
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "seed": seed,
    }
    if request.stop:
        body["stop"] = list(request.stop)
    path, prompt = _prompt(request.prompt)
    return path, body | prompt


def _prompt(prompt: Prompt) -> tuple[str, dict[str, Any]]:
    if isinstance(prompt, str):
        return "/completions", {"prompt": prompt}
    fields: dict[str, Any] = {
        "messages": [{"role": message.role, "content": message.content} for message in prompt]
    }
    if prompt[-1].role == "assistant":
        fields |= {"continue_final_message": True, "add_generation_prompt": False}
    return "/chat/completions", fields


def _completion(answer: Mapping[str, Any]) -> Completion:
    choice = answer["choices"][0]
    text = choice["message"]["content"] if "message" in choice else choice["text"]
    if choice["finish_reason"] == "content_filter":
        raise EngineRefused("the provider's content filter withheld the answer")
    usage = answer.get("usage") or {}
    return Completion(
        text=text or "",
        finish_reason=_FINISH[choice["finish_reason"]],
        prompt_tokens=int(usage.get("prompt_tokens") or 0),
        completion_tokens=int(usage.get("completion_tokens") or 0),
    )


def _failure(response: httpx.Response, where: str, index: int) -> Exception:
    """Tell a request at fault from a server that cannot serve now or is set up wrongly."""
    status = response.status_code
    said = " ".join(response.text.split())[:300]
    message = f"{where}: HTTP {status}: {said}"
    if status in (400, 413, 422):
        return EngineRefused(message, index)
    # A wrong key, address or model: every request would fail, so no request is marked as failed.
    hopeless = 300 <= status < 500 and status not in (408, 409, 425, 429)
    wait = response.headers.get("retry-after", "")
    return EngineUnavailable(
        message, retry=not hopeless, wait=float(wait) if wait.isdigit() else None
    )
