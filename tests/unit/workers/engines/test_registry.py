"""A configuration names its engine, or is refused with the reason."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from workers.engines import registry
from workers.engines.openai_engine import OpenAIEngine
from workers.engines.protocol import EngineUnavailable
from workers.engines.registry import BadEngine, close_engines, open_engine

SPEC = {"kind": "openai", "url": "http://127.0.0.1:1/v1/", "model": "m"}


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    close_engines()


def test_an_engine_is_opened_once_per_configuration() -> None:
    engine = open_engine(SPEC)
    assert isinstance(engine, OpenAIEngine)
    assert engine.url == "http://127.0.0.1:1"
    assert open_engine({**dict(reversed(SPEC.items())), "timeout": None}) is engine
    assert open_engine({**SPEC, "timeout": 3}) is not engine


def test_a_forked_process_opens_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_engine(SPEC)
    monkeypatch.setattr(registry.os, "getpid", lambda: 1)
    assert open_engine(SPEC) is not engine
    close_engines()


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({}, "no engine"),
        ({"kind": "magic"}, "magic"),
        ({"kind": "openai", "model": "m"}, "needs url"),
        ({"kind": "vllm", "model": ""}, "needs model"),
        ({"kind": "transformers", "model": "m", "url": "u"}, "no setting url"),
        ({**SPEC, "api_key": "secret"}, "no setting api_key"),
    ],
)
def test_a_wrong_configuration_is_refused(spec: dict[str, str], text: str) -> None:
    with pytest.raises(BadEngine, match=text):
        open_engine(spec)


def test_a_missing_key_is_named_and_never_read_from_the_configuration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    with pytest.raises(EngineUnavailable, match="NO_SUCH_KEY"):
        open_engine({**SPEC, "api_key_env": "NO_SUCH_KEY"})


def test_a_missing_model_is_unavailable_and_named(tmp_path: object) -> None:
    with pytest.raises(EngineUnavailable, match="nowhere"):
        open_engine({"kind": "transformers", "model": f"{tmp_path}/nowhere"})
