"""Process reward models to test with: trained in seconds, or of random weights in real layouts."""

from __future__ import annotations

import random
import string
from pathlib import Path

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from demo.world import problems, reference_steps, truth
from tests.tiny_models import CHAT, make_tiny_qwen
from trainer import checkpoints
from trainer.config import TrainConfig
from trainer.records import Record, write_jsonl
from trainer.training import train
from workers.engines import scorer_registry
from workers.engines.scorers import Solution

# In the order of Qwen2.5's tokenizer, from id 151,643; <|quad_end|> is 151,651.
QWEN_CONTROLS = (
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>",
    "<|box_start|>", "<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>",
)  # fmt: skip


def world_solutions(count: int, seed: int) -> list[Solution]:
    """Draw solutions of the sample world; one line in ten says another number."""
    draw = random.Random(seed)
    drawn = problems(seed, count)
    return [
        (problem.statement, _noisy(reference_steps(problem.statement), draw)) for problem in drawn
    ]


def make_champion(backbone: Path, folder: Path, iterations: int = 60) -> Path:
    """Train a PRM on the sample world; return its directory."""
    records = [_record(number, *item) for number, item in enumerate(world_solutions(400, 3))]
    folder.mkdir(parents=True, exist_ok=True)
    write_jsonl(folder / "train.jsonl", records)
    config = TrainConfig(
        data=folder / "train.jsonl", backbone=backbone, out=folder / "run", lr=1e-3,
        iterations=iterations, device="cpu",
    )  # fmt: skip
    return train(config).model


def make_qwen_sized(folder: Path) -> Path:
    """Save a random tiny Qwen2 with Qwen2.5's ids of control tokens; return its folder."""
    tokenizer = _qwen_tokenizer()
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=151_936, hidden_size=64, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=1024,
        tie_word_embeddings=True, initializer_range=0.2, bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    Qwen2ForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_untrained(backbone: Path, folder: Path, head: float = 0.2) -> Path:
    """Save a PRM that was never trained, with a head of large weights, so that scores differ."""
    model, encoder = checkpoints.start(backbone)
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in model.score.parameters():
            weight.normal_(0, head)
    checkpoints.save(model, encoder, folder)
    return folder


def make_shepherd(folder: Path) -> Path:
    """Save a random causal model whose tokenizer knows +, - and the tag ки; return its folder."""
    make_tiny_qwen(folder, context=1024)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(str(folder))
    tokenizer.add_tokens(["ки"])
    torch.manual_seed(2)
    config = Qwen2Config(
        vocab_size=len(tokenizer), hidden_size=64, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=1024,
        tie_word_embeddings=False, initializer_range=0.2, bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    Qwen2ForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _noisy(steps: tuple[str, ...], draw: random.Random) -> tuple[str, ...]:
    return tuple(
        f"{step[:-1]}{draw.randrange(10)}" if draw.random() < 0.1 else step for step in steps
    )


def _record(number: int, statement: str, steps: tuple[str, ...]) -> Record:
    error = truth(statement, steps).first_error
    labels = [1 if error < 0 or index < error else 0 for index in range(len(steps))]
    known = labels if error < 0 else [*labels[: error + 1], *[None] * (len(steps) - error - 1)]
    return Record(str(number), str(number), statement, steps, tuple(known), first_error=error)


def _qwen_tokenizer() -> PreTrainedTokenizerFast:
    fillers = (f"filler{number}" for number in range(151_643))
    characters = [c for c in string.printable if c not in "\r\x0b\x0c"]
    words = [*characters, "<unk>", *fillers][:151_643]
    raw = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    raw.decoder = decoders.Fuse()
    raw.add_special_tokens([AddedToken(token, special=True) for token in QWEN_CONTROLS])
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        eos_token="<|endoftext|>",
        pad_token="<|endoftext|>",
        unk_token="<unk>",
        additional_special_tokens=list(QWEN_CONTROLS[1:]),
        chat_template=CHAT,
    )


def close_scorers() -> None:
    """Close what this process keeps open: the next test begins with nothing."""
    while scorer_registry._open:
        scorer_registry._open.popitem()[1].close()
