"""Measuring on held-out solutions while training: the best is kept, and enough is enough."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.trainer.conftest import sums
from trainer import checkpoints, evaluation
from trainer.config import Progress, TrainConfig, TrainError
from trainer.dataset import load_dataset
from trainer.gradients import mean_loss
from trainer.held_out import Best, Figures
from trainer.records import Record, write_jsonl
from trainer.scorers import score_each
from trainer.scoring import Scorer
from trainer.training import train

Make = Callable[..., TrainConfig]


@pytest.fixture
def held_out(tmp_path: Path) -> Path:
    write_jsonl(tmp_path / "held_out.jsonl", sums(24, seed=5, split="test"))
    return tmp_path / "held_out.jsonl"


def measured(out: Path) -> dict[int, tuple[float, float]]:
    rows = [json.loads(line) for line in (out / "train_log.jsonl").read_text().splitlines()]
    return {
        row["iteration"]: (row["held_out_loss"], row["held_out_f1"])
        for row in rows
        if row["held_out_loss"] is not None
    }


def test_the_model_written_is_the_one_with_the_best_held_out_loss(
    config: Make, held_out: Path
) -> None:
    # A rate far too high: the loss gets worse soon.
    settings = config(held_out=held_out, evaluate_every=2, iterations=12, lr=3e-2)
    result = train(settings)
    figures = measured(settings.out)
    assert sorted(figures) == [2, 4, 6, 8, 10, 12]
    best = min(figures, key=lambda step: figures[step][0])
    assert result.best_iteration == best
    assert f"| kept | step {best}: best held-out loss |" in (result.model / "README.md").read_text()
    assert len({loss for loss, _ in figures.values()}) == 6
    model, encoder = checkpoints.load(result.model)
    examples = load_dataset(settings, encoder, held_out).examples
    assert mean_loss(model.eval(), examples, settings) == pytest.approx(figures[best][0], rel=1e-4)
    assert not list(settings.out.glob("*.pt"))


def test_the_f1_that_is_watched_is_that_of_an_evaluation(config: Make, held_out: Path) -> None:
    settings = config(held_out=held_out, evaluate_every=6, watch="f1", iterations=60, lr=3e-3)
    result = train(settings)
    figures = measured(settings.out)
    best = max(figures, key=lambda step: (figures[step][1], -step))
    assert result.best_iteration == best
    records = sums(24, seed=5, split="test")
    scored = score_each(Scorer(result.model, "cpu"), [(r.prompt, r.steps) for r in records])
    report = evaluation.evaluate(evaluation.predict(records, scored))
    assert report.mean_f1 == pytest.approx(figures[best][1])
    assert len({f1 for _, f1 in figures.values()}) > 1


def test_a_run_ends_when_patience_is_out(config: Make, held_out: Path) -> None:
    settings = config(held_out=held_out, evaluate_every=1, patience=2, iterations=40, lr=0.1)
    result = train(settings)
    assert result.stopped_early
    assert result.best_iteration is not None
    assert len(result.losses) == result.best_iteration + 2 < 40
    # a finished run stays finished
    assert train(config(**{**vars_of(settings), "resume": True})) == result


def vars_of(settings: TrainConfig) -> dict[str, object]:
    return {name: getattr(settings, name) for name in TrainConfig.__dataclass_fields__}


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from trainer.config import TrainConfig
    from trainer.training import train
    data, backbone, held_out, out = map(Path, sys.argv[1:])
    def die(step):
        if step.iteration == 9:
            os.kill(os.getpid(), signal.SIGKILL)
    train(TrainConfig(data=data, backbone=backbone, out=out, lr=1e-3, iterations=40, batch_size=8,
                      held_out=held_out, evaluate_every=1, patience=3, device="cpu",
                      checkpoint_every=4), die)
"""


