"""One training run: read, encode, step, log, checkpoint, write the PRM."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from trainer import (
    cards,
    checkpoints,
    compiling,
    devices,
    estimate,
    folders,
    loggers,
    lora,
    optimizer,
)
from trainer.config import Progress, TrainConfig, TrainError, TrainResult, identity
from trainer.dataset import Dataset, load_dataset
from trainer.estimate import Plan, Room
from trainer.fingerprints import model_sha256
from trainer.gradients import accumulate, trial
from trainer.held_out import Figures, HeldOut
from trainer.loggers import Logger
from trainer.pace import Pace
from trainer.resume import BEST, RunState
from trainer.team import Team, join

__all__ = ["Progress", "TrainConfig", "TrainError", "TrainResult", "train"]

CHECKPOINT = "checkpoint.pt"


def train(
    config: TrainConfig,
    on_progress: Callable[[Progress], None] | None = None,
    on_plan: Callable[[Plan], None] | None = None,
) -> TrainResult:
    """Train a PRM and write it to `config.out / "model"`; the same seed gives the same losses.

    `config.out` also gets train_log.jsonl (a line per optimizer step) and run.json. With `resume`,
    go on from the last checkpoint in `config.out`, or return the result of a finished run.
    `on_plan` is told what the run will take before it starts.
    Raise `RecordError`, `EncodingError`, `ModelError` or `TrainError` for what cannot be used.
    """
    finished = cards.read_result(config) if config.resume else None
    if finished is not None:
        return finished
    loggers.check(config.log)
    lora.check(config)
    config.out.mkdir(parents=True, exist_ok=True)
    team = join()
    if team.rank == 0:
        _clear(config)
    team.wait()
    with devices.torch_settings(config):
        run = _Run(config, team)
        run.take_up()
        if on_plan and team.rank == 0:
            on_plan(replace(run.plan, seconds=run.trial()))
        result = run.finish(on_progress or (lambda _: None))
    team.leave()
    return result


class _Run:
    """Hold a run's parts between its steps."""

    def __init__(self, config: TrainConfig, team: Team) -> None:
        self.config, self.team = config, team
        self.device = team.device or devices.choose(config.device)
        # before the weights, which the estimate counts, lie there
        room = estimate.room(self.device)
        self.model, self.encoder, self.adapted = team.share(lambda: _start(config, self.device))
        self.data = load_dataset(config, self.encoder)
        self.weighted = with_balance(config, self.data)
        if self.data.warning and team.rank == 0:
            warnings.warn(self.data.warning, stacklevel=3)
        held_out = config.held_out
        self.held_out = HeldOut(held_out, config, self.encoder, team) if held_out else None
        team.shard(self.model, config)
        self.model.train()
        if config.gradient_checkpointing:
            self.model.model.gradient_checkpointing_enable()
            if config.lora:
                # a layer done twice needs an input with a gradient; frozen embeddings give none
                self.model.model.enable_input_require_grads()
        if config.compile:
            compiling.enable(self.model.model)
        self.pace = Pace(self.data.examples, config)
        self.plan = self._planned(room)
        self.hashes = self._hashes()
        self.passes, fit = team.prepare(self.model, config)
        self.state = RunState(
            self.model,
            fit,
            {**identity(config.to_json(), self.hashes), "iterations": self.pace.iterations},
            team,
        )

    def _hashes(self) -> dict[str, str | None]:
        """Return the hashes of the run's files; the backbone, which is large, is read once."""
        backbone = ""
        if self.team.rank == 0:
            backbone = model_sha256(checkpoints.local(self.config.backbone))
        return {
            "data_sha256": self.data.sha256,
            "held_out_sha256": self.held_out.sha256 if self.held_out else None,
            "backbone_sha256": self.team.gather(backbone)[0],
        }

    def _planned(self, room: Room | None) -> Plan:
        """Estimate the run's memory, if asked to; raise `TrainError` where the device has less."""
        wanted = tight = None
        if self.config.memory_check:
            longest = max(len(example.ids) for example in self.data.examples)
            try:
                wanted = estimate.estimate(self.model, self.config, longest, self.team.parts)
                tight = estimate.check(wanted, self.device, room)
            except estimate.EstimateError as error:
                tight = str(error)
            if tight and self.team.rank == 0:
                warnings.warn(tight, stacklevel=4)
        return Plan(wanted, room, self.pace.iterations, self.pace.tokens)

    def take_up(self) -> None:
        """With `resume`, go on from the last checkpoint, where there is one."""
        checkpoint = self.config.out / CHECKPOINT
        if self.config.resume and checkpoint.exists():
            self.state.load(checkpoint)

    def trial(self) -> float | None:
        """Return the seconds that the steps left take at the pace of a batch that is tried.

        None for several processes: these hold parts of the weights, and none can try alone.
        """
        if self.team.device:
            return None
        first = [self.data.examples[i] for i in self.pace.plan.batch(0)]
        left = 1 - self.state.iteration / self.pace.iterations
        return left * self.pace.tokens / trial(self.model, first, self.weighted)

    def finish(self, on_progress: Callable[[Progress], None]) -> TrainResult:
        """Do the remaining steps, write the model, and return what became of the run."""
        config, state = self.config, self.state
        checkpoint = config.out / CHECKPOINT
        resumed_from = state.iteration
        self.pace.begin(state.iteration, state.seconds)
        with self._loggers(on_progress) as (steps, everyone):
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
        directory = config.out / "model"
        self._write(directory)
        result = self._result(directory, steps.losses, resumed_from)
        if self.team.rank == 0:
            cards.write(result, config, self.encoder)
            remove_checkpoints(config.out)
        self.team.wait()
        return result

    @contextmanager
    def _loggers(
        self, on_progress: Callable[[Progress], None]
    ) -> Iterator[tuple[loggers.StepLog | loggers.Unwritten, list[Logger]]]:
        """Yield the run's own log, and all loggers; only the first process writes."""
        if self.team.rank:
            unwritten = loggers.Unwritten()
            yield unwritten, [unwritten]
            return
        config, done = self.config, self.state.iteration
        steps = loggers.StepLog(config.out / "train_log.jsonl", done)
        wished = loggers.opened(config.log, config.out, config.to_json(), done)
        with closing(steps), wished as others:
            yield steps, [steps, loggers.Called(on_progress), *others]

    def _write(self, directory: Path) -> None:
        """Write the model, adapters folded in; the first process does it, from whole weights."""
        model, adapted, weights = self.model, self.adapted, self.team.whole(self.model)
        if self.team.rank:
            return
        if self.team.device:  # what this process has of the model may be a part
            model, _, adapted = _start(self.config, torch.device("cpu"))
            model.load_state_dict(weights)
        if adapted is not None:
            lora.fold(model, adapted)
        dtype: torch.dtype = getattr(torch, self.config.save_dtype)
        checkpoints.save(model, self.encoder, directory, dtype)

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
        loss, padded = accumulate(self.passes, examples, self.weighted, self.team)
        if not math.isfinite(loss):
            raise TrainError(
                f"the loss became {loss} at step {state.iteration + 1}: lower the rate"
            )
        norm = self.team.step(self.model, state.optimizer, config.max_grad_norm)
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
            grad_norm=norm,
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
            held_out_sha256=self.hashes["held_out_sha256"],
            backbone_sha256=self.hashes["backbone_sha256"],
            best_iteration=self.state.best.iteration or None,
            stopped_early=self.state.iteration < self.pace.iterations,
        )


