"""One training run: read, encode, step, log, checkpoint, write the PRM."""

from __future__ import annotations

import json
import math
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own convention)
from torch import Tensor

from trainer import cards, checkpoints
from trainer.batching import BatchPlan, Example, collate, micro_batches
from trainer.config import Progress, TrainConfig, TrainError, TrainResult, identity
from trainer.dataset import Dataset, load_dataset
from trainer.model import ProcessRewardModel
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
    with _torch_settings(config):
        return _Run(config).finish(on_progress or (lambda _: None))


class _Run:
    """Hold a run's parts between its steps."""

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.device = _device(config.device)
        model, self.encoder = checkpoints.start(config.backbone, config.seed)
        self.data = load_dataset(config, self.encoder)
        if self.data.warning:
            warnings.warn(self.data.warning, stacklevel=3)
        self.model = model.to(self.device).train()
        if config.gradient_checkpointing:
            self.model.model.gradient_checkpointing_enable()
        self.plan = BatchPlan(len(self.data.examples), config.batch_size, config.seed)
        self.iterations = config.iterations or math.ceil(config.epochs * self.plan.per_epoch)
        optimizer = torch.optim.AdamW(
            _parameter_groups(self.model, config.weight_decay), lr=config.lr, fused=True
        )
        run = identity(config.to_json(), self.data.sha256)
        self.state = RunState(self.model, optimizer, {**run, "iterations": self.iterations})

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
        rate = config.lr * schedule(state.iteration, self.iterations, config.warmup)
        for group in state.optimizer.param_groups:
            group["lr"] = rate
        loss, padded = accumulate(self.model, examples, config)
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
        )


def accumulate(
    model: ProcessRewardModel, examples: Sequence[Example], config: TrainConfig
) -> tuple[float, int]:
    """Add the gradient of the mean loss over all labels of `examples`; return (loss, padded size).

    The divisor is the label count of the whole optimizer step, so that any split into micro-batches
    gives the same loss and gradient (TRL's trainer failed this: ML_PEERS 1.2).
    """
    labels = sum(len(example.targets) for example in examples)
    total, padded = 0.0, 0
    for chosen in micro_batches([len(e.ids) for e in examples], config.max_tokens):
        batch = collate([examples[i] for i in chosen]).to(model.device)
        with torch.autocast(
            "cuda", torch.bfloat16, enabled=batch.ids.is_cuda and _bf16(config, batch.ids.device)
        ):
            logits = model(batch.ids, batch.rows, batch.columns)
        loss = loss_sum(logits, batch.targets, config.objective) / labels
        loss.backward()
        total += loss.item()
        padded += batch.ids.numel()
    return total, padded


def loss_sum(logits: Tensor, targets: Tensor, objective: str) -> Tensor:
    """Return the summed loss of logits (n, 2) against targets (n,) in [0, 1].

    "hard": cross-entropy; "soft": squared error of the probability of right (paper 2.1, 3.1.2).
    """
    if objective == "hard":
        return F.cross_entropy(logits, targets.long(), reduction="sum")
    return F.mse_loss(logits.softmax(dim=-1)[:, 1], targets, reduction="sum")


def schedule(iteration: int, iterations: int, warmup: float) -> float:
    """Return the factor on the learning rate: linear up over `warmup`, then cosine to 0."""
    ramp = math.ceil(warmup * iterations)
    if iteration < ramp:
        return (iteration + 1) / ramp
    return 0.5 * (1 + math.cos(math.pi * (iteration - ramp) / max(1, iterations - ramp)))


def _parameter_groups(model: ProcessRewardModel, weight_decay: float) -> list[dict[str, object]]:
    """Decay matrices only: decaying norms and biases pulls them to 0 for nothing."""
    named = list(model.parameters())
    return [
        {"params": [p for p in named if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in named if p.ndim < 2], "weight_decay": 0.0},
    ]


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


def _device(name: str) -> torch.device:
    if name != "auto":
        return torch.device(name)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _bf16(config: TrainConfig, device: torch.device) -> bool:
    """Say whether products are taken in bfloat16 on this device."""
    if config.precision != "auto":
        return config.precision == "bf16"
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    cpu = torch.cpu
    return bool(cpu._is_avx512_bf16_supported() or cpu._is_amx_tile_supported())


@contextmanager
def _torch_settings(config: TrainConfig) -> Iterator[None]:
    """Set threads, seed and precision for one run and put them back afterwards."""
    threads = torch.get_num_threads()
    matmul = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    precision = matmul.fp32_precision
    torch.set_num_threads(config.threads)
    # On CPU this lets oneDNN choose the product's kernel: 1.4 x less time per step on an AVX512
    # AMD core (its results there stayed as exact as float32), where autocast was slower.
    matmul.fp32_precision = "bf16" if _bf16(config, torch.device("cpu")) else "ieee"
    try:
        with torch.random.fork_rng():
            torch.manual_seed(config.seed)
            yield
    finally:
        torch.set_num_threads(threads)
        matmul.fp32_precision = precision
