from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.prms import close_scorers, make_untrained
from tests.tiny_models import make_tiny_qwen
from trainer.scoring import Scorer
from workers.engines import scorer_registry
from workers.engines.protocol import EngineRefused, EngineUnavailable
from workers.engines.scorer_registry import open_local
from workers.engines.scorers import LocalScorer, StepScores

ITEMS = [("What is 2 + 3?", ("2 + 3 = 5.", "5.")), ("1?", ("1",))]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prm")
    return make_untrained(make_tiny_qwen(folder / "backbone"), folder / "prm")


def test_local_scores_are_the_trainers_with_the_tokens_read(directory: Path) -> None:
    scorer, trainers = LocalScorer(directory, "cpu"), Scorer(directory, device="cpu")
    for item, scores in zip(ITEMS, scorer.score_many(ITEMS), strict=True):
        assert isinstance(scores, StepScores)
        assert scores.values == pytest.approx(trainers.score(*item))
        assert scores.tokens == len(trainers.encoder.encode(*item).ids)


def test_what_cannot_be_scored_whole_is_refused_in_its_place(directory: Path) -> None:
    asked = [ITEMS[0], ("long", ("a", "b" * 300)), ("empty", ()), ITEMS[1]]
    first, long, empty, last = LocalScorer(directory, "cpu").score_many(asked)
    assert isinstance(long, EngineRefused)
    assert str(long) == "1 of 2 steps lie behind the model's 256 tokens"
    assert isinstance(empty, EngineRefused)
    assert str(empty) == "the solution has no steps"
    assert isinstance(first, StepScores)
    assert isinstance(last, StepScores)
    assert (len(first.values), len(last.values)) == (2, 1)


def test_nothing_is_scored_as_nothing(directory: Path) -> None:
    assert LocalScorer(directory, "cpu").score_many([]) == []


def test_a_folder_that_is_no_prm_is_unavailable_for_good(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="cannot load") as caught:
        LocalScorer(tmp_path / "none")
    assert not caught.value.retry
    with pytest.raises(EngineUnavailable, match="no process reward model"):
        LocalScorer(make_tiny_qwen(tmp_path))


def test_a_device_without_room_says_so(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    scorer = LocalScorer(directory, "cpu")
    monkeypatch.setattr(Scorer, "score_encoded", full)
    with pytest.raises(EngineUnavailable, match=r"local:prm: no memory: .*2 GiB") as caught:
        scorer.score_many(ITEMS)
    assert not caught.value.retry


def test_a_prm_is_loaded_once_and_the_oldest_makes_room(directory: Path, tmp_path: Path) -> None:
    close_scorers()
    copies = []
    for name in "abc":
        copies.append(tmp_path / name)
        copies[-1].symlink_to(directory)
    first = open_local(copies[0])
    second = open_local(copies[1])
    assert open_local(copies[0]) is first
    open_local(copies[2])
    assert len(scorer_registry._open) == 2
    assert open_local(copies[0]) is first
    assert open_local(copies[1]) is not second
    close_scorers()
    assert not scorer_registry._open
