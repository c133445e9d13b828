"""The process reward model as one transformers class; copied beside every Qwen2 checkpoint.

`AutoModel.from_pretrained(DIRECTORY, trust_remote_code=True)` builds it. Stands alone on purpose.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import Qwen2Config, Qwen2Model, Qwen2PreTrainedModel
from transformers.modeling_outputs import TokenClassifierOutput


class Qwen2ForProcessRewardModel(Qwen2PreTrainedModel):
    """Give two logits (wrong, right) at each token; only those at step tokens mean anything."""

    def __init__(self, config: Qwen2Config) -> None:
        super().__init__(config)
        self.model = Qwen2Model(config)
        hidden = config.hidden_size
        self.score = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 2))
        self.post_init()

    def forward(
        self,
        input_ids: torch.LongTensor | None = None,
        attention_mask: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> TokenClassifierOutput:
        """Return logits of shape (batch, tokens, 2)."""
        hidden = self.model(input_ids=input_ids, attention_mask=attention_mask, **kwargs)[0]
        return TokenClassifierOutput(logits=self.score(hidden))