def test_a_killed_run_stops_where_the_whole_one_does_with_the_same_model(
    config: Make, data: Path, backbone: Path, held_out: Path, tmp_path: Path
) -> None:
    asked = {"held_out": held_out, "evaluate_every": 1, "patience": 3, "iterations": 40}
    whole = train(config(**asked, out=tmp_path / "whole"))
    out = tmp_path / "killed"
    command = [sys.executable, "-c", textwrap.dedent(KILLED)]
    command += map(str, (data, backbone, held_out, out))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    assert subprocess.run(command, check=False, env=environment).returncode == -9
    resumed = train(config(**asked, out=out, resume=True, checkpoint_every=4))
    assert resumed.resumed_from == 8
    assert resumed.losses == whole.losses
    assert measured(out) == measured(tmp_path / "whole")
    assert (resumed.best_iteration, resumed.stopped_early) == (
        whole.best_iteration,
        whole.stopped_early,
    )
    weights = [(r.model / "model.safetensors").read_bytes() for r in (whole, resumed)]
    assert weights[0] == weights[1]


def test_the_best_weights_that_a_checkpoint_names_outlive_better_ones(
    config: Make, held_out: Path
) -> None:
    class Killed(Exception):
        pass

    kept: list[set[str]] = []
    settings = config(held_out=held_out, evaluate_every=1, checkpoint_every=3, lr=1e-3)

    def watch(step: Progress) -> None:
        kept.append({path.name for path in settings.out.glob("best-*.pt")})
        if step.iteration == 5:
            raise Killed

    with pytest.raises(Killed):
        train(settings, watch)
    figures = measured(settings.out)
    assert min(figures, key=lambda step: figures[step][0]) == 5  # it improves at every step
    # The checkpoint of step 3 names best-3.pt, whatever came later.
    assert kept[-1] == {"best-3.pt", "best-5.pt"}


def test_patience_counts_from_the_best_and_equal_is_not_better() -> None:
    best = Best()
    values = (0.5, 0.7, 0.7, 0.6)
    assert [best.take(v, step) for step, v in enumerate(values, start=1)] == [
        True,
        True,
        False,
        False,
    ]
    assert (best.value, best.iteration, best.since) == (0.7, 2, 2)


def test_no_number_is_worse_than_any() -> None:
    best = Best()
    values = (math.nan, -0.5, math.nan, -0.1)
    assert [best.take(v, step) for step, v in enumerate(values, start=1)] == [
        True,
        True,
        False,
        True,
    ]
    assert (best.value, best.iteration, best.since) == (-0.1, 4, 0)


def test_a_run_that_did_all_its_steps_was_not_stopped_early(config: Make, held_out: Path) -> None:
    # Nothing is learned: from step 2 on no measurement is better, and patience is out at step 4.
    asked = {"held_out": held_out, "evaluate_every": 1, "patience": 3, "lr": 1e-9, "watch": "f1"}
    result = train(config(**asked, iterations=4))
    assert (result.best_iteration, len(result.losses)) == (1, 4)
    assert not result.stopped_early
    assert train(config(**asked, iterations=5)).stopped_early


def test_what_is_watched_is_better_when_it_is_more() -> None:
    assert Figures(0.4, 0.9).value("loss") == -0.4
    assert Figures(0.4, 0.9).value("f1") == 0.9
    assert Figures(0.4, None).value("f1") == -math.inf


def test_f1_needs_erroneous_and_right_solutions(config: Make, tmp_path: Path) -> None:
    path = tmp_path / "right.jsonl"
    write_jsonl(path, [Record("a", "a", "x", ("s",), (1,), first_error=-1)])
    with pytest.raises(TrainError, match=r"right.jsonl lacks solutions with a known first error"):
        train(config(held_out=path, watch="f1"))
    with pytest.raises(TrainError, match="patience needs held_out"):
        config(patience=1)


def test_other_held_out_solutions_are_another_run_and_the_same_ones_moved_are_not(
    config: Make, held_out: Path, tmp_path: Path
) -> None:
    class Killed(Exception):
        pass

    def die(step: Progress) -> None:
        if step.iteration == 4:
            raise Killed

    asked = {"evaluate_every": 2, "checkpoint_every": 2, "iterations": 6}
    with pytest.raises(Killed):
        train(config(held_out=held_out, **asked), die)
    moved = held_out.rename(tmp_path / "moved.jsonl")
    write_jsonl(held_out, sums(24, seed=6, split="test"))
    with pytest.raises(TrainError, match="held_out_sha256 changed"):
        train(config(held_out=held_out, resume=True, **asked))
    assert train(config(held_out=moved, resume=True, **asked)).resumed_from == 2
