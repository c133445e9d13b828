"""Model directories: one on this machine, or the name of one on the hub."""

from __future__ import annotations

import re
from pathlib import Path

NAME = re.compile(r"[\w.-]+/[\w.-]+")
WEIGHTS = ("*.safetensors", "*.bin", "*.gguf", "*.onnx")
PICKLES = ("*.pth", "*.pt")


class NoModel(ValueError):
    """A name under which there is no model; the text says so."""


def directory(name: str | Path, *, weights: bool = True) -> Path:
    """Return a model's directory, fetching it (or all but its weights) where it is on the hub.

    Of a model with safetensors no pickle is fetched. Raise `NoModel`.
    """
    if Path(name).is_dir():
        return Path(name)
    if not NAME.fullmatch(str(name)):
        raise NoModel(f"{name} is no directory")
    if not weights:
        return _fetched(str(name), (*WEIGHTS, *PICKLES))
    folder = _fetched(str(name), ("*.bin", *PICKLES))
    if not any(folder.glob("*.safetensors")):  # an old repository; torch loads weights only
        folder = _fetched(str(name), PICKLES)
    return folder


def _fetched(name: str, without: tuple[str, ...]) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, ignore_patterns=list(without)))
    except Exception as error:  # the hub's errors share no base with the network's
        raise NoModel(f"{name} is no directory, and the hub gives no such model") from error
