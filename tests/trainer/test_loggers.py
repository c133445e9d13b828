"""Where a run's figures go: each logger shows what the run's own log holds."""

from __future__ import annotations

import importlib.util
import json
import resource
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trainer import loggers
from trainer.config import Progress, TrainConfig, TrainError
from trainer.records import read_jsonl
from trainer.training import train

Make = Callable[..., TrainConfig]


def log_rows(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "train_log.jsonl").read_text().splitlines()]


def test_a_step_reports_its_loss_rate_norm_and_label_balance(config: Make, data: Path) -> None:
    # All 48 records in one step: its share of wrong labels is the file's.
    result = train(config(batch_size=48, iterations=1))
    (row,) = log_rows(result.log.parent)
    labels = [label for r in read_jsonl(data) for label in r.labels if label is not None]
    assert row["wrong_share"] == pytest.approx(labels.count(0) / len(labels))
    assert row["grad_norm"] > 0
    assert row["learning_rate"] == 1e-3
    assert row["remaining"] == 0.0


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    return {
        name: [(event.step, event.value) for event in events.Scalars(name)]
        for name in events.Tags()["scalars"]
    }


def test_tensorboard_shows_what_the_log_holds_also_after_a_kill(config: Make) -> None:
    class Killed(Exception):
        pass

    def die(step: Progress) -> None:
        if step.iteration == 5:
            raise Killed

    with pytest.raises(Killed):
        train(config(log=("tensorboard",), checkpoint_every=2), die)
    result = train(config(log=("tensorboard",), resume=True))
    assert result.resumed_from == 4
    seen = scalars(result.log.parent / "tensorboard")
    for name in ("loss", "learning_rate", "grad_norm", "wrong_share", "tokens"):
        expected = [(row["iteration"], row[name]) for row in log_rows(result.log.parent)]
        assert [step for step, _ in seen[f"train/{name}"]] == [step for step, _ in expected]
        for (_, value), (_, known) in zip(seen[f"train/{name}"], expected, strict=True):
            assert value == pytest.approx(known, rel=1e-5)
    assert "train/held_out_loss" not in seen


def test_a_log_that_cannot_be_written_anew_stays_as_long_as_its_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "train_log.jsonl"
    path.write_text('{"loss": 1}\n' * 5)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, limits[1]))  # a full disk, after 20 bytes
    try:
        with pytest.raises(OSError, match="too large"):
            loggers.StepLog(path, 4)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    log = loggers.StepLog(path, 4)
    log.close()
    assert log.losses == [1, 1, 1, 1]
    assert path.read_text() == '{"loss": 1}\n' * 4


def written_offline(file: Path) -> Iterator[bytes]:
    """Yield what wandb wrote: a 7-byte head, then a log in LevelDB's format."""
    rest, whole = file.read_bytes(), b""
    place = 7
    while place + 7 <= len(rest):
        left = 2**15 - place % 2**15
        if left < 7:  # a block's end that no record fits into
            place += left
            continue
        size, kind = struct.unpack_from("<HB", rest, place + 4)
        whole += rest[place + 7 : place + 7 + size]
        place += 7 + size
        if kind in (1, 4):  # whole, or the last of several parts
            yield whole
            whole = b""


@pytest.mark.skipif(importlib.util.find_spec("wandb") is None, reason="wandb is not installed")
def test_weights_and_biases_writes_offline_what_the_log_holds(
    config: Make, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wandb.proto.wandb_internal_pb2 import Record

    monkeypatch.setenv("WANDB_MODE", "offline")
    result = train(config(log=("wandb",), held_out=data, evaluate_every=3))
    (file,) = (result.log.parent / "wandb").rglob("run-*.wandb")
    history = [record.history for record in map(Record.FromString, written_offline(file))]
    seen = [
        {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in step.item}
        for step in history
        if step.item
    ]
    expected = log_rows(result.log.parent)
    assert [row["_step"] for row in seen] == [row["iteration"] for row in expected]
    names = ("loss", "grad_norm", "learning_rate", "wrong_share", "held_out_loss", "held_out_f1")
    for row, known in zip(seen, expected, strict=True):
        assert {name: row.get(name) for name in names} == {name: known[name] for name in names}
    assert [row["iteration"] for row in expected if row["held_out_loss"] is not None] == [3, 6]


@pytest.mark.parametrize("name", ["tensorboard", "wandb"])
def test_a_logger_that_is_not_installed_is_refused_by_name_before_any_work(
    config: Make, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(loggers, "find_spec", lambda _: None)
    settings = config(log=(name,))
    with pytest.raises(TrainError, match=rf"{name} is not installed: pip install 'annotator\["):
        train(settings)
    assert not settings.out.exists()


def test_a_logger_of_another_name_is_refused(config: Make) -> None:
    with pytest.raises(TrainError, match="log 'x' is none of tensorboard, wandb"):
        train(config(log=("x",)))
