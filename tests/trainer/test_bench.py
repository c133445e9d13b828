from __future__ import annotations

import json
import statistics
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from trainer import checkpoints
from trainer.batching import BatchPlan
from trainer.bench import inputs, one_gpu
from trainer.bench.__main__ import cost
from trainer.bench.differences import Losses, difference, farthest
from trainer.bench.rows import CAREFUL, HASTY, rows
from trainer.bench.turns import BenchError, Contender, take_turns
from trainer.records import read_jsonl


def python(name: str, code: str) -> Contender:
    return Contender(name, [sys.executable, "-c", code])


def test_lengths_have_a_long_tail_and_the_seed_decides_them() -> None:
    made = rows(1000, 0, "train")
    steps = sorted(len(record.steps) for record in made)
    # A log-normal of median 6.2 and sigma 0.6: the 99th percentile is 6.2 · e^(0.6 · 2.33) = 25.
    assert statistics.median(steps) == pytest.approx(6, abs=1)
    assert steps[990] == pytest.approx(25, abs=6)
    assert made == rows(1000, 0, "train")
    assert made != rows(1000, 1, "train")


def test_half_of_the_solutions_end_with_their_only_wrong_step() -> None:
    made = rows(1000, 0, "train")
    ends = [record.labels[-1] for record in made]
    assert sum(ends) == pytest.approx(500, abs=60)
    assert all(all(record.labels[:-1]) for record in made)


def test_wrong_steps_sound_hasty_more_often() -> None:
    made = rows(1000, 0, "train")
    pairs = [(s, x) for r in made for s, x in zip(r.steps, r.labels, strict=True)]
    shares = {
        label: statistics.mean(any(t in s for t in HASTY) for s, x in pairs if x == label)
        for label in (0, 1)
    }
    assert shares[0] == pytest.approx(0.85, abs=0.05)
    assert shares[1] == pytest.approx(0.15, abs=0.05)
    assert all(any(t in s for t in HASTY + CAREFUL) for s, _ in pairs)


def test_the_encoder_makes_the_tokens_that_trl_makes(tmp_path: Path) -> None:
    shared = inputs.prepare(tmp_path, examples=8, seed=0, size="tiny")
    model, encoder = checkpoints.load(shared["backbone"])
    tokenizer = encoder.tokenizer
    assert tokenizer.bos_token_id is None  # TRL would put it in front
    for record in read_jsonl(shared["data"]):
        # trl/experimental/prm/prm_trainer.py, tokenize_row
        prompt = tokenizer(record.prompt, add_special_tokens=False)["input_ids"]
        separator = tokenizer.encode(shared["separator"], add_special_tokens=False)
        steps = [tokenizer(s, add_special_tokens=False)["input_ids"] for s in record.steps]
        encoded = encoder.encode(record.prompt, record.steps)
        assert encoded.ids == prompt + [token for step in steps for token in step + separator]
        assert len(encoded.positions) == len(record.steps)
    names = json.loads((Path(shared["backbone"]) / "config.json").read_text())["architectures"]
    assert names == ["LlamaForTokenClassification"]
    assert model.enable_packing()


