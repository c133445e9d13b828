"""Start and end a real `vllm serve` on CPU for the tests marked vllm.

A missing server is a failure that says what to do, never a skip.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 600
"""27-30 s on an idle machine; a loaded one may take many minutes."""
ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "TORCHDYNAMO_DISABLE": "1",  # without a C++ compiler logprobs kill the engine otherwise
    "OMP_NUM_THREADS": "1",
}
# Chunked prefill stays off: with seeds of their own, requests kill the CPU engine otherwise.
FLAGS = (
    "--host=127.0.0.1",
    "--dtype=float32",
    "--max-model-len=1024",
    "--enforce-eager",
    "--kv-cache-memory-bytes=134217728",
    "--no-enable-chunked-prefill",
    "--max-num-batched-tokens=8192",
)


@dataclass(frozen=True)
class VllmServer:
    url: str
    model: str
    process: subprocess.Popen[bytes]
    log: Path


def vllm_python() -> Path:
    """Return the Python that has vLLM; fail the test where there is none."""
    path = Path(os.environ.get("VLLM_PYTHON") or ROOT / ".venv-vllm" / "bin" / "python")
    if not path.is_file():
        pytest.fail(f"no vLLM: {path} does not exist. Run `make test-vllm`, which installs it.")
    return path


def vllm_environment() -> dict[str, str]:
    """Return this process's environment for a process of vLLM."""
    # STACK: where it is set the engine reserves this much instead of what the flags say.
    mine = {key: value for key, value in os.environ.items() if key != "VLLM_CPU_KVCACHE_SPACE"}
    return mine | ENVIRONMENT


@contextmanager
def vllm_server(model: Path, folder: Path, flags: Sequence[str] = ()) -> Iterator[VllmServer]:
    """Serve a checkpoint until the block ends; its log goes to `folder`."""
    port, log = _free_port(), folder / "vllm.log"
    command = [str(vllm_python()), "-m", "vllm.entrypoints.openai.api_server"]
    command += [f"--model={model}", "--served-model-name=tiny", f"--port={port}", *FLAGS, *flags]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=vllm_environment(),
            cwd=folder,
            start_new_session=True,  # the engine runs in children: the whole group must end
        )
    server = VllmServer(f"http://127.0.0.1:{port}", "tiny", process, log)
    try:
        _wait_until_healthy(server)
        yield server
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End the server with all its children."""
    for sign, seconds in ((signal.SIGTERM, 15), (signal.SIGKILL, 15)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _wait_until_healthy(server: VllmServer) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            break
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{server.url}/health", timeout=5).status_code == httpx.codes.OK:
                return
        time.sleep(0.5)
    tail = server.log.read_text(errors="replace")[-3_000:]
    pytest.fail(f"vLLM did not start within {START_SECONDS} s:\n{tail}")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
