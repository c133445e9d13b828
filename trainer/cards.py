"""The papers of a run: run.json for machines, the model's README.md for people."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from trainer.config import TrainConfig, TrainResult, identity
from trainer.dataset import file_sha256
from trainer.encoding import Encoder
from trainer.formats import vllm_flags

RUN_FILE = "run.json"


def write(result: TrainResult, config: TrainConfig, encoder: Encoder) -> None:
    """Write the model card, then run.json; run.json is last, so it marks a finished run."""
    readme = result.model / "README.md"
    readme.write_text(_card(result, config, encoder), encoding="utf-8")
    row = {"config": config.to_json(), "result": _result_row(result), "versions": _versions()}
    partial = result.card.with_suffix(".partial")
    partial.write_text(json.dumps(row, indent=2) + "\n", encoding="utf-8")
    os.replace(partial, result.card)


def read_result(config: TrainConfig) -> TrainResult | None:
    """Return the result of this very run if it finished in `config.out` before, else None."""
    file = config.out / RUN_FILE
    if not file.is_file():
        return None
    row = json.loads(file.read_text(encoding="utf-8"))
    result = row["result"]
    then = identity(row["config"], result["data_sha256"])
    if then != identity(config.to_json(), file_sha256(config.data)):
        return None
    paths = {name: Path(result[name]) for name in ("model", "log", "card")}
    return TrainResult(**{**result, **paths, "losses": tuple(result["losses"])})


def _result_row(result: TrainResult) -> dict[str, object]:
    return {k: str(v) if isinstance(v, Path) else v for k, v in asdict(result).items()}


def _versions() -> dict[str, str]:
    import torch
    import transformers

    return {"torch": str(torch.__version__), "transformers": transformers.__version__}


def _card(result: TrainResult, config: TrainConfig, encoder: Encoder) -> str:
    from trainer.model import LABELS

    architectures = json.loads((result.model / "config.json").read_text(encoding="utf-8"))
    name = architectures["architectures"][0]
    return f"""---
library_name: transformers
pipeline_tag: token-classification
tags: [process-reward-model]
---

# Process reward model

Scores each step of a solution to a problem: the probability that the step is right, read at the
step token `{encoder.spec.step_token}` (id {encoder.step_id}) that follows it. Classes:
{", ".join(f"{index} = {label}" for index, label in LABELS.items())}.

| | |
| --- | --- |
| layout | `{name}` |
| started from | `{config.backbone.name}` |
| records | {result.records} |
| labels | {result.labels["right"]} right, {result.labels["wrong"]} wrong |
| labels lost to `max_length` | {result.dropped_labels} |
| data (SHA-256) | `{result.data_sha256}` |
| objective | {config.objective} |
| optimizer steps | {len(result.losses)} of batch {config.batch_size}, rate {config.lr} |
| seed | {config.seed} |
| final loss | {result.final_loss:.4f} (mean of the last tenth) |
| seconds | {result.seconds:.1f} |

## Use

```
python -m trainer score --model DIR --data solutions.jsonl
vllm serve DIR {vllm_flags(encoder.step_id)}
```

Send token ids, made by the same encoder (`prm_encoder.json`: template
`{encoder.spec.template}`), and expect one row per step: joining the steps as text first changes
the tokens and costs accuracy.
"""
