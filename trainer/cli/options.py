"""What the commands share: options, and words for people."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def command(commands: Any, name: str, run: Any, help_text: str) -> argparse.ArgumentParser:
    """Return a new command that runs `run`."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=help_text, description=f"{help_text[0].upper()}{help_text[1:]}."
    )
    parser.set_defaults(command=run)
    parser.add_argument("--json", action="store_true", help="end with one JSON line for machines")
    return parser


def evaluation_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of an evaluation."""
    option = parser.add_argument
    option("--threshold", type=float, default=0.5, help="a step below it is wrong (%(default)s)")
    option("--predictions", type=Path, help="write each solution's prediction here, JSONL")
    option("--compare", type=Path, help="another model's predictions on the same data")
    option("--tune-on", help="split to tune the second threshold on (all)")
    option("--plots", type=Path, help="folder for reliability.svg and thresholds.svg")


def percent(share: float | None) -> str:
    """Return a share as a percentage."""
    return "undefined" if share is None else f"{100 * share:.1f} %"


def say(text: str) -> None:
    """Write a line for people: standard error."""
    sys.stderr.write(text + "\n")


def warn(message: Any, *_: Any, **__: Any) -> None:
    """Show a warning in one line."""
    sys.stderr.write(f"warning: {message}\n")
