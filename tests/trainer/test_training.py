from __future__ import annotations

import json
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.trainer.conftest import sums
from trainer.config import Progress, TrainConfig, TrainError
from trainer.dataset import limit_labels, until_error, with_neutral
from trainer.fingerprints import file_sha256
from trainer.records import Record, read_jsonl, write_jsonl
from trainer.scorers import ScoringError
from trainer.scoring import Scorer
from trainer.training import train

Make = Callable[..., TrainConfig]


def test_a_run_learns_which_phrase_is_wrong(config: Make, tmp_path: Path) -> None:
    rows = [
        Record(f"{i}", f"{i}", f"Task {i}", ("all is well", "this is bad"), (1, 0))
        for i in range(32)
    ]
    write_jsonl(tmp_path / "rows.jsonl", rows)
    result = train(config(data=tmp_path / "rows.jsonl", iterations=30, lr=3e-3))
    assert result.final_loss < 0.1 < 0.5 < result.losses[0]
    right, wrong = Scorer(result.model, device="cpu").score("Task 99", rows[0].steps)
    assert right > 0.9
    assert wrong < 0.1


def test_the_same_seed_gives_the_same_losses_and_another_does_not(
    config: Make, tmp_path: Path
) -> None:
    first = train(config()).losses
    torch.manual_seed(123)  # what the caller does with torch's generator must not matter
    assert train(config(out=tmp_path / "again")).losses == first
    assert train(config(out=tmp_path / "other", seed=1)).losses != first


def test_training_leaves_torch_as_it_found_it(config: Make) -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    train(config(iterations=1, precision="bf16"))
    assert torch.equal(torch.rand(1), expected)
    assert torch.backends.mkldnn.matmul.fp32_precision != "bf16"


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from trainer.config import TrainConfig
    from trainer.training import train
    data, backbone, out = map(Path, sys.argv[1:])
    def die(step):
        if step.iteration == 7:
            os.kill(os.getpid(), signal.SIGKILL)
    train(TrainConfig(data=data, backbone=backbone, out=out, lr=1e-3, iterations=10, batch_size=8,
                      device="cpu", checkpoint_every=4), die)
