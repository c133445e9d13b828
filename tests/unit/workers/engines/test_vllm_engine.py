"""Where vLLM is missing, the engine and the tests say so; test_vllm.py runs the real one."""

from __future__ import annotations

import pytest

from tests.vllm_server import vllm_python
from workers.engines.protocol import EngineUnavailable
from workers.engines.vllm_engine import VllmEngine


def test_without_vllm_the_engine_is_unavailable_and_not_tried_again() -> None:
    with pytest.raises(EngineUnavailable, match="not installed") as failure:
        VllmEngine("anything")
    assert not failure.value.retry


def test_a_missing_server_python_fails_the_test_and_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VLLM_PYTHON", "/no/such/python")
    with pytest.raises(pytest.fail.Exception, match=r"/no/such/python.*make test-vllm"):
        vllm_python()
