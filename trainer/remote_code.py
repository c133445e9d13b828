"""The few lines of code beside a checkpoint whose backbone transformers has no such class for."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from trainer import modeling_prm

MODULE = "modeling_prm"
LANGUAGE_MODEL = "ForCausalLM"
TEXT = '''\
"""A process reward model on {base}; written by the trainer beside its weights.

`AutoModelForTokenClassification.from_pretrained(DIRECTORY, trust_remote_code=True)` builds it.
"""

from {module} import {parent}
from {config_module} import {config}
from transformers.modeling_layers import GenericForTokenClassification


class {name}(GenericForTokenClassification, {parent}):
    """Give two logits (wrong, right) at each token; only those at step tokens mean anything."""

    base_model_prefix = "{prefix}"
    config_class = {config}
'''


def known(backbone: Any) -> bool:
    """Say whether transformers itself has the class that reads a one-layer PRM of this backbone."""
    import transformers

    return backbone.base_model_prefix == "model" and hasattr(transformers, class_name(backbone))


def class_name(backbone: Any) -> str:
    """Return the name of a backbone's class of token classification.

    It is made of the name of its language model where that ends as most do: so vLLM finds that.
    """
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as CAUSAL

    causal = CAUSAL.get(backbone.config.model_type, "")
    if causal.endswith(LANGUAGE_MODEL):
        return causal.removesuffix(LANGUAGE_MODEL) + "ForTokenClassification"
    return type(backbone).__name__.removesuffix("Model") + "ForTokenClassification"


def write(backbone: Any, name: str, directory: Path) -> dict[str, str]:
    """Write what reading layout `name` needs besides transformers; return config.json's auto_map.

    Both are empty where transformers has the class.
    """
    file = directory / f"{MODULE}.py"
    if name == "Qwen2ForProcessRewardModel":
        shutil.copyfile(str(modeling_prm.__file__), file)
        return {"AutoModel": f"{MODULE}.{name}"}
    if known(backbone):
        return {}
    kind = type(backbone)
    parent = next(c for c in kind.__mro__ if c.__name__.endswith("PreTrainedModel"))
    text = TEXT.format(
        base=kind.__name__,
        module=parent.__module__,
        parent=parent.__name__,
        config_module=type(backbone.config).__module__,
        config=type(backbone.config).__name__,
        name=name,
        prefix=backbone.base_model_prefix,
    )
    file.write_text(text, encoding="utf-8")
    return {"AutoModelForTokenClassification": f"{MODULE}.{name}"}