"""


def test_a_run_killed_with_signal_9_goes_on_as_if_nothing_had_happened(
    config: Make, data: Path, backbone: Path, tmp_path: Path
) -> None:
    whole = train(config(iterations=10, out=tmp_path / "whole"))
    out = tmp_path / "killed"
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(data), str(backbone), str(out)]
    assert subprocess.run(command, check=False).returncode == -9
    assert not (out / "run.json").exists()
    resumed = train(config(iterations=10, out=out, resume=True, checkpoint_every=3))
    assert resumed.resumed_from == 4
    assert resumed.losses == whole.losses
    assert resumed.labels_seen == whole.labels_seen
    weights = [(r.model / "model.safetensors").read_bytes() for r in (whole, resumed)]
    assert weights[0] == weights[1]
    assert not (out / "checkpoint.pt").exists()


def test_resuming_a_finished_run_returns_its_result(config: Make) -> None:
    first = train(config())
    steps: list[Progress] = []
    assert train(config(resume=True), steps.append) == first
    assert steps == []


def test_a_checkpoint_of_another_run_is_refused(config: Make) -> None:
    class Stop(Exception):
        pass

    def stop(step: Progress) -> None:
        if step.iteration == 3:
            raise Stop

    with pytest.raises(Stop):
        train(config(checkpoint_every=2), stop)
    with pytest.raises(TrainError, match="lr changed since"):
        train(config(checkpoint_every=2, resume=True, lr=2e-3))


def copied(backbone: Path, out: Path, seed: int | None = None) -> Path:
    """Copy a backbone; with a seed, draw its weights anew."""
    shutil.copytree(backbone, out)
    if seed is not None:
        weights = load_file(out / "model.safetensors")
        torch.manual_seed(seed)
        drawn = {name: torch.randn_like(tensor) / 10 for name, tensor in weights.items()}
        save_file(drawn, out / "model.safetensors", metadata={"format": "pt"})
    return out


def test_another_backbone_is_another_run_and_the_same_one_moved_is_not(
    config: Make, backbone: Path, tmp_path: Path
) -> None:
    first = train(config())
    moved, other = copied(backbone, tmp_path / "moved"), copied(backbone, tmp_path / "other", 7)
    (moved / "README.md").write_text("another card")
    assert train(config(resume=True, backbone=moved)) == first
    again = train(config(resume=True, backbone=other))
    assert again.resumed_from == 0
    assert again.losses != first.losses
    assert "| started from | `other` |" in (again.model / "README.md").read_text()


def test_a_checkpoint_of_another_backbone_is_refused(
    config: Make, backbone: Path, tmp_path: Path
) -> None:
    class Stop(Exception):
        pass

    def stop(step: Progress) -> None:
        if step.iteration == 3:
            raise Stop

    with pytest.raises(Stop):
        train(config(checkpoint_every=2), stop)
    with pytest.raises(TrainError, match="backbone_sha256 changed since"):
        train(config(resume=True, backbone=copied(backbone, tmp_path / "other", 7)))
    moved = copied(backbone, tmp_path / "moved")
    assert train(config(resume=True, backbone=moved)).resumed_from == 2


def test_the_log_the_card_and_the_result_tell_the_same(config: Make, data: Path) -> None:
    seen: list[Progress] = []
    result = train(config(), seen.append)
    log = [json.loads(line) for line in result.log.read_text().splitlines()]
    card = json.loads(result.card.read_text())["result"]
    assert tuple(row["loss"] for row in log) == tuple(card["losses"]) == result.losses
    assert [p.loss for p in seen] == list(result.losses)
    labels = [label for r in read_jsonl(data) for label in r.labels if label is not None]
    assert result.labels == {"right": labels.count(1), "wrong": labels.count(0)}
    # 48 records, batch 8: 6 steps are one epoch, which shows each label once.
    assert result.labels_seen == len(labels) == sum(row["labels"] for row in log)
    assert result.data_sha256 == file_sha256(data)
    assert result.data_sha256 in (result.model / "README.md").read_text()


def shorten(backbone: Path, limit: int, out: Path) -> Path:
    shutil.copytree(backbone, out)
    spec = {"template": "plain", "max_length": limit}
    (out / "prm_encoder.json").write_text(json.dumps(spec))
    return out


def test_labels_lost_to_the_context_are_counted_and_warned_about(
    config: Make, word_backbone: Path, tmp_path: Path
) -> None:
    # One token per character: "Problem: x\n\n" is 12; each "step" + step token is 5.
    rows = [
        Record("a", "a", "x", ("step",) * 4, (1, 1, 1, 1)),
        Record("b", "b", "x", ("step",), (1,)),
    ]
    write_jsonl(tmp_path / "rows.jsonl", rows)
    short = shorten(word_backbone, 12 + 3 * 5, tmp_path / "short")
    make = {"data": tmp_path / "rows.jsonl", "backbone": short, "iterations": 1}
    with pytest.warns(UserWarning, match="1 of 5 labels lie behind max_length"):
        result = train(config(**make, max_dropped=0.2))
    assert (result.dropped_labels, result.labels) == (1, {"right": 4, "wrong": 0})
    with pytest.raises(TrainError, match=r"1 of 5 labels .* allowed are 19.00%"):
        train(config(**make, max_dropped=0.19))
    with pytest.raises(ScoringError, match="1 of 4 steps"):
        Scorer(result.model, device="cpu").score("x", rows[0].steps)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "holds no record"),
        ([Record("a", "a", "x", ("s",), (None,))], "'a' has no label"),
        ([Record("a", "a", "x", ("s",), (1,))] * 2, "'a' occurs twice"),
    ],
)
def test_unusable_data_is_refused(
    config: Make, tmp_path: Path, rows: list[Record], reason: str
) -> None:
    write_jsonl(tmp_path / "rows.jsonl", rows)
    with pytest.raises(TrainError, match=reason):
        train(config(data=tmp_path / "rows.jsonl"))


def test_labels_after_the_first_error_are_trained_on_only_if_asked(
    config: Make, tmp_path: Path
) -> None:
    rows = [Record("a", "a", "x", ("s", "t", "u", "v"), (1, 0, 1, 0))]
    rows += [Record("b", "b", "x", ("s", "t"), (1, 1), first_error=-1)]
    write_jsonl(tmp_path / "rows.jsonl", rows)
    result = train(config(data=tmp_path / "rows.jsonl", iterations=1))
    assert (result.labels, result.after_error_labels) == ({"right": 3, "wrong": 1}, 2)
    other = tmp_path / "other"
    asked = train(config(data=tmp_path / "rows.jsonl", iterations=1, after_error=True, out=other))
    assert (asked.labels, asked.after_error_labels) == ({"right": 4, "wrong": 2}, 0)


def test_labels_end_at_the_first_wrong_step_known() -> None:
    # The first error may be known although its step carries no label.
    record = Record("a", "a", "x", ("s", "t", "u"), (1, None, 1), first_error=1)
    assert until_error(record).labels == (1, None, None)
    assert until_error(replace(record, first_error=None)).labels == (1, None, 1)


def test_packing_and_padding_train_the_same_model(config: Make, tmp_path: Path) -> None:
    packed = train(config()).losses
    padded = train(config(packing=False, max_tokens=200, out=tmp_path / "padded")).losses
    assert packed == pytest.approx(padded, rel=1e-4)
    lines = (tmp_path / "run" / "train_log.jsonl").read_text().splitlines()
    assert all(json.loads(line)["padding"] == 0 for line in lines)


def test_gradient_checkpointing_changes_no_loss(config: Make, tmp_path: Path) -> None:
    kept = train(config()).losses
    again = train(config(gradient_checkpointing=True, out=tmp_path / "again")).losses
    assert again == pytest.approx(kept, rel=1e-5)


def test_a_label_limit_takes_whole_records_chosen_by_seed() -> None:
    records = sums(50)
    chosen = limit_labels(records, 30, seed=0)
    count = sum(label is not None for r in chosen for label in r.labels)
    assert 24 < count <= 30
    assert chosen != limit_labels(records, 30, seed=1)
    assert limit_labels(records, None, seed=0) == records
    with pytest.raises(TrainError, match="less than one record"):
        limit_labels([Record("a", "a", "x", ("s", "t"), (1, 1))], 1, seed=0)


@pytest.mark.parametrize(
    "change",
    [
        {"objective": "x"},
        {"precision": "fp8"},
        {"lr": 0.0},
        {"lr": float("nan")},
        {"batch_size": 0},
        {"iterations": 0},
        {"max_labels": 0},
        {"warmup": 2.0},
        {"weight_decay": -1.0},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(config: Make, change: dict[str, object]) -> None:
    with pytest.raises(TrainError, match=next(iter(change))):
        replace(config(), **change)


def test_scores_do_not_depend_on_the_company(config: Make) -> None:
    scorer = Scorer(train(config()).model, device="cpu", max_tokens=200)
    items = [(r.prompt, r.steps) for r in sums(20, seed=3)]
    many = scorer.score_many(items)
    assert [len(scores) for scores in many] == [len(steps) for _, steps in items]
    for item, scores in zip(items, many, strict=True):
        assert scorer.score(*item) == pytest.approx(scores, abs=1e-6)
    assert scorer.score_many([]) == []
    with pytest.raises(ScoringError, match="no steps"):
        scorer.score("x", [])


@pytest.mark.parametrize(
    ("neutral", "labels", "first_error"),
    [
        ("label", (1, 1, 0, None), 2),
        ("right", (1, 1, 0, None), 2),
        ("none", (1, None, 0, None), 2),
        # The neutral step is now the first wrong one: nothing behind it counts.
        ("wrong", (1, 0, None, None), 1),
    ],
)
def test_a_neutral_step_counts_as_asked(
    neutral: str, labels: tuple[int | None, ...], first_error: int
) -> None:
    steps, given = ("s", "t", "u", "v"), (1, 1, 0, None)
    record = Record("a", "a", "x", steps, given, first_error=2, sources={"neutral": [1]})
    made = with_neutral(record, neutral)
    assert (until_error(made).labels, made.first_error) == (labels, first_error)


def test_a_right_solution_with_a_neutral_step_has_an_error_only_if_asked() -> None:
    record = Record("a", "a", "x", ("s", "t"), (1, None), first_error=-1, sources={"neutral": [1]})
    assert with_neutral(record, "wrong").first_error == 1
    assert with_neutral(record, "right").labels == (1, 1)
    assert with_neutral(replace(record, sources={}), "wrong").labels == (1, None)


@pytest.mark.parametrize("neutral", [[4], "1", [-1], [2]])
def test_neutral_steps_that_contradict_the_record_are_refused_by_its_id(neutral: object) -> None:
    steps, sources = ("s", "t", "u", "v"), {"neutral": neutral}
    record = Record("a", "a", "x", steps, (1, 1, 0, None), first_error=2, sources=sources)
    with pytest.raises(TrainError, match="record 'a'"):
        with_neutral(record, "right")


def test_how_neutral_counts_is_a_setting_of_the_run(config: Make, tmp_path: Path) -> None:
    rows = [
        Record("a", "a", "x", ("s", "t"), (1, 1), first_error=-1, sources={"neutral": [1]}),
        Record("b", "b", "x", ("s", "t"), (1, 0), first_error=1),
    ]
    write_jsonl(tmp_path / "rows.jsonl", rows)
    counts = {
        neutral: train(
            config(data=tmp_path / "rows.jsonl", iterations=1, neutral=neutral,
                   out=tmp_path / neutral)
        ).labels
        for neutral in ("label", "none", "wrong")
    }  # fmt: skip
    assert counts == {
        "label": {"right": 3, "wrong": 1},
        "none": {"right": 2, "wrong": 1},
        "wrong": {"right": 2, "wrong": 2},
    }
