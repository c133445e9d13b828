"""The tiny language model, the heads that help it learn to see slips, and its loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own convention)
from torch import Tensor, nn

from demo.documents import Document
from demo.tokenizer import CONTEXT

IGNORE = -100
"""Marks a position without a target."""
HEAD_SIZE = 32
"""vLLM's attention on CPU knows no smaller heads."""
RIGHT_LAYER, SLIP_LAYER, LINE_LAYER = 3, 4, 5
"""Behind which layers the helping heads read."""


def language_model(vocabulary: Mapping[str, int], pad: int, end: int) -> Any:
    """Build a Qwen2ForCausalLM with random weights from torch's current seed."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    config = Qwen2Config(
        vocab_size=len(vocabulary),
        hidden_size=4 * HEAD_SIZE,
        intermediate_size=256,
        num_hidden_layers=6,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=pad,
    )
    return Qwen2ForCausalLM(config)


@dataclass(frozen=True, slots=True)
class Batch:
    """Right-padded tensors (documents, positions); IGNORE where nothing is to be learned."""

    ids: Tensor
    targets: Tensor
    right: Tensor
    wrong: Tensor


def collate(documents: Sequence[Document], vocabulary: Mapping[str, int], pad: int) -> Batch:
    """Turn documents into a batch; no mask is needed, for attention is causal."""
    shape = len(documents), max(len(document.words) for document in documents)
    ids, targets, right, wrong = (torch.full(shape, v) for v in (pad, IGNORE, IGNORE, IGNORE))
    for row, document in enumerate(documents):
        fields = (ids, document.words), (targets, document.targets), (right, document.right)
        for tensor, words in fields:
            values = [IGNORE if word is None else vocabulary[word] for word in words]
            tensor[row, : len(values)] = torch.tensor(values)
        flags = [IGNORE if flag is None else int(flag) for flag in document.wrong]
        wrong[row, : len(flags)] = torch.tensor(flags)
    return Batch(ids, targets, right, wrong)


class Learner(nn.Module):
    """A language model with three helping heads that are thrown away after training.

    Behind RIGHT_LAYER, at each number or sign of a solution, one names the word that would be right
    there; behind SLIP_LAYER the second says whether the word that stands there is wrong; behind
    LINE_LAYER, at the blank line, the third says whether the line before it is wrong. Without them
    a model of this size learns to solve and never to check.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        hidden, size = model.config.hidden_size, model.config.vocab_size
        self.model = model
        self.right_head = nn.Linear(hidden, size)
        self.slip_head = nn.Linear(hidden, 1)
        self.line_head = nn.Linear(hidden, 1)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Return the mean losses: "next" word, "right" word (slips count 3 times), two flags."""
        output = self.model.model(input_ids=batch.ids, output_hidden_states=True, use_cache=False)
        states = output.hidden_states
        learned, content, ends = (
            field != IGNORE for field in (batch.targets, batch.right, batch.wrong)
        )
        logits = self.model.lm_head(output.last_hidden_state[learned])
        expected = batch.right[content]
        slipped = (expected != batch.ids[content]).float()
        named = self.right_head(states[RIGHT_LAYER][content])
        right = F.cross_entropy(named, expected, reduction="none")
        weights = 1 + 2 * slipped
        return {
            "next": F.cross_entropy(logits, batch.targets[learned]),
            "right": (right * weights).sum() / weights.sum(),
            "slip": _flag_loss(self.slip_head(states[SLIP_LAYER][content]), slipped),
            "line": _flag_loss(self.line_head(states[LINE_LAYER][ends]), batch.wrong[ends]),
        }


def _flag_loss(logits: Tensor, flags: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits[:, 0], flags.float())
