"""Train the tiny checkpoint from nothing: `python -m demo.train_tiny --out DIR`."""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from pathlib import Path
from typing import Any

import torch

from demo import card
from demo import tokenizer as words
from demo.base import Learner, collate, language_model
from demo.documents import batches
from demo.measure import measure

ITERATIONS = 1200
BATCH = 32
RATE = 2.5e-3
WARMUP = 100
WEIGHTS = {"next": 1.0, "right": 0.5, "slip": 1.0, "line": 0.5}
ENCODER = {"template": "plain", "step_token": words.STEP, "init_step_token_from": "\n\n"}


def train(iterations: int, seed: int) -> tuple[Any, float]:
    """Return the trained language model (float32) and the minutes it took.

    One thread and one seed: the same weights on the same machine and torch version.
    """
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    begin = time.monotonic()
    tokenizer = words.build()
    vocabulary = tokenizer.get_vocab()
    learner = Learner(language_model(vocabulary, tokenizer.pad_token_id, tokenizer.eos_token_id))
    optimizer = torch.optim.AdamW(
        learner.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.01, fused=True
    )
    rng = random.Random(f"documents:{seed}")
    for iteration, documents in enumerate(batches(rng, iterations, BATCH)):
        losses = learner(collate(documents, vocabulary, tokenizer.pad_token_id))
        sum(WEIGHTS[name] * loss for name, loss in losses.items()).backward()
        torch.nn.utils.clip_grad_norm_(learner.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = RATE * schedule(iteration, iterations)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if (iteration + 1) % 100 == 0:
            shown = "  ".join(f"{name} {loss.item():.3f}" for name, loss in losses.items())
            print(f"{iteration + 1:5d}  {time.monotonic() - begin:5.0f} s  {shown}", flush=True)
    return learner.model.eval(), (time.monotonic() - begin) / 60


def schedule(iteration: int, iterations: int) -> float:
    """Return the factor on the rate: linear up over WARMUP, then a cosine to 0."""
    if iteration < WARMUP:
        return (iteration + 1) / WARMUP
    return 0.5 * (1 + math.cos(math.pi * (iteration - WARMUP) / max(1, iterations - WARMUP)))


def write(model: Any, directory: Path) -> None:
    """Write a directory that transformers, vLLM and `trainer` read, weights in float16."""
    directory.mkdir(parents=True, exist_ok=True)
    model.half().save_pretrained(str(directory))
    (directory / "model.safetensors").chmod(0o644)  # a server may run as another user
    words.write(directory)
    generation = {"do_sample": True, "temperature": 1.0, "top_k": 0, "top_p": 1.0}
    generation |= {"eos_token_id": model.config.eos_token_id}
    generation |= {"pad_token_id": model.config.pad_token_id}
    _write_json(directory / "generation_config.json", generation)
    _write_json(directory / "prm_encoder.json", ENCODER)


def _write_json(file: Path, row: dict[str, Any]) -> None:
    file.write_text(json.dumps(row, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Train, write, measure, and put what was measured on the model's card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="directory of the checkpoint")
    parser.add_argument("--iterations", type=int, default=ITERATIONS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--measured", type=int, default=1500, help="solutions behind the card")
    args = parser.parse_args()
    model, minutes = train(args.iterations, args.seed)
    write(model, args.out)
    card.write(
        args.out,
        parameters=model.num_parameters(),
        iterations=args.iterations,
        seed=args.seed,
        minutes=minutes,
        measured=measure(args.out, args.measured),
    )
    print(f"trained in {minutes:.1f} minutes; measured in {args.out / 'README.md'}")


if __name__ == "__main__":
    main()