def test_contenders_take_turns_and_report_their_last_line(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = (
        "import time, json\nend = time.process_time() + 0.4\n"
        "while time.process_time() < end:\n"
        f" open({str(log)!r}, 'a').write('NAME ')\n"
        "print('noise')\nprint(json.dumps({'name': 'NAME'}))"
    )
    pair = [python(name, code.replace("NAME", name)) for name in ("a", "b")]
    assert take_turns(pair, slice_seconds=0.1) == {"a": {"name": "a"}, "b": {"name": "b"}}
    written = log.read_text().split()
    changes = sum(one != other for one, other in pairwise(written))
    assert changes >= 2  # one after the other would change once


def test_a_contender_that_fails_ends_the_comparison() -> None:
    bad = python("bad", "raise SystemExit('no such model')")
    with pytest.raises(BenchError, match="bad: no such model"):
        take_turns([bad, python("slow", "import time; time.sleep(60)")], slice_seconds=0.2)


def test_contenders_that_did_different_work_are_not_compared() -> None:
    row = {"tokens": 10, "labels": 2}
    inputs.check_same_work({"ours": row, "trl": row})
    with pytest.raises(BenchError, match="different work"):
        inputs.check_same_work({"ours": row, "trl": row | {"labels": 1}})


def test_a_cpu_run_costs_its_own_seconds_and_a_gpu_run_those_of_the_clock() -> None:
    row = {"tokens": 600, "cpu_s": 3.0, "wall_s": 2.0, "peak_mb": 50, "gpu_mb": 70}
    assert cost(row, "cpu") == {"tokens_per_cpu_s": 200, "peak_mb": 50}
    assert cost(row, "cuda") == {"tokens_per_s": 300, "peak_mb": 70}


def test_the_peer_reads_the_batches_that_our_plan_draws(tmp_path: Path) -> None:
    shared = inputs.prepare(tmp_path, examples=21, seed=3, size="tiny")
    ids = [record.id for record in read_jsonl(shared["data"])]
    ordered = [record.id for record in read_jsonl(shared["ordered"])]
    plan = BatchPlan(21, 8, 3)
    assert shared["iterations"] == 2  # 21 solutions are two whole batches of 8
    assert [ordered[:8], ordered[8:]] == [[ids[i] for i in plan.batch(n)] for n in (0, 1)]
    assert ordered[:8] != ids[:8]


def test_the_interval_of_a_difference_is_of_pairs() -> None:
    # Solutions of 1 and 3 labels; ours loses .1 less per label on every one, whichever are drawn.
    labels = [1, 3] * 50
    theirs = Losses([float(place % 7) for place in range(100)], labels)
    ours = Losses([x - 0.1 * n for x, n in zip(theirs.sums, labels, strict=True)], labels)
    found = difference(ours, theirs)
    assert found == pytest.approx({"mean": -0.1, "low": -0.1, "high": -0.1})


def test_the_interval_has_the_width_that_theory_gives() -> None:
    # Differences are +1 and -1 by halves: the mean of 400 has a standard error of 1/20.
    ones = [1] * 400
    found = difference(Losses([1.0, -1.0] * 200, ones), Losses([0.0] * 400, ones))
    assert found["mean"] == 0
    assert found["low"] == pytest.approx(-1.96 / 20, abs=0.005)
    assert found["high"] == pytest.approx(1.96 / 20, abs=0.005)
    assert found == difference(Losses([1.0, -1.0] * 200, ones), Losses([0.0] * 400, ones))


def test_losses_of_training_are_compared_over_the_steps_that_the_peer_takes_together() -> None:
    # Means of steps 1-2 and of 3: (1 + 2) / 2 against 1.5, and 3 against 3.25.
    assert farthest([1.0, 2.0, 3.0, 9.0], {"2": 1.5, "3": 3.25}) == 0.25
    assert farthest([1.0, 2.0], {}) is None  # a run of less than ten steps


def test_the_script_for_one_gpu_runs_without_one(capsys: pytest.CaptureFixture[str]) -> None:
    words = "--device cpu --size tiny --examples 16 --batch-size 8 --ways packed"
    one_gpu.main(words.split())
    report = json.loads(capsys.readouterr().out)
    assert (report["device"], report["kernel"], report["optimizer_steps"]) == ("cpu", "each", 2)
    way = report["packed"]
    assert way["padding"] == 0
    assert way["tokens_per_s"] > 0
    assert way["peak_mb"] > 0
    assert 0 < way["eval_loss"] < 3
    assert 0 < way["first_loss"] < 3


def test_the_script_for_one_gpu_says_that_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_gpu.torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match="there is no GPU here"):
        one_gpu.main([])


def test_a_way_that_fails_says_why_and_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise BenchError("compiled: no compiler")

    monkeypatch.setattr(one_gpu, "take_turns", fail)
    assert one_gpu._run("compiled", {}, 64, tmp_path) == {"error": "compiled: no compiler"}
