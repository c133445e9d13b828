"""The grader's child process: forks workers that compare expressions under hard limits.

Run as a file, in isolation (`python -I`). It loads math-verify once and never computes; each
worker is a fork of it, so that a worker that was killed is replaced in milliseconds. Protocol on
the control socket: it writes "ready"; then for each byte that comes with a socket it forks a worker
on that socket. A worker answers lines of JSON ([gold, prediction, seconds]) with true, false or
null (gave up), and ends itself when `seconds` of wall time are over.
"""

from __future__ import annotations

import ctypes
import gc
import json
import logging
import os
import resource
import select
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

MEMORY = 1024**3
"""A worker's address space, in bytes: a power tower must not take the machine's memory."""

MAX_COMPARISONS = 2_000
"""A worker ends after so many: the libraries' caches grow."""

_ORPHANED_SECONDS = 1.0
_PR_SET_PDEATHSIG = 1


def main(descriptor: int) -> None:
    """Fork a worker for each socket that arrives, until the parent is gone."""
    sys.path.append(str(Path(__file__).resolve().parents[1]))
    logging.disable(logging.CRITICAL)
    parent = os.getppid()
    equal = _comparison()
    gc.freeze()  # what is shared with the workers stays shared
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps the workers
    arrivals = select.poll()
    arrivals.register(descriptor, select.POLLIN)
    with socket.socket(fileno=descriptor) as control:
        control.sendall(b"ready\n")
        while os.getppid() == parent:
            if not arrivals.poll(_ORPHANED_SECONDS * 1000):
                continue
            data, sockets, _, _ = socket.recv_fds(control, 1, 1)
            if not data:
                return
            if os.fork() == 0:
                control.close()
                _work(socket.socket(fileno=sockets[0]), equal)
                os._exit(0)
            os.close(sockets[0])


def _work(channel: socket.socket, equal: Callable[[str, str], bool]) -> None:
    """Answer until the other end closes; SIGALRM, which nothing catches, ends a slow worker."""
    _confine()
    with channel.makefile("rwb") as lines:
        for _, line in zip(range(MAX_COMPARISONS), lines, strict=False):
            gold, prediction, seconds = json.loads(line)
            signal.setitimer(signal.ITIMER_REAL, seconds)
            try:
                answer: bool | None = equal(gold, prediction)
            except (MemoryError, RecursionError):
                answer = None
            except Exception:
                answer = False
            signal.setitimer(signal.ITIMER_REAL, 0)
            lines.write(json.dumps(answer).encode() + b"\n")
            lines.flush()


def _confine() -> None:
    """Take from a worker what no comparison needs; it dies with the child that forked it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Raise on whatever would leave the process: answers are data, and no library may run them."""
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & 0o3
    if writes or event.startswith(_REFUSED):
        raise PermissionError(event)


_REFUSED = (
    *("subprocess.", "socket.connect", "socket.bind", "ctypes.dlopen", "os.system", "os.exec"),
    *("os.posix_spawn", "os.spawn", "os.fork", "os.kill", "os.remove", "os.rename", "os.mkdir"),
    *("os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown", "os.utime"),
)


def _comparison() -> Callable[[str, str], bool]:
    from workers.symbolic import equal

    for gold, prediction in _WARM_UP:
        equal(gold, prediction)
    return equal


# The LaTeX parser learns its grammar from what it reads (0.1 s for the first of each kind).
_WARM_UP = (
    (r"\frac{1}{2}+x_1^{2}", r"\sqrt[3]{2}\pi+(a+b)!"),
    (r"\sin^2 x+\log_2(3)+e^{ix}", r"|x|\cdot\binom{5}{2}-\tan(y)"),
    (r"\{1,2\}\cup(3,4)", r"(x+1)(x-2)(y)"),
    ("2x+3y=5", r"x\le 2y"),
    (r"\sum_{k=1}^{n}k", r"\begin{pmatrix}1&2\\3&4\end{pmatrix}"),
)


if __name__ == "__main__":
    main(int(sys.argv[1]))
