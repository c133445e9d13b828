"""The command line: parse, call, print. Bad input gives one sentence and exit code 2."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence

from trainer.cli import criticizing, evaluating, scoring, training

BAD_INPUT = 2

EPILOG = """\
A first round trip, with nothing but a file of records (format: trainer/records.py):
  python -m trainer init     --data train.jsonl --out backbone
  python -m trainer train    --data train.jsonl --backbone backbone --out run --lr 1e-3
  python -m trainer evaluate --data test.jsonl  --model run/model
  python -m trainer score    --data new.jsonl   --model run/model
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return 0, or 2 for input that cannot be used."""
    arguments = _parser().parse_args(argv)
    try:
        summary = arguments.command(arguments)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader (head, less) has enough; keep Python from failing on its final flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError) as error:
        if not _expected(error):
            raise
        sys.stderr.write(f"error: {_words(error)}\n")
        return BAD_INPUT
    if arguments.json and summary:
        sys.stdout.write(json.dumps(summary) + "\n")
    return 0


def _words(error: Exception) -> str:
    """Return an error's text; of a file, its name and what is amiss, without a number."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _expected(error: Exception) -> bool:
    """Say whether the input is to blame; a fault of ours keeps its traceback."""
    return isinstance(error, OSError) or type(error).__module__.startswith("trainer.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m trainer",
        description="Train, evaluate and use process reward models: models that score each step.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in (training, evaluating, criticizing, scoring):
        module.register(commands)
    return parser
