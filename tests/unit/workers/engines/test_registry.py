"""A configuration names its engine, or is refused with the reason."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from labeling.domain.engines import KINDS, BadEngine
from labeling.models.engines import EngineKind
from workers.engines import registry
from workers.engines.openai_engine import OpenAIEngine
from workers.engines.protocol import EngineUnavailable
from workers.engines.registry import close_engines, open_engine

OPTIONS = {"url": "http://127.0.0.1:1/v1/"}


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    close_engines()


def test_an_engine_is_opened_once_per_configuration() -> None:
    engine = open_engine("openai", "m", {**OPTIONS, "timeout": None})
    assert isinstance(engine, OpenAIEngine)
    assert engine.name == "openai:m@http://127.0.0.1:1"
    assert open_engine("openai", "m", dict(OPTIONS)) is engine
    assert open_engine("openai", "m", {**OPTIONS, "timeout": 3}) is not engine
    assert open_engine("openai", "n", OPTIONS) is not engine


def test_several_endpoints_are_one_engine() -> None:
    servers = [{"url": f"http://127.0.0.1:{port}", "max_concurrency": 8} for port in range(1, 6)]
    engine = open_engine("openai", "m", {"endpoints": servers, "patience": 5})
    assert engine.slots == 50  # 5 servers · 8 requests · 1.25
    assert engine.name.endswith("http://127.0.0.1:3 and 2 more")


def test_a_forked_process_opens_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_engine("openai", "m", OPTIONS)
    monkeypatch.setattr(registry.os, "getpid", lambda: 1)
    assert open_engine("openai", "m", OPTIONS) is not engine
    close_engines()


@pytest.mark.parametrize(
    ("kind", "model", "options", "text"),
    [
        ("magic", "m", {}, "'magic'"),
        ("openai", "", OPTIONS, "needs a model"),
        ("openai", "m", {}, "needs the url"),
        ("transformers", "m", {"url": "http://u"}, "no option url"),
        ("pooling", "m", {**OPTIONS, "tokenizer": "m"}, "scores steps; it completes no text"),
    ],
)
def test_a_wrong_configuration_is_refused(
    kind: str, model: str, options: dict[str, Any], text: str
) -> None:
    with pytest.raises(BadEngine, match=text):
        open_engine(kind, model, options)


def test_a_missing_key_is_named_and_never_read_from_the_configuration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    with pytest.raises(EngineUnavailable, match="NO_SUCH_KEY") as failure:
        open_engine("openai", "m", {**OPTIONS, "api_key_env": "NO_SUCH_KEY"})
    assert not failure.value.retry


def test_a_missing_model_is_unavailable_and_named(tmp_path: object) -> None:
    with pytest.raises(EngineUnavailable, match="nowhere"):
        open_engine("transformers", f"{tmp_path}/nowhere", {})


def test_the_kinds_are_those_of_the_table() -> None:
    assert set(KINDS) == {str(kind) for kind in EngineKind}


def test_the_options_of_transformers_are_those_that_its_engine_takes() -> None:
    from workers.engines.transformers_engine import TransformersEngine

    parameters = inspect.signature(TransformersEngine).parameters.values()
    taken = {p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}
    assert taken == KINDS["transformers"]
