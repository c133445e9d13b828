"""One training run: read, encode, step, log, checkpoint, write the PRM."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import torch

from trainer import cards, checkpoints, devices, loggers, lora, optimizer
from trainer.config import Progress, TrainConfig, TrainError, TrainResult, identity
from trainer.dataset import Dataset, load_dataset
from trainer.gradients import accumulate
from trainer.held_out import Figures, HeldOut
from trainer.pace import Pace
from trainer.resume import BEST, RunState

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
    loggers.check(config.log)
    lora.check(config)
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
        held_out = config.held_out
        self.held_out = HeldOut(held_out, config, self.encoder) if held_out else None
        if devices.packs(config, self.device) and not model.enable_packing():
            warnings.warn("this backbone cannot read packed rows: batches are padded", stacklevel=3)
        self.adapted = lora.adapt(model, config) if config.lora else None
        self.model = model.to(self.device).train()
        if config.gradient_checkpointing:
            self.model.model.gradient_checkpointing_enable()
        self.pace = Pace(self.data.examples, config)
        run = identity(config.to_json(), self.data.sha256)
        self.state = RunState(
            self.model,
            optimizer.build(self.model, config),
            {**run, "iterations": self.pace.iterations},
        )

    def finish(self, on_progress: Callable[[Progress], None]) -> TrainResult:
        """Do the remaining steps, write the model, and return what became of the run."""
        config, state = self.config, self.state
        checkpoint = config.out / CHECKPOINT
        if config.resume and checkpoint.is_file():
            state.load(checkpoint)
        resumed_from = state.iteration
        self.pace.begin(state.iteration, state.seconds)
        steps = loggers.StepLog(config.out / "train_log.jsonl", state.iteration)
        wished = loggers.opened(config.log, config.out, config.to_json(), state.iteration)
        with closing(steps), wished as others:
            everyone = [steps, loggers.Called(on_progress), *others]
            while state.iteration < self.pace.iterations and not self.stopped:
                progress = self.step()
                for logger in everyone:
                    logger.log(progress)
                if config.checkpoint_every and state.iteration % config.checkpoint_every == 0:
                    steps.flush()  # the log must reach at least as far as the checkpoint
                    state.save(checkpoint)
                    state.drop_others(config.out)
        if state.best.iteration:
            state.load_best(config.out)
        if self.adapted is not None:
            lora.fold(self.model, self.adapted)
        directory = config.out / "model"
        dtype: torch.dtype = getattr(torch, config.save_dtype)
        checkpoints.save(self.model, self.encoder, directory, dtype)
        result = self._result(directory, steps.losses, resumed_from)
        cards.write(result, config, self.encoder)
        remove_checkpoints(config.out)
        return result

    @property
    def stopped(self) -> bool:
        """Whether patience has run out."""
        return bool(self.config.patience) and self.state.best.since >= self.config.patience

    def step(self) -> Progress:
        """Do one optimizer step; its loss is the mean over the labels of the whole step."""
        config, state = self.config, self.state
        iterations = self.pace.iterations
        examples = [self.data.examples[i] for i in self.pace.plan.batch(state.iteration)]
        rate = config.lr * optimizer.schedule(state.iteration, iterations, config.warmup)
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
        targets = [target for example in examples for target in example.targets]
        state.labels_seen += len(targets)
        held_out = self._measure()
        state.seconds = self.pace.seconds()
        tokens = sum(len(example.ids) for example in examples)
        return Progress(
            iteration=state.iteration,
            iterations=iterations,
            loss=loss,
            learning_rate=rate,
            grad_norm=float(norm),
            labels=len(targets),
            wrong_share=1 - sum(targets) / len(targets),
            tokens=tokens,
            padding=1 - tokens / padded,
            seconds=round(state.seconds, 3),
            remaining=round(self.pace.remaining(state.iteration), 1),
            held_out_loss=held_out.loss if held_out else None,
            held_out_f1=held_out.f1 if held_out else None,
        )

    def _measure(self) -> Figures | None:
        """Measure on the held-out solutions where that is due; keep the weights if best so far."""
        state, config, iterations = self.state, self.config, self.pace.iterations
        every = config.evaluate_every or max(1, iterations // 10)
        if not self.held_out or (state.iteration % every and state.iteration < iterations):
            return None
        figures = self.held_out.figures(self.model, self.weighted)
        if state.best.take(figures.value(config.watch), state.iteration):
            state.keep_best(config.out)
        return figures

    def _result(self, directory: Path, losses: list[float], resumed_from: int) -> TrainResult:
        data: Dataset = self.data
        return TrainResult(
            model=directory,
            log=self.config.out / "train_log.jsonl",
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
            best_iteration=self.state.best.iteration or None,
            stopped_early=self.stopped,
        )


def with_balance(config: TrainConfig, data: Dataset) -> TrainConfig:
    """Return settings with the `wrong_weight` that balances the data, where that is wanted."""
    if not (config.balanced and data.right and data.wrong):
        return config
    return replace(config, wrong_weight=data.right / data.wrong)


def _clear(config: TrainConfig) -> None:
    """Remove what an earlier run left in `out`, so that nothing passes for this run's."""
    (config.out / cards.RUN_FILE).unlink(missing_ok=True)
    if not config.resume:
        remove_checkpoints(config.out)


def remove_checkpoints(out: Path) -> None:
    """Remove what a run is resumed from."""
    for file in (out / CHECKPOINT, *out.glob(BEST.format("*"))):
        file.unlink(missing_ok=True)
