"""Model directories: start a PRM from a backbone, write a PRM, read a PRM.

The layout is the one that vLLM serves without code from us (RECIPE 3): `model.*` and `score.*`
in safetensors, config.json naming the architecture, the tokenizer, and the encoder's own file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import save_torch_state_dict
from torch import Tensor, nn

from trainer import heads, hub, remote_code
from trainer.encoding import Encoder, load_tokenizer, read_spec, write_spec
from trainer.formats import StepEncoder, open_encoder
from trainer.model import (
    LABELS,
    ModelError,
    ProcessRewardModel,
    architecture,
    load_backbone,
    new_head,
)
from trainer.published import MathShepherd, RLHFlow, Skywork
from trainer.step_tokens import with_step_token

Start = tuple[ProcessRewardModel, Encoder, Any]
"""A model as a run begins with it, its encoder, and peft's handle of its adapters or None."""


def start(directory: str | Path, seed: int = 0) -> tuple[ProcessRewardModel, Encoder]:
    """Build a PRM to train from a causal model, or continue from a directory that is a PRM.

    The head is drawn from `seed`; the step token's embedding starts as the mean of the embeddings
    of `init_step_token_from`.
    """
    directory = local(directory)
    if heads.read_tensors(directory, "score."):
        return load(directory)
    backbone = load_backbone(directory)
    spec, tokenizer = read_spec(directory), load_tokenizer(directory)
    encoder = Encoder(with_step_token(tokenizer, spec.step_token), spec)
    _prepare_embedding(backbone, encoder)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return ProcessRewardModel(backbone, new_head(backbone.config)), encoder


def load(directory: str | Path) -> tuple[ProcessRewardModel, Encoder]:
    """Read a PRM directory (ours, or Qwen's published ones) without running code from it."""
    directory = local(directory)
    return _with_classifier(directory), Encoder(load_tokenizer(directory), read_spec(directory))


def load_published(directory: str | Path, form: str) -> tuple[ProcessRewardModel, StepEncoder]:
    """Read any PRM directory whose input is of the format `form` (see trainer.formats)."""
    directory = local(directory)
    encoder = open_encoder(form, directory)
    if isinstance(encoder, MathShepherd | RLHFlow):
        return heads.says_signs(directory, encoder.signs), encoder
    if isinstance(encoder, Skywork):
        return heads.says_value(directory), encoder
    return _with_classifier(directory), encoder


def _with_classifier(directory: Path) -> ProcessRewardModel:
    tensors = heads.read_tensors(directory, "score.")
    if not tensors:
        raise ModelError(f"{directory} is no process reward model: it has no score.* weights")
    backbone = load_backbone(directory)
    try:
        head = heads.classifier(tensors, backbone.config.hidden_size)
    except ModelError as error:
        raise ModelError(f"{directory}: {error}") from error
    return ProcessRewardModel(backbone, head)


def save(
    model: ProcessRewardModel,
    encoder: Encoder,
    directory: str | Path,
    dtype: torch.dtype = torch.float32,
    shard: int | str = "5GB",
) -> None:
    """Write a PRM directory that transformers, vLLM and `load` read, in files of `shard` bytes."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    tensors = {
        _name(model, name): tensor.detach().to("cpu", dtype).contiguous()
        for name, tensor in model.state_dict().items()
    }
    write_tensors(tensors, directory, shard)
    row = _config(model, encoder, dtype)
    if code := remote_code.write(model.model, layout(model), directory):
        row["auto_map"] = code
    (directory / "config.json").write_text(json.dumps(row, indent=2, sort_keys=True) + "\n")
    encoder.tokenizer.save_pretrained(str(directory))
    write_spec(directory, encoder.spec)


def write_tensors(tensors: dict[str, Tensor], directory: Path, shard: int | str = "5GB") -> None:
    """Write safetensors as transformers reads them, in files of `shard` bytes."""
    save_torch_state_dict(tensors, str(directory), max_shard_size=shard, metadata={"format": "pt"})
    for weights in directory.glob("*.safetensors"):
        weights.chmod(0o644)  # written as 0600, which a server under another user cannot read


def _config(model: ProcessRewardModel, encoder: Encoder, dtype: torch.dtype) -> dict[str, Any]:
    row: dict[str, Any] = model.model.config.to_dict()
    name = layout(model)
    row |= {
        "architectures": [name],
        "dtype": str(dtype).removeprefix("torch."),
        "id2label": {str(index): label for index, label in LABELS.items()},
        "label2id": {label: index for index, label in LABELS.items()},
        "tie_word_embeddings": False,  # there is no output embedding left to tie
        "step_token_id": encoder.step_id,
    }
    for name_of_place in ("auto_map", "_name_or_path"):
        row.pop(name_of_place, None)
    return row


def _name(model: ProcessRewardModel, name: str) -> str:
    """Return a weight's name on disk, where the backbone's part is called as its class calls it."""
    prefix: str = model.model.base_model_prefix
    return f"{prefix}.{name.removeprefix('model.')}" if name.startswith("model.") else name


def layout(model: ProcessRewardModel) -> str:
    """Return the class under which transformers and vLLM read this PRM: its head decides."""
    if isinstance(model.score, nn.Linear):
        return remote_code.class_name(model.model)
    return architecture(model.model)


def _prepare_embedding(backbone: Any, encoder: Encoder) -> None:
    """Make room for the step token and start it from the text that ended steps before."""
    rows = backbone.get_input_embeddings().weight.shape[0]
    if encoder.step_id >= rows:
        backbone.resize_token_embeddings(encoder.step_id + 1, mean_resizing=False)
    weight = backbone.get_input_embeddings().weight
    source = encoder.tokenizer(encoder.spec.init_step_token_from, add_special_tokens=False)
    ids = [i for i in source["input_ids"] if i != encoder.step_id]
    if ids:
        with torch.no_grad():
            weight[encoder.step_id] = weight[ids].mean(dim=0)


def local(directory: str | Path) -> Path:
    """Return a model's directory, fetching it where it is the name of one on the hub."""
    try:
        return hub.directory(directory)
    except hub.NoModel as error:
        raise ModelError(str(error)) from error
