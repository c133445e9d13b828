from __future__ import annotations

from pathlib import Path
from typing import Any

import huggingface_hub
import pytest

from trainer import hub


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, list[str]]]:
    """What was asked of the hub, which has one old model with pickles and nothing else."""
    asked: list[tuple[str, list[str]]] = []

    def download(name: str, ignore_patterns: list[str]) -> str:
        asked.append((name, ignore_patterns))
        if name != "org/old":
            raise OSError("404")
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    return asked


def test_a_directory_is_itself(tmp_path: Path, fetched: list[Any]) -> None:
    assert hub.directory(tmp_path) == tmp_path
    assert fetched == []


def test_pickles_are_fetched_only_where_there_is_nothing_else(
    tmp_path: Path, fetched: list[Any]
) -> None:
    assert hub.directory("org/old") == tmp_path
    assert ["*.bin" in ignored for _, ignored in fetched] == [True, False]
    (tmp_path / "model.safetensors").touch()
    fetched.clear()
    hub.directory("org/old")
    assert len(fetched) == 1


def test_who_needs_only_a_tokenizer_fetches_no_weights(fetched: list[Any]) -> None:
    hub.directory("org/old", weights=False)
    ((_, ignored),) = fetched
    assert {"*.safetensors", "*.bin"} <= set(ignored)


@pytest.mark.parametrize("name", ["org/none", "none", "a/b/c", "../x y"])
def test_what_is_no_model_is_refused(name: str, fetched: list[Any]) -> None:
    with pytest.raises(hub.NoModel, match="is no directory"):
        hub.directory(name)