def _start(config: TrainConfig, device: torch.device) -> checkpoints.Start:
    model, encoder = checkpoints.start(config.backbone, config.seed)
    if devices.packs(config, device) and not model.enable_packing():
        warnings.warn("this backbone cannot read packed rows: batches are padded", stacklevel=3)
    return model, encoder, lora.adapt(model, config) if config.lora else None


def with_balance(config: TrainConfig, data: Dataset) -> TrainConfig:
    """Return settings with the `wrong_weight` that balances the data, where that is wanted."""
    if not (config.balanced and data.right and data.wrong):
        return config
    return replace(config, wrong_weight=data.right / data.wrong)


def _clear(config: TrainConfig) -> None:
    """Remove what an earlier run left in `out`, so that nothing passes for this run's."""
    (config.out / cards.RUN_FILE).unlink(missing_ok=True)
    if config.resume:
        folders.recover(config.out / CHECKPOINT)
    else:
        remove_checkpoints(config.out)


def remove_checkpoints(out: Path) -> None:
    """Remove what a run is resumed from, and what kills left of it."""
    for name in (CHECKPOINT, BEST.format("[0-9]*")):
        for suffix in folders.SUFFIXES:
            for path in out.glob(str(Path(name).with_suffix(suffix))):
                folders.remove(path)
