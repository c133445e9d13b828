"""What requests to engines have in common."""

from __future__ import annotations

from labeling.domain.prompts import Prompt


def written(prompt: Prompt) -> str:
    """Return the text that a completion follows: what its seed depends on."""
    return prompt if isinstance(prompt, str) else prompt[-1].content
