"""One of several processes of a training run, as a launcher starts it; may die on the way."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from trainer.config import Progress, TrainConfig
from trainer.team import is_first
from trainer.training import train


def main() -> None:
    settings = json.loads(sys.argv[1])
    die_at = settings.pop("die_at", None)
    for name in ("data", "backbone", "out", "held_out"):
        if name in settings:
            settings[name] = Path(settings[name])

    def die(step: Progress) -> None:
        if step.iteration == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    result = train(TrainConfig(**settings), die)
    if is_first():
        print(json.dumps({"resumed_from": result.resumed_from, "losses": result.losses}))


if __name__ == "__main__":
    main()
