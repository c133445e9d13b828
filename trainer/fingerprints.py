"""What files hold, in one number each: data and models are known by it, not by where they lie."""

from __future__ import annotations

import hashlib
from pathlib import Path

WORDS = ("config.json", "prm_encoder.json", "*token*", "vocab*", "merges.txt", "*.model")
"""A model directory's configuration, encoder and tokenizer; cards and the like change no number."""
WEIGHTS = ("*.safetensors", "*.bin")
"""The first of these that a directory has are its weights, as transformers reads it."""


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def model_sha256(directory: Path, *, weights: bool = True) -> str:
    """Return a SHA-256 over the files that make up a model directory, or over all but its weights.

    A large model costs the time of reading it: backbones of one kind differ in their weights alone.
    """
    files = {path for kind in WORDS for path in directory.glob(kind)}
    if weights:
        files |= set(next(filter(None, (list(directory.glob(kind)) for kind in WEIGHTS)), []))
    rows = [f"{file_sha256(path)}  {path.name}\n" for path in sorted(files)]
    return hashlib.sha256("".join(rows).encode()).hexdigest()
