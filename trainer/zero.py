"""Several processes whose moments, gradients and weights DeepSpeed's ZeRO keeps in parts.

The launcher's configuration says what is kept in parts, and what in the CPU's memory. Everything
else (precision, clipping, optimizer, batches) is the run's own, as with any other team.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import nn

from trainer import devices, folders, optimizer
from trainer.config import TrainConfig, TrainError
from trainer.estimate import FLOAT, MOMENTS, Parts
from trainer.model import ProcessRewardModel, layers
from trainer.processes import Processes

TAG = "state"
WEIGHTS = "weights.pt"
SAID = "ACCELERATE_DEEPSPEED_"
STAGES = (1, 2, 3)  # in parts: moments; gradients too; weights too


class Zero(Processes):
    """See trainer.team.Team."""

    def __init__(self) -> None:
        if find_spec("deepspeed") is None:
            raise TrainError("DeepSpeed is not installed: pip install 'annotator[deepspeed]'")
        self.zero = zero_settings(os.environ)
        super().__init__()
        if self.device.type == "cpu":
            os.environ.setdefault("DS_ACCELERATOR", "cpu")
        self.way = f"ZeRO {self.zero['stage']} of {self.world} processes"
        self._engine: Any = None

    @property
    def parts(self) -> Parts:
        """See trainer.team.Team: beside AdamW's moments ZeRO keeps a copy of what is trained."""
        stage, gpu = self.zero["stage"], self.device.type != "cpu"
        found = Parts(
            weights=FLOAT / (self.world if stage == 3 else 1),
            gradients=FLOAT / (self.world if stage >= 2 else 1),
            moments=FLOAT * (MOMENTS + 1) / self.world,
        )
        if gpu and "offload_optimizer" in self.zero:
            found = Parts(found.weights, 0, 0)
        if gpu and "offload_param" in self.zero:
            found = Parts(0, found.gradients, found.moments)
        return found

    def shard(self, model: ProcessRewardModel, config: TrainConfig) -> None:
        """See trainer.team.Team: at stage 3 only the first process ever holds all layers."""
        import deepspeed

        deepspeed.init_distributed(verbose=False)  # joins the processes that are connected already
        settings = engine_settings(self.zero, config, self.device)
        names = {id(p): name for name, p in model.named_parameters()}
        for part in (*layers(model.model), model):
            for module in part.modules():
                self._fill(module, names)
            if self.zero["stage"] == 3:
                deepspeed.zero.Init(module=part, config_dict_or_path=settings)
        self.send_buffers(model)

    def _fill(self, module: nn.Module, names: Mapping[int, str]) -> None:
        """Give a module that has none memory of its own; the first process knows its weights."""
        own = dict(module.named_parameters(recurse=False))
        buffers = list(module.buffers(recurse=False))
        if not any(tensor.is_meta for tensor in (*own.values(), *buffers)):
            return
        known = {name: names[id(p)] for name, p in own.items()}
        module.to_empty(device=self.device, recurse=False)
        if self.rank == 0:
            with torch.no_grad():
                for name, p in module.named_parameters(recurse=False):
                    p.copy_(self.read[known[name]])

    def prepare(
        self, model: ProcessRewardModel, config: TrainConfig
    ) -> tuple[ProcessRewardModel, torch.optim.Optimizer]:
        """See trainer.team.Team: DeepSpeed's engine stands before the model."""
        import deepspeed

        self._engine, fit, _, _ = deepspeed.initialize(
            model=model,
            optimizer=optimizer.build(model, config),
            config=engine_settings(self.zero, config, self.device),
        )
        engine: Any = self._engine
        return engine, fit

    def step(self, model: ProcessRewardModel, fit: torch.optim.Optimizer, limit: float) -> float:  # noqa: ARG002
        """See trainer.team.Team: the engine clips, at the limit that it was made with."""
        self._engine.step()
        return float(self._engine.get_global_grad_norm())

    def whole(self, model: ProcessRewardModel) -> dict[str, torch.Tensor]:
        """See trainer.team.Team: gathered a weight at a time."""
        rows = dict(model.state_dict())
        for name, p in model.named_parameters():
            with _gathered(p):
                rows[name] = p.detach().to("cpu", copy=True) if self.rank == 0 else rows[name]
        return rows if self.rank == 0 else {}

    def save(
        self,
        path: Path,
        numbers: Mapping[str, Any],
        model: ProcessRewardModel,
        fit: torch.optim.Optimizer | None = None,
    ) -> None:
        """See trainer.team.Team: a folder; the state that goes on is written in each one's part."""
        partial = path.with_suffix(".partial")
        if self.rank == 0:
            folders.remove(partial)
            partial.mkdir()
        self.wait()
        if fit is None:
            weights = self.whole(model)
            if self.rank == 0:
                torch.save(model.trained(weights), partial / WEIGHTS)
        else:
            self._engine.save_checkpoint(partial, TAG, exclude_frozen_parameters=True)
        self.put(partial, path, numbers)

    def load(
        self, path: Path, model: ProcessRewardModel, fit: torch.optim.Optimizer | None = None
    ) -> None:
        """See trainer.team.Team."""
        if fit is not None:
            self._engine.load_checkpoint(path, TAG, load_module_strict=False)
            return
        known = torch.load(path / WEIGHTS, weights_only=True) if self.rank == 0 else {}
        for name, p in model.named_parameters():
            if p.requires_grad:
                with _gathered(p, writer=0), torch.no_grad():
                    if self.rank == 0:
                        p.copy_(known[name])


