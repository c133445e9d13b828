"""How much work a run is, in steps and tokens, and how long the rest of it takes."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from itertools import accumulate

from trainer.batching import BatchPlan, Example
from trainer.config import TrainConfig


class Pace:
    """Know the tokens of every optimizer step, and measure the seconds that they take."""

    def __init__(self, examples: Sequence[Example], config: TrainConfig) -> None:
        self.plan = BatchPlan(len(examples), config.batch_size, config.seed)
        self.iterations = config.iterations or math.ceil(config.epochs * self.plan.per_epoch)
        lengths = [len(example.ids) for example in examples]
        steps = (sum(lengths[i] for i in self.plan.batch(n)) for n in range(self.iterations))
        self._tokens = [0, *accumulate(steps)]
        self.begin(0, 0.0)

    @property
    def tokens(self) -> int:
        """The tokens of the whole run."""
        return self._tokens[-1]

    def begin(self, iteration: int, seconds: float) -> None:
        """Start the clock at a step that earlier processes reached after `seconds`."""
        self._first, self._start = iteration, time.monotonic()
        self._before = seconds

    def seconds(self) -> float:
        """The run's seconds so far, those before a resumption included."""
        return self._before + time.monotonic() - self._start

    def remaining(self, iteration: int) -> float:
        """The seconds to go behind `iteration` steps, at this process's tokens per second."""
        done = self._tokens[iteration] - self._tokens[self._first]
        left = self.tokens - self._tokens[iteration]
        return left * (time.monotonic() - self._start) / done if done else math.inf
