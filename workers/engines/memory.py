"""How much memory a model's weights need, and how much is free."""

from __future__ import annotations

from math import prod
from pathlib import Path

from workers.engines.protocol import EngineUnavailable

GB = 1e9
FLOATS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
"""Bytes per number of the types that loading converts, by their names in safetensors files."""
OTHERS = {"I64": 8, "U64": 8, "I32": 4, "U32": 4, "I16": 2, "U16": 2}
"""Those of types that stay as they are; the rest have one."""
DTYPES = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2}
"""Bytes per number of the types that weights may be loaded as."""


def check_fits(model: str, device: str, dtype: str) -> None:
    """Raise EngineUnavailable where the weights of a folder or cached hub name do not fit.

    `dtype` is one of DTYPES, or "auto" for that of the file.
    """
    folder = _folder(model)
    needed = weight_bytes(folder, dtype) if folder else 0
    # Weights pass through the machine's own memory, wherever they end up.
    for place in dict.fromkeys(("cpu", device)):
        free = free_bytes(place)
        if free is not None and needed > free:
            raise EngineUnavailable(
                f"{model} does not fit: its weights need {needed / GB:.1f} GB (dtype {dtype}), and "
                f"{free / GB:.1f} GB are free on {place}. Free memory there, choose a smaller model"
                " or another device, or set dtype to bfloat16.",
                retry=False,
            )


def weight_bytes(folder: Path, dtype: str) -> int:
    """Return the bytes of a folder's weights once they are loaded; 0 where there are none."""
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        return sum(file.stat().st_size for file in folder.glob("*.bin"))
    return sum(_loaded_bytes(file, dtype) for file in files)


def free_bytes(device: str) -> int | None:
    """Return the bytes that can still be taken on a device; None where that is not known."""
    if device.startswith("cuda"):
        import torch

        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + unused
    if device != "cpu":
        return None
    found = [free for free in (_machine_free(), *map(_group_free, _groups())) if free is not None]
    return min(found, default=None)


def _loaded_bytes(file: Path, dtype: str) -> int:
    from safetensors import safe_open

    size = 0
    with safe_open(file, "np") as tensors:
        for name in tensors.keys():  # noqa: SIM118 - it is no dict
            tensor = tensors.get_slice(name)
            stored = tensor.get_dtype()
            each = DTYPES.get(dtype, FLOATS[stored]) if stored in FLOATS else OTHERS.get(stored, 1)
            size += each * prod(tensor.get_shape())
    return size


def _folder(model: str) -> Path | None:
    """Return where a model's files lie; None for a hub name that is not in the cache."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    if Path(model).is_dir():
        return Path(model)
    try:
        return Path(snapshot_download(model, local_files_only=True))
    except (LocalEntryNotFoundError, ValueError):
        return None


def _machine_free() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if "MemAvailable" in line), None)


def _groups() -> list[Path]:
    """Return the folders of the control groups that bound this process's memory."""
    root, found = Path("/sys/fs/cgroup"), []
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    for _, kinds, path in (line.split(":", 2) for line in lines):
        if kinds in ("", "memory"):
            own = root / kinds / path.lstrip("/")
            # In a container its own group is mounted as the root.
            found += [own, *(folder for folder in own.parents if folder.is_relative_to(root))]
    return found


def _group_free(group: Path) -> int | None:
    """Return what a control group (version 2 or 1) may still take; None where it has no limit."""
    for limit, used, cache in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        try:
            most, now = (group / limit).read_text().strip(), (group / used).read_text()
            rows = dict(row.split() for row in (group / "memory.stat").read_text().splitlines())
        except OSError:
            continue
        if most != "max":
            return int(most) - int(now) + int(rows.get(cache, 0))
    return None