@contextmanager
def _gathered(parameter: nn.Parameter, writer: int | None = None) -> Iterator[None]:
    """Let a parameter be whole for a moment; what the `writer` puts there is everyone's then."""
    import deepspeed

    with deepspeed.zero.GatheredParameters([parameter], modifier_rank=writer):
        yield


def zero_settings(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return DeepSpeed's `zero_optimization` from what `accelerate launch` says.

    Of a DeepSpeed file only that section is taken. Raise `TrainError` for a stage that is none.
    """
    said = {k.removeprefix(SAID).lower(): v for k, v in environment.items() if k.startswith(SAID)}
    if "config_file" in said:
        file = Path(said["config_file"])
        zero = dict(json.loads(file.read_text(encoding="utf-8")).get("zero_optimization", {}))
    else:
        zero = {"stage": int(said.get("zero_stage", "2"))}
        for name in ("optimizer", "param"):
            device = said.get(f"offload_{name}_device", "none")
            if device != "none":
                zero[f"offload_{name}"] = {"device": device, "pin_memory": True}
    if zero.get("stage") not in STAGES:
        raise TrainError(f"DeepSpeed's ZeRO stage {zero.get('stage')!r} is none of {STAGES}")
    return {name: value for name, value in zero.items() if value != "auto"}


def engine_settings(
    zero: Mapping[str, Any], config: TrainConfig, device: torch.device
) -> dict[str, Any]:
    """Return DeepSpeed's configuration of a run.

    The run divides its steps into batches itself, as many as there are, hence no accumulation that
    DeepSpeed would count; nor does it need DeepSpeed's own optimizer, which is compiled anew on
    each machine: torch's fused AdamW works where the moments are, in the CPU's memory too.
    """
    half = device.type == "cuda" and devices.takes_bf16(config, device)
    return {
        "train_micro_batch_size_per_gpu": 1,
        "gradient_accumulation_steps": 1,
        "managed_gradient_accumulation": False,
        "gradient_clipping": config.max_grad_norm,
        "zero_force_ds_cpu_optimizer": False,
        "zero_optimization": dict(zero),
        # weights go half as wide between processes; gradients are summed as they were computed
        "torch_autocast": {"enabled": half, "dtype": "bfloat16"},
        "steps_per_print": 2**31,
    }
