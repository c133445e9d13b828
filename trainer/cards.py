"""The papers of a run: run.json for machines, the model's README.md for people."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trainer import checkpoints, folders, serving
from trainer.config import HASHES, TrainConfig, TrainResult, identity
from trainer.encoding import Encoder
from trainer.fingerprints import file_sha256, model_sha256
from trainer.formats import CHECKPOINT, StepEncoder, vllm_flags

RUN_FILE = "run.json"
CARD = "README.md"


def write(result: TrainResult, config: TrainConfig, encoder: Encoder) -> None:
    """Write the model card, then run.json; run.json is last, so it marks a finished run."""
    readme = result.model / CARD
    readme.write_text(_card(result, config, encoder), encoding="utf-8")
    row = {"config": config.to_json(), "result": _result_row(result), "versions": _versions()}
    folders.settle(result.model)  # a finished run's checkpoints are removed
    folders.put_text(result.card, json.dumps(row, indent=2) + "\n")


def read_result(config: TrainConfig) -> TrainResult | None:
    """Return the result of this very run if it finished in `config.out` before, else None."""
    file = config.out / RUN_FILE
    if not file.is_file():
        return None
    row = json.loads(file.read_text(encoding="utf-8"))
    result = row["result"]
    then = identity(row["config"], {name: result.get(name) for name in HASHES})
    now = {
        "data_sha256": file_sha256(config.data),
        "held_out_sha256": file_sha256(config.held_out) if config.held_out else None,
        "backbone_sha256": model_sha256(checkpoints.local(config.backbone)),
    }
    if then != identity(config.to_json(), now):
        return None
    paths = {name: Path(result[name]) for name in ("model", "log", "card")}
    return TrainResult(**{**result, **paths, "losses": tuple(result["losses"])})


def serve_command(directory: str | Path, encoder: StepEncoder, form: str = CHECKPOINT) -> str:
    """Return the command that serves a PRM, ready for a shell."""
    return serving.command(str(directory), vllm_flags(encoder, form))


def copy(source: Path, target: Path) -> None:
    """Take a model's card along to where it was exported."""
    if (source / CARD).is_file():
        shutil.copyfile(source / CARD, target / CARD)


EVALUATION = "\n## Evaluation\n"


def add_evaluation(directory: Path, report: Mapping[str, Any], data: Sequence[Path]) -> None:
    """Write an evaluation's figures into a model's card, in place of an earlier one's."""
    card = directory / CARD
    text = card.read_text(encoding="utf-8").split(EVALUATION)[0] if card.is_file() else ""
    card.write_text(text + EVALUATION + _evaluation(report, data), encoding="utf-8")


def _evaluation(report: Mapping[str, Any], data: Sequence[Path]) -> str:
    rows = [
        f"| {name} | {split['erroneous']} | {split['correct']} | "
        + " | ".join(map(_percent, (split[k] for k in ACCURACIES)))
        + " |"
        for name, split in report["splits"].items()
    ]
    files = [f"- `{path.name}`, SHA-256 `{file_sha256(path)}`" for path in data]
    return "\n".join(
        [
            "",
            "First errors as in ProcessBench (exact first error, harmonic mean of both accuracies,",
            f"unweighted mean of the splits), a step below {report['threshold']} being wrong:",
            "",
            "| split | erroneous | correct | error accuracy | correct accuracy | F1 |",
            "| --- | --- | --- | --- | --- | --- |",
            *rows,
            f"| mean | | | | | {_percent(report['mean_f1'])} |",
            "",
            *files,
            "",
        ]
    )


ACCURACIES = ("error_accuracy", "correct_accuracy", "f1")


def _percent(share: float | None) -> str:
    return "undefined" if share is None else f"{100 * share:.1f} %"


def _result_row(result: TrainResult) -> dict[str, object]:
    return {k: str(v) if isinstance(v, Path) else v for k, v in asdict(result).items()}


def _versions() -> dict[str, str]:
    import torch
    import transformers

    return {"torch": str(torch.__version__), "transformers": transformers.__version__}


def _adapters(config: TrainConfig) -> str:
    return (
        f"| trained | adapters (LoRA) of rank {config.lora}, folded in |\n" if config.lora else ""
    )


RECIPE = (
    "neutral", "after_error", "wrong_weight", "balanced", "warmup", "weight_decay",
    "max_grad_norm", "max_labels", "precision",
)  # fmt: skip


def _recipe(config: TrainConfig) -> str:
    """Return what else decides the weights, so that a run can be repeated from its card."""
    return ", ".join(f"{name} {getattr(config, name)}" for name in RECIPE)


def _kept(result: TrainResult, config: TrainConfig) -> str:
    if result.best_iteration is None:
        return ""
    return f"| kept | step {result.best_iteration}: best held-out {config.watch} |\n"


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
| recipe | {_recipe(config)}, max_length {encoder.spec.max_length} |
{_adapters(config)}{_kept(result, config)}| seed | {config.seed} |
| final loss | {result.final_loss:.4f} (mean of the last tenth) |
| seconds | {result.seconds:.1f} |

## Use

```
python -m trainer score --model DIR --data solutions.jsonl
{serve_command("DIR", encoder)}
```

Send token ids, made by the same encoder (`prm_encoder.json`: template
`{encoder.spec.template}`), and expect one row per step: joining the steps as text first changes
the tokens and costs accuracy.
"""
