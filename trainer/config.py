"""What one training run is asked for, what it reports on the way and what it returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

OBJECTIVES = ("hard", "soft", "beta")
NEUTRALS = ("label", "right", "wrong", "none")
WATCHES = ("loss", "f1")
PRECISIONS = ("fp32", "bf16", "auto")


class TrainError(ValueError):
    """A training run that cannot be done as asked; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """Ask for one training run; refuse, as `TrainError`, what cannot be meant.

    `objective` "hard" is cross-entropy on labels; "soft" is squared error on successes / n where a
    step has counts, else on its label; "beta" is the Beta-binomial likelihood of successes in n.
    `neutral` says what steps that a record's `sources` name under "neutral" count as ("label": as
    what their label says). `after_error` also trains on labels after a solution's first wrong step.
    A wrong label weighs
    `wrong_weight` times a right one; `balanced` sets that so that both kinds weigh the same.
    `iterations` (optimizer steps) overrules `epochs`. `max_tokens` bounds a batch; `packing` fills
    it with solutions end to end, without padding, where the backbone can read that.
    `max_labels` caps the labels trained on; `max_dropped` the share of labels that may be lost to
    `max_length` before the run is refused. `precision` "bf16" multiplies in bfloat16 and keeps
    float32 weights; "auto" does so where the processor has instructions for it. `compile` has
    torch compile what layers do token by token.
    `lora` is the rank of adapters (0: all weights are trained), scaled by `lora_alpha` / rank (0:
    by 2). `checkpoint_every` counts optimizer steps, 0 for none.
    `memory_check` estimates the memory that a run needs, and refuses what the device has not.
    Every `evaluate_every` steps (0: a tenth of the run) the model is measured on `held_out`; the
    one with the best `watch` is kept, and after `patience` measurements without a better one the
    run ends (0: never early). `log` names loggers besides the run's own JSONL.
    """

    data: Path
    backbone: Path
    out: Path
    objective: str = "hard"
    neutral: str = "label"
    after_error: bool = False
    wrong_weight: float = 1.0
    balanced: bool = False
    lr: float = 1e-5
    batch_size: int = 32
    iterations: int | None = None
    epochs: float = 1.0
    warmup: float = 0.05
    weight_decay: float = 0.01
    max_grad_norm: float = 1.0
    seed: int = 0
    max_labels: int | None = None
    max_dropped: float = 0.01
    max_tokens: int = 1024
    packing: bool = True
    precision: str = "fp32"
    save_dtype: str = "float32"
    gradient_checkpointing: bool = False
    compile: bool = False
    lora: int = 0
    lora_alpha: int = 0
    device: str = "auto"
    threads: int = 1
    memory_check: bool = True
    checkpoint_every: int = 100
    held_out: Path | None = None
    evaluate_every: int = 0
    patience: int = 0
    watch: str = "loss"
    log: tuple[str, ...] = ()
    resume: bool = False

    def __post_init__(self) -> None:
        _check_choice("neutral", self.neutral, NEUTRALS)
        _check_choice("watch", self.watch, WATCHES)
        _check_choice("objective", self.objective, OBJECTIVES)
        _check_choice("precision", self.precision, PRECISIONS)
        _check_choice("save_dtype", self.save_dtype, ("float32", "bfloat16"))
        for name in ("lr", "batch_size", "epochs", "wrong_weight", "max_grad_norm", "max_tokens"):
            if not getattr(self, name) > 0:
                raise TrainError(f"{name} must be above 0")
        for name in ("iterations", "max_labels", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise TrainError(f"{name} must be at least 1")
        for name in ("warmup", "max_dropped"):
            if not 0 <= getattr(self, name) <= 1:
                raise TrainError(f"{name} is a share between 0 and 1")
        for name in (
            "weight_decay",
            "checkpoint_every",
            "evaluate_every",
            "patience",
            "lora",
            "lora_alpha",
        ):
            if getattr(self, name) < 0:
                raise TrainError(f"{name} must not be negative")
        if self.patience and self.held_out is None:
            raise TrainError("patience needs held_out solutions to measure on")

    def to_json(self) -> dict[str, object]:
        """Return the settings as JSON can hold them."""
        return {k: str(v) if isinstance(v, Path) else v for k, v in asdict(self).items()}


# What may differ between a run and its resumption without changing a single loss.
FREE_TO_CHANGE = frozenset(
    {
        "data", "held_out", "backbone", "out", "resume", "checkpoint_every", "device", "log",
        "memory_check",
    }
)  # fmt: skip


HASHES = ("data_sha256", "held_out_sha256", "backbone_sha256")
"""Of the files that may move, and must not change."""


def identity(settings: Mapping[str, object], hashes: Mapping[str, str | None]) -> dict[str, object]:
    """Return what must stay the same for a resumed run to be the same run; files by content."""
    kept = {k: v for k, v in settings.items() if k not in FREE_TO_CHANGE}
    return {**kept, **{name: hashes[name] for name in HASHES}}


@dataclass(frozen=True, slots=True)
class Progress:
    """Report one finished optimizer step (1-based) of `iterations`.

    `wrong_share` is the step's label balance: how much of its labels is wrong; `remaining` are the
    seconds that the rest takes at the speed so far; held-out figures are of this step, if measured.
    """

    iteration: int
    iterations: int
    loss: float
    learning_rate: float
    grad_norm: float
    labels: int
    wrong_share: float
    tokens: int
    padding: float
    seconds: float
    remaining: float
    held_out_loss: float | None = None
    held_out_f1: float | None = None


@dataclass(frozen=True, slots=True)
class TrainResult:
    """Say what a finished run produced: where, from which data, and its loss at each step."""

    model: Path
    log: Path
    card: Path
    data_sha256: str
    records: int
    labels: Mapping[str, int]
    labels_seen: int
    dropped_labels: int
    losses: tuple[float, ...]
    seconds: float
    resumed_from: int = 0
    after_error_labels: int = 0
    held_out_sha256: str | None = None
    backbone_sha256: str | None = None
    best_iteration: int | None = None
    stopped_early: bool = False

    @property
    def final_loss(self) -> float:
        """The mean loss of the last tenth of the run."""
        tail = self.losses[-max(1, len(self.losses) // 10) :]
        return sum(tail) / len(tail)


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise TrainError(f"{name} {value!r} is none of {', '.join(choices)}")
