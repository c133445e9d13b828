"""One training run: read, encode, step, log, checkpoint, write the PRM."""

from __future__ import annotations

import json
import math
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import torch

from trainer import cards, checkpoints, devices, optimizer
from trainer.batching import BatchPlan
from trainer.config import Progress, TrainConfig, TrainError, TrainResult, identity
from trainer.dataset import Dataset, load_dataset
from trainer.gradients import accumulate
from trainer.resume import RunState

__all__ = ["Progress", "TrainConfig", "TrainError", "TrainResult", "train"]

CHECKPOINT = "checkpoint.pt"


def train(
    config: TrainConfig, on_progress: Callable[[Progress], None] | None = None
) -> TrainResult:
    """Train a PRM and write it to `config.out / "model"`; the same seed gives the same losses.

    `config.out` also gets train_log.jsonl (a line per optimizer step) and run.json. With `resume`,
    go on from the last checkpoint in `config.out`, or return the result of a finished run.
    Raise `RecordError`, `EncodingError`, `ModelError` or `TrainError` for what cannot be used.
    """
    finished = cards.read_result(config) if config.resume else None
    if finished is not None:
        return finished
    config.out.mkdir(parents=True, exist_ok=True)
    _clear(config)
    with devices.torch_settings(config):
        return _Run(config).finish(on_progress or (lambda _: None))


class _Run:
    """Hold a run's parts between its steps."""

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.device = devices.choose(config.device)
        model, self.encoder = checkpoints.start(config.backbone, config.seed)
        self.data = load_dataset(config, self.encoder)
        self.weighted = with_balance(config, self.data)
        if self.data.warning:
            warnings.warn(self.data.warning, stacklevel=3)
        if devices.packs(config, self.device) and not model.enable_packing():
            warnings.warn("this backbone cannot read packed rows: batches are padded", stacklevel=3)
        self.model = model.to(self.device).train()
        if config.gradient_checkpointing:
            self.model.model.gradient_checkpointing_enable()
        self.plan = BatchPlan(len(self.data.examples), config.batch_size, config.seed)
        self.iterations = config.iterations or math.ceil(config.epochs * self.plan.per_epoch)
        run = identity(config.to_json(), self.data.sha256)
        self.state = RunState(
            self.model,
            optimizer.build(self.model, config),
            {**run, "iterations": self.iterations},
        )

    def finish(self, on_progress: Callable[[Progress], None]) -> TrainResult:
        """Do the remaining steps, write the model, and return what became of the run."""
        config, state = self.config, self.state
        checkpoint, log = config.out / CHECKPOINT, config.out / "train_log.jsonl"
        if config.resume and checkpoint.is_file():
            state.load(checkpoint)
        resumed_from, begin = state.iteration, time.monotonic() - state.seconds
        losses = _rewind(log, state.iteration)
        with log.open("a", encoding="utf-8") as lines:
            while state.iteration < self.iterations:
                progress = self.step(begin)
                losses.append(progress.loss)
                lines.write(json.dumps(asdict(progress)) + "\n")
                on_progress(progress)
                if config.checkpoint_every and state.iteration % config.checkpoint_every == 0:
                    lines.flush()  # the log must reach at least as far as the checkpoint
                    state.save(checkpoint)
        directory = config.out / "model"
        dtype: torch.dtype = getattr(torch, config.save_dtype)
        checkpoints.save(self.model, self.encoder, directory, dtype)
        result = self._result(directory, log, losses, resumed_from)
        cards.write(result, config, self.encoder)
        checkpoint.unlink(missing_ok=True)
        return result

    def step(self, begin: float) -> Progress:
        """Do one optimizer step; its loss is the mean over the labels of the whole step."""
        config, state = self.config, self.state
        examples = [self.data.examples[i] for i in self.plan.batch(state.iteration)]
        rate = config.lr * optimizer.schedule(state.iteration, self.iterations, config.warmup)
        for group in state.optimizer.param_groups:
            group["lr"] = rate
        loss, padded = accumulate(self.model, examples, self.weighted)
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), config.max_grad_norm)
        if not math.isfinite(loss):
            raise TrainError(
                f"the loss became {loss} at step {state.iteration + 1}: lower the rate"
            )
        state.optimizer.step()
        state.optimizer.zero_grad(set_to_none=True)
        state.iteration += 1
        labels = sum(len(example.targets) for example in examples)
        state.labels_seen += labels
        state.seconds = time.monotonic() - begin
        tokens = sum(len(example.ids) for example in examples)
        return Progress(
            iteration=state.iteration,
            iterations=self.iterations,
            loss=loss,
            learning_rate=rate,
            grad_norm=float(norm),
            labels=labels,
            tokens=tokens,
            padding=1 - tokens / padded,
            seconds=round(state.seconds, 3),
        )

    def _result(
        self, directory: Path, log: Path, losses: list[float], resumed_from: int
    ) -> TrainResult:
        data: Dataset = self.data
        return TrainResult(
            model=directory,
            log=log,
            card=self.config.out / "run.json",
            data_sha256=data.sha256,
            records=len(data.examples),
            labels={"right": data.right, "wrong": data.wrong},
            labels_seen=self.state.labels_seen,
            dropped_labels=data.dropped,
            losses=tuple(losses),
            seconds=round(self.state.seconds, 3),
            resumed_from=resumed_from,
            after_error_labels=data.after_error,
        )


def with_balance(config: TrainConfig, data: Dataset) -> TrainConfig:
    """Return settings with the `wrong_weight` that balances the data, where that is wanted."""
    if not (config.balanced and data.right and data.wrong):
        return config
    return replace(config, wrong_weight=data.right / data.wrong)


def _rewind(log: Path, iteration: int) -> list[float]:
    """Cut a log back to the checkpoint's step (a killed run wrote further); return its losses."""
    lines = log.read_text(encoding="utf-8").splitlines()[:iteration] if log.is_file() else []
    if len(lines) < iteration:
        raise TrainError(f"{log} is shorter than the checkpoint beside it")
    log.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return [json.loads(line)["loss"] for line in lines]


def _clear(config: TrainConfig) -> None:
    """Remove what an earlier run left in `out`, so that nothing passes for this run's."""
    (config.out / cards.RUN_FILE).unlink(missing_ok=True)
    if not config.resume:
        (config.out / CHECKPOINT).unlink(missing_ok=True)
