"""What all contenders of the benchmark are given: records, a tokenizer and first weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from trainer import checkpoints, scratch
from trainer.batching import BatchPlan
from trainer.bench.rows import rows
from trainer.bench.turns import BenchError
from trainer.encoding import Encoder, EncoderSpec, load_tokenizer, write_spec
from trainer.model import ProcessRewardModel, new_head
from trainer.records import write_jsonl

SIZES: dict[str, dict[str, Any]] = {
    "tiny": {"hidden_size": 128, "intermediate_size": 344, "num_hidden_layers": 4},
    "half-billion": {"hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24},
    "billion-and-a-half": {"hidden_size": 1536, "intermediate_size": 8960, "num_hidden_layers": 28},
}
HEAD = 32  # width of an attention head of the tiny model
BATCH = 8  # TRL's default
HELD_OUT = 500  # at most; as many as there are examples
VOCABULARY = 512
# Joined by token, this spec gives the very tokens that TRL's trainer makes of the same rows.
SPEC = EncoderSpec(template="bare", step_token="\n", max_length=2048)  # noqa: S106


def prepare(
    folder: Path, examples: int, seed: int, size: str, batch: int = BATCH
) -> dict[str, Any]:
    """Write everything into `folder`; return the settings that all contenders share.

    `ordered` holds the records in the order in which our plan draws them, so that who reads it from
    the top trains on the same random batches. There is no warm-up: transformers' begins with a step
    at rate 0, ours does not.
    """
    data, test, backbone = (folder / name for name in ("train.jsonl", "test.jsonl", "start"))
    records, iterations = rows(examples, seed, "train"), examples // batch
    plan = BatchPlan(examples, batch, seed)
    ordered = folder / "ordered.jsonl"
    write_jsonl(data, records)
    write_jsonl(ordered, (records[i] for n in range(iterations) for i in plan.batch(n)))
    write_jsonl(test, rows(min(examples, HELD_OUT), seed, "test"))
    words = scratch.init([data], folder / "words", VOCABULARY, hidden=32, layers=1)
    encoder = Encoder(load_tokenizer(words), SPEC)
    checkpoints.save(_model(size, len(encoder.tokenizer), seed), encoder, backbone)
    return {
        "data": str(data),
        "ordered": str(ordered),
        "test": str(test),
        "backbone": str(backbone),
        "separator": SPEC.step_token,
        "max_length": SPEC.max_length,
        "lr": 1e-3 if size == "tiny" else 1e-4,
        "warmup": 0.0,
        "weight_decay": 0.01,
        "batch_size": batch,
        "iterations": iterations,
        "seed": seed,
    }


def describe(directory: Path) -> None:
    """Say how inputs of a model that TRL wrote are encoded, as ours say themselves."""
    write_spec(directory, SPEC)


def check_same_work(results: dict[str, dict[str, Any]]) -> None:
    """Refuse to compare contenders that trained on different tokens or labels."""
    work = {name: (row["tokens"], row["labels"]) for name, row in results.items()}
    if len(set(work.values())) != 1:
        raise BenchError(f"different work (tokens, labels): {work}")


def _model(size: str, vocabulary: int, seed: int) -> ProcessRewardModel:
    """Return a Llama with one linear layer as its head, which TRL's trainer loads as it is."""
    from transformers import LlamaConfig, LlamaModel

    heads = SIZES[size]["hidden_size"] // (HEAD if size == "tiny" else 2 * HEAD)
    config = LlamaConfig(
        vocab_size=vocabulary,
        num_attention_heads=heads,
        num_key_value_heads=heads // 2,
        max_position_embeddings=SPEC.max_length,
        bos_token_id=None,
        eos_token_id=0,
        pad_token_id=0,
        **SIZES[size],
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return ProcessRewardModel(LlamaModel(config), new_head(config))
