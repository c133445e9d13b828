"""The OpenAI protocol: how a sample is asked for, and what an answer means."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workers.engines.connection import Response
from workers.engines.protocol import (
    Completion,
    EngineRefused,
    EngineUnavailable,
    FinishReason,
    Prompt,
    Sample,
)

_FINISH: Mapping[str, FinishReason] = {"stop": "stop", "length": "length"}
_AT_FAULT = (400, 413, 422)
_PASSING = (408, 409, 425, 429)
_OVERLOAD = 429


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer that is none: the server's fault, or its set-up's."""

    error: EngineUnavailable
    overload: bool = False
    """The server turned the request away to do others first."""
    unseen: bool = False
    """The server did no work for this sample: it says nothing about the sample."""


def written(model: str, sample: Sample) -> tuple[str, bytes]:
    """Return the path and the body of the request for a sample.

    A chat that ends with the assistant's turn needs `continue_final_message`, an extension of vLLM
    and others.
    """
    fields: dict[str, Any] = {
        "model": model,
        "max_tokens": sample.max_tokens,
        "temperature": sample.temperature,
        "seed": sample.seed,
    }
    if sample.stop:
        fields["stop"] = list(sample.stop)
    path, prompt = _prompt(sample.prompt)
    return path, json.dumps(fields | prompt).encode()


def read(
    response: Response, where: str, stop: Sequence[str]
) -> Completion | EngineRefused | Failure:
    """Return what the answer to a sample's request says; `where` names the address."""
    if response.status != 200:
        return _failure(response, where)
    try:
        return _completion(json.loads(response.body), stop)
    except EngineRefused as error:
        return EngineRefused(f"{where}: {error}")
    # Nothing that a server sends may end the thread that reads it.
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        return _garbage(where, error)
    except RecursionError as error:
        return _garbage(where, error)


def said(response: Response) -> str:
    """Return the status and the beginning of what was said, on one line."""
    text = response.body[:2_000].decode(errors="replace")
    return f"HTTP {response.status}: {' '.join(text.split())[:300]}"


def _prompt(prompt: Prompt) -> tuple[str, dict[str, Any]]:
    if isinstance(prompt, str):
        return "/completions", {"prompt": prompt}
    fields: dict[str, Any] = {
        "messages": [{"role": message.role, "content": message.content} for message in prompt]
    }
    if prompt[-1].role == "assistant":
        fields |= {"continue_final_message": True, "add_generation_prompt": False}
    return "/chat/completions", fields


def _completion(answer: Mapping[str, Any], stop: Sequence[str]) -> Completion:
    choice = answer["choices"][0]
    text = choice["message"]["content"] if "message" in choice else choice["text"]
    if choice["finish_reason"] == "content_filter":
        raise EngineRefused("the provider's content filter withheld the answer")
    usage = answer.get("usage") or {}
    clean = _clean(text or "")
    # A server may ignore `stop`, or include it.
    cut = min((at for mark in stop if (at := clean.find(mark)) >= 0), default=None)
    return Completion(
        text=clean[:cut],
        finish_reason="stop" if cut is not None else _FINISH[choice["finish_reason"]],
        prompt_tokens=max(0, int(usage.get("prompt_tokens") or 0)),
        completion_tokens=max(0, int(usage.get("completion_tokens") or 0)),
    )


def _clean(text: str) -> str:
    """Return the text without what no database takes: NUL and lone surrogates."""
    paired = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return paired.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _garbage(where: str, error: Exception) -> Failure:
    return Failure(EngineUnavailable(f"{where}: the answer is no completion: {error!r:.200}"))


def _failure(response: Response, where: str) -> EngineRefused | Failure:
    """Tell a sample at fault from a server that cannot serve now or is set up wrongly."""
    status = response.status
    message = f"{where}: {said(response)}"
    if status in _AT_FAULT:
        return EngineRefused(message)
    # A wrong key, address or model: every request would fail.
    hopeless = 300 <= status < 500 and status not in _PASSING
    wait = response.headers.get("retry-after", "")
    seconds = float(wait) if wait.isascii() and wait.isdigit() and len(wait) < 10 else None
    return Failure(
        EngineUnavailable(message, retry=not hopeless, wait=seconds),
        overload=status == _OVERLOAD,
        unseen=hopeless or seconds is not None or status in (*_PASSING, 503),
    )
