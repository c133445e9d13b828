"""LoRA: train small matrices beside the backbone's frozen ones, and fold them in at the end."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from trainer.config import TrainConfig, TrainError
from trainer.model import ProcessRewardModel


def check(config: TrainConfig) -> None:
    """Raise `TrainError` where adapters are wanted and peft is not installed."""
    if config.lora and find_spec("peft") is None:
        raise TrainError("lora needs peft: pip install 'annotator[lora]'")


def adapt(model: ProcessRewardModel, config: TrainConfig) -> Any:
    """Freeze the backbone and put adapters beside its linear layers, in place; return peft's own.

    The head stays trainable as it is: it is new and small. Embeddings are frozen, the step token's
    too.
    """
    import peft

    settings = peft.LoraConfig(
        r=config.lora, lora_alpha=config.lora_alpha or 2 * config.lora, target_modules="all-linear"
    )
    return peft.get_peft_model(model.model, settings)


def fold(model: ProcessRewardModel, adapted: Any) -> None:
    """Add the adapters to the weights that they stand beside, and take them off."""
    model.model = adapted.merge_and_unload()
