"""This trainer beside TRL 1.13.0's PRMTrainer: one JSON line.

The same records, first weights, tokens, optimizer (AdamW), decay, clipping, number of steps, batch
size and rates. TRL runs at its usual setting (random batches, the very ones that ours draws) and at
its best (grouped by length); all in TRL's environment, so with the same torch and transformers. The
processes take turns on the machine, so that whatever else it does meets all alike, and are measured
in CPU seconds of their own, from the records to the written model, without imports.

The held-out loss of all models is computed by one function; `eval_loss_difference` is ours minus
TRL's, with a 95 % interval over held-out solutions. On the same batches both should lose the same
at every step, too: `step_loss_difference` says how far apart they were at most.

`--device cuda` runs the same on one GPU, one after the other, in bfloat16, and reports wall seconds
(`tokens_per_s`) and the card's peak memory.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from trainer.bench import inputs
from trainer.bench.differences import Losses, difference, farthest
from trainer.bench.turns import Contender, take_turns

HERE = Path(__file__).parent


def main() -> None:
    """Prepare, run and report."""
    arguments = _parse()
    folder = Path(tempfile.mkdtemp(prefix="bench-trainer-"))
    try:
        report = compare(arguments, folder)
    finally:
        shutil.rmtree(folder)
    sys.stdout.write(json.dumps(report) + "\n")


def compare(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Return each contender's figures and how ours stand to the others'."""
    python = str(arguments.trl_python)
    shared = inputs.prepare(folder, arguments.examples, arguments.seed, arguments.size)
    shared |= {"device": arguments.device}
    shared |= {"precision": "bf16" if arguments.device == "cuda" else "fp32"}
    peer = [python, str(HERE / "trl_peer.py")]
    random, grouped = ({"sampling": name} for name in ("sequential", "group_by_length"))
    contenders = [
        _contender("ours", [python, "-m", "trainer.bench.ours"], shared, folder),
        _contender("trl", peer, shared | random, folder),
        _contender("trl_grouped", peer, shared | grouped, folder),
    ]
    if arguments.device == "cpu":
        rows = take_turns(contenders, slice_seconds=arguments.slice)
    else:  # a GPU works on while its process is stopped
        rows = {c.name: take_turns([c])[c.name] for c in contenders}
    inputs.check_same_work(rows)
    models = {name: folder / name / "model" for name in rows}
    for directory in models.values():
        inputs.describe(directory)
    command = [python, "-m", "trainer.bench.ours", str(folder / "ours.json"), "--evaluate"]
    judge = Contender("evaluation", [*command, *map(str, models.values())])
    judged = take_turns([judge])["evaluation"]
    losses = {name: Losses(**judged[str(directory)]) for name, directory in models.items()}
    figures = {
        name: {**cost(row, arguments.device), "eval_loss": round(losses[name].mean, 5)}
        for name, row in rows.items()
    }
    return {
        **figures,
        "eval_loss_difference": difference(losses["ours"], losses["trl"]),
        "eval_loss_difference_grouped": difference(losses["ours"], losses["trl_grouped"]),
        "step_loss_difference": farthest(rows["ours"]["losses"], rows["trl"]["losses"]),
        "ratios": _ratios(figures),
        "setting": _setting(shared, rows),
    }


def cost(row: dict[str, Any], device: str) -> dict[str, int]:
    """Return a run's speed and peak memory: of the process on CPU, of the card on a GPU."""
    if device == "cpu":
        speed = round(row["tokens"] / row["cpu_s"])
        return {"tokens_per_cpu_s": speed, "peak_mb": row["peak_mb"]}
    return {"tokens_per_s": round(row["tokens"] / row["wall_s"]), "peak_mb": row["gpu_mb"]}


def _ratios(figures: dict[str, dict[str, Any]]) -> dict[str, float]:
    ours, trl, grouped = (figures[name] for name in ("ours", "trl", "trl_grouped"))
    speed = next(name for name in ours if name.startswith("tokens_per"))
    return {
        "speed_to_trl": round(ours[speed] / trl[speed], 2),
        "speed_to_trl_grouped": round(ours[speed] / grouped[speed], 2),
        "memory_to_trl": round(ours["peak_mb"] / trl["peak_mb"], 2),
        "memory_to_trl_grouped": round(ours["peak_mb"] / grouped["peak_mb"], 2),
    }


def _setting(shared: dict[str, Any], rows: dict[str, Any]) -> dict[str, Any]:
    return {
        "optimizer_steps": shared["iterations"],
        "batch_size": shared["batch_size"],
        "tokens": rows["ours"]["tokens"],
        "labels": rows["ours"]["labels"],
        "our_padding": round(rows["ours"]["padding"], 4),
        "device": shared["device"],
    }


def _contender(name: str, command: list[str], shared: dict[str, Any], folder: Path) -> Contender:
    out = folder / name
    settings = folder / f"{name}.json"
    row = {**shared, "out": str(out), "model": str(out / "model")}
    settings.write_text(json.dumps(row))
    return Contender(name, [*command, str(settings)])


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m trainer.bench", description=__doc__)
    parser.add_argument("--trl-python", type=Path, required=True, help="of an environment with TRL")
    parser.add_argument("--examples", type=int, default=2000, help="solutions (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", default="tiny", choices=inputs.SIZES, help="of the model")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--slice", type=float, default=2.0, help="seconds of a turn (%(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
