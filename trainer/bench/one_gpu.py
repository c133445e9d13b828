"""This trainer alone on one GPU, in several ways: one JSON line.

    python -m trainer.bench.one_gpu            # needs torch and transformers, no network, no model

A backbone of random weights is built here from its dimensions and trained in bfloat16 on solutions
made by seed: packed, padded, compiled, with gradient checkpointing, and packed in float32, one
after the other, each in a process of its own. Reported of each way: tokens per second behind its
first fifth of the steps, the card's peak memory, padding, the first step's loss, which must be the
same in all ways but for rounding, and the loss on held-out solutions. `kernel` is what attends to
packed rows. A way that fails says why and stops no other. `--device cpu --size tiny` shows that
the script runs.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from trainer import attention, checkpoints
from trainer.bench import inputs
from trainer.bench.differences import Losses
from trainer.bench.turns import BenchError, Contender, take_turns

WAYS: dict[str, dict[str, Any]] = {
    "packed": {},
    "padded": {"packing": False},
    "compiled": {"compile": True},
    "checkpointed": {"gradient_checkpointing": True},
    "packed_fp32": {"precision": "fp32", "max_tokens": 4096},
}


def main(argv: list[str] | None = None) -> None:
    """Build, train in every way asked for, and report."""
    arguments = _parse(argv)
    if arguments.device == "cuda" and not torch.cuda.is_available():
        sys.exit("there is no GPU here; --device cpu --size tiny shows that the script runs")
    with tempfile.TemporaryDirectory(prefix="bench-gpu-") as name:
        report = measure(arguments, Path(name))
    sys.stdout.write(json.dumps(report) + "\n")


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Return the figures of each way, and what they were measured on."""
    shared = inputs.prepare(folder, arguments.examples, 0, arguments.size, arguments.batch_size)
    precision = "bf16" if arguments.device == "cuda" else "fp32"
    shared |= {"device": arguments.device, "precision": precision}
    ways = {name: _run(name, shared, arguments.max_tokens, folder) for name in arguments.ways}
    model, _ = checkpoints.load(shared["backbone"])
    parameters = sum(p.numel() for p in model.parameters())
    for row in ways.values():
        if "tokens_per_s" in row:  # 6 operations per weight and token, attention not counted
            row["tflop_per_s"] = round(6e-12 * parameters * row["tokens_per_s"], 2)
    return {
        "device": _device_name(arguments.device),
        "torch": torch.__version__,
        "kernel": _kernel(model, shared),
        "parameters": parameters,
        "optimizer_steps": shared["iterations"],
        "batch_size": shared["batch_size"],
        "max_tokens": arguments.max_tokens,
        **ways,
    }


def _run(name: str, shared: dict[str, Any], max_tokens: int, folder: Path) -> dict[str, Any]:
    out = folder / name
    more = {"max_tokens": max_tokens, **WAYS[name]}
    settings = folder / f"{name}.json"
    settings.write_text(json.dumps({**shared, "out": str(out), "more": more}))
    command = [sys.executable, "-m", "trainer.bench.ours", str(settings)]
    judge = Contender(name, [*command, "--evaluate", str(out / "model")])
    try:
        row = take_turns([Contender(name, command)])[name]
        (judged,) = take_turns([judge])[name].values()
    except BenchError as error:
        return {"error": str(error)[-500:]}
    return {
        "tokens_per_s": round(row["tokens_per_s"]),
        "peak_mb": row["gpu_mb"] or row["peak_mb"],
        "padding": round(row["padding"], 4),
        "first_loss": row["losses"][0],
        "eval_loss": round(Losses(**judged).mean, 5),
        "seconds": round(row["wall_s"], 1),
    }


def _device_name(device: str) -> str:
    return torch.cuda.get_device_name() if device == "cuda" else device


def _kernel(model: Any, shared: dict[str, Any]) -> str:
    """Return what attends to packed rows in the run's own precision."""
    config = model.model.config
    head = config.hidden_size // config.num_attention_heads
    dtype = torch.bfloat16 if shared["precision"] == "bf16" else torch.float32
    query = torch.empty(1, 1, 1, head, dtype=dtype, device=shared["device"])
    return attention.kernel(attention.Packing((1,)), query)


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m trainer.bench.one_gpu",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    option = parser.add_argument
    option("--size", default="half-billion", choices=inputs.SIZES, help="of the model")
    option("--examples", type=int, default=6400, help="solutions (%(default)s)")
    option("--batch-size", type=int, default=64, help="solutions per step (%(default)s)")
    option("--max-tokens", type=int, default=16384, help="tokens of a batch (%(default)s)")
    option("--device", default="cuda", choices=("cuda", "cpu"))
    option("--ways", nargs="+", default=list(WAYS), choices=WAYS, help="(all)")
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
