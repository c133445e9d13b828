"""The grader's child process: compares mathematical answers line by line, under hard limits.

Run as a file, in isolation (`python -I`); it knows nothing of the project. Protocol: it writes
"ready", then for each line of JSON ([gold, prediction]) one line: true, false or null (gave up).
"""

from __future__ import annotations

import json
import logging
import resource
import signal
import sys
from collections.abc import Callable

MEMORY = 2 * 1024**3
"""Address space, in bytes: a power tower must not take the machine's memory."""


def main(seconds: int) -> None:
    """Answer until the input ends; die by SIGALRM in a comparison of more than `seconds`."""
    out = sys.stdout
    sys.stdout = sys.stderr  # nothing that a library prints may enter the protocol
    logging.disable(logging.CRITICAL)
    equal = _comparison()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    print("ready", file=out, flush=True)
    for line in sys.stdin:
        # The parent kills a slow child; the alarm is for a child whose parent is gone.
        signal.alarm(seconds)
        try:
            answer = equal(*json.loads(line))
        except (MemoryError, RecursionError):
            answer = None
        signal.alarm(0)
        print(json.dumps(answer), file=out, flush=True)


def _comparison() -> Callable[[str, str], bool]:
    from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse, verify

    targets = [LatexExtractionConfig(), ExprExtractionConfig()]

    def read(text: str) -> list[object]:
        # math-verify reads LaTeX only inside marks; its own time limits need the main thread and
        # cancel alarms, so they are off: this process has the limits.
        marked = text if "$" in text or "\\(" in text or "\\[" in text else f"${text}$"
        return list(parse(marked, targets, parsing_timeout=None, raise_on_error=False))

    def equal(gold: str, prediction: str) -> bool:
        expected, found = read(gold), read(prediction)
        if not expected or not found:
            return False
        return bool(verify(expected, found, timeout_seconds=None, raise_on_error=False))

    equal("\\frac{1}{2}", "0.5")  # builds the LaTeX parser
    return equal


if __name__ == "__main__":
    main(int(sys.argv[1]))
