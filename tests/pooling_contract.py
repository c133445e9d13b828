"""What a PRM's /pooling does, asked of the scripted server and of the real one alike."""

from __future__ import annotations

from typing import Any

import httpx
import pytest


def check_contract(url: str, model: str, step_id: int, other_id: int, context: int) -> None:
    """Assert what workers.engines.pooling relies on. `other_id` is a token that ends no step."""
    one, two = [other_id, other_id, step_id], [other_id, step_id, other_id, other_id, step_id]
    first, second, none = _rows(url, model, [one, two, [other_id] * 3])
    assert (len(first), len(second), none) == (1, 2, [])  # one row per step token, in order
    for row in (*first, *second):
        assert len(row) == 2
        assert sum(row) == pytest.approx(1, abs=1e-5)
    (alone,) = _rows(url, model, [two])
    for row, same in zip(alone, second, strict=True):
        assert row == pytest.approx(same, abs=1e-4)
    (begun,) = _rows(url, model, [two[:2]])
    assert begun[0] == pytest.approx(second[0], abs=1e-4)  # what follows a step changes nothing
    (logits,) = _rows(url, model, [two], use_activation=False)
    assert any(abs(sum(row) - 1) > 0.02 for row in logits)  # asked for, a server gives logits
    assert _post(url, "another", [one]).status_code == 404
    assert "does not exist" in _post(url, "another", [one]).text
    long = _post(url, model, [one, [other_id] * (context + 1)])
    assert long.status_code == 400
    assert "maximum context length" in long.text
    assert httpx.post(f"{url}/poolings", json={}).status_code == 404
    models = httpx.get(f"{url}/v1/models").json()["data"]
    assert [(row["id"], row["max_model_len"]) for row in models] == [(model, context)]


def _post(url: str, model: str, inputs: list[list[int]], **more: Any) -> httpx.Response:
    body = {"model": model, "input": inputs, **more}
    return httpx.post(f"{url}/pooling", json=body, timeout=60)


def _rows(url: str, model: str, inputs: list[list[int]], **more: Any) -> list[Any]:
    response = _post(url, model, inputs, **more)
    assert response.status_code == 200
    rows = response.json()["data"]
    assert [row["index"] for row in rows] == list(range(len(inputs)))
    return [row["data"] for row in rows]
