"""How vLLM is told to serve a PRM (standard library only: the web application says it too)."""

from __future__ import annotations

import json
import shlex


def pooling_flags(step_id: int) -> str:
    """Return the flags with which `vllm serve` gives a row of two numbers per step token."""
    pooler = {"task": "token_classify", "tok_pooling_type": "STEP", "step_tag_id": step_id}
    return f"--runner pooling --pooler-config '{json.dumps(pooler)}'"


def command(directory: str, flags: str) -> str:
    """Return the command, ready for a shell."""
    return f"vllm serve {shlex.quote(directory)} {flags}"
