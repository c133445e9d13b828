"""A small backbone with random weights and a byte-level vocabulary learned from the user's texts.

For data in natural language where no pretrained backbone is at hand: it shows that the pipeline
runs, and knows nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from trainer.checkpoints import write_tensors
from trainer.encoding import EncoderSpec, write_spec
from trainer.records import read_jsonl

CONTEXT = 2048  # tokens; 99.4 % of real solutions fit into half of it (ML_PEERS 2)
END = "<|endoftext|>"
README = """# A backbone that knows nothing

Random weights ({parameters:,} parameters, seed {seed}) and a byte-level vocabulary of {vocabulary}
tokens learned from {files}. It has read no text: a process reward model trained from it can learn
what is in its training labels and nothing more. Use a pretrained model wherever you can.
"""


def init(
    data_paths: Sequence[str | Path],
    out_dir: str | Path,
    vocab_size: int = 4096,
    seed: int = 0,
    hidden: int = 128,
    layers: int = 4,
) -> Path:
    """Write a Qwen2 backbone directory fit for `trainer.train`; return its path.

    Same texts and seed, same bytes. Raise `RecordError` for a bad record.
    """
    out = Path(out_dir)
    out.mkdir(parents=True, exist_ok=True)
    spec = EncoderSpec(template="plain", max_length=CONTEXT)
    size = _write_tokenizer(data_paths, out, vocab_size, spec)
    parameters = _write_model(out, size, seed, hidden, layers)
    write_spec(out, spec)
    files = ", ".join(Path(path).name for path in data_paths)
    text = README.format(parameters=parameters, seed=seed, vocabulary=size, files=files)
    (out / "README.md").write_text(text, encoding="utf-8")
    return out


def _write_tokenizer(
    data_paths: Sequence[str | Path], out: Path, vocab_size: int, spec: EncoderSpec
) -> int:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END, spec.step_token],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(data_paths), trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END, pad_token=END)
    fast.save_pretrained(str(out))
    return len(fast)


def _write_model(out: Path, vocabulary: int, seed: int, hidden: int, layers: int) -> int:
    from transformers import Qwen2Config, Qwen2ForCausalLM

    heads = max(2, hidden // 32)
    config = Qwen2Config(
        vocab_size=vocabulary,
        hidden_size=hidden,
        intermediate_size=hidden * 8 // 3,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads // 2,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=0,
        pad_token_id=0,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Qwen2ForCausalLM(config)
    # not save_pretrained: it imports DeepSpeed where that is installed, which takes seconds
    config.architectures = [type(model).__name__]
    config.save_pretrained(str(out))
    weights = {f"model.{name}": tensor for name, tensor in model.model.state_dict().items()}
    write_tensors(weights, out)
    return int(model.num_parameters())


def _texts(data_paths: Sequence[str | Path]) -> Iterator[str]:
    for path in data_paths:
        for record in read_jsonl(path):
            yield f"Problem: {record.prompt}\n\n"
            yield from record.steps
