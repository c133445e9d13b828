"""Feed an engine from one thread and let it work in another one.

What works (a Stepper) knows no threads. The thread lives while there is work: an idle engine has
none, so that processes fork and end without it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Protocol

from workers.engines.protocol import Answer, EngineUnavailable, Sample

Answered = tuple[Sample, Answer]


class Stepper(Protocol):
    """Work on samples in small steps; its methods are called one after the other."""

    def add(self, samples: Sequence[Sample]) -> None:
        """Take samples on."""
        ...

    def step(self) -> list[Answered]:
        """Work a little on what was added; return what is done, each sample once."""
        ...

    def drop(self) -> None:
        """Forget all samples; called before the first ones, and after an error too."""
        ...

    def close(self) -> None:
        """Release memory and processes."""
        ...


class Feed:
    """The engine that a Stepper makes (see workers.engines.protocol)."""

    def __init__(self, name: str, slots: int, stepper: Stepper) -> None:
        self.name, self.slots, self._stepper = name, slots, stepper
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._era = 0
        """Grows when all is given up; `_worked` is the era of what the thread works on."""
        self._worked = -1
        self._waiting: list[Sample] = []
        self._done: list[Answered] = []
        self._failure: EngineUnavailable | None = None

    def submit(self, samples: Sequence[Sample]) -> None:
        """Hand samples over to the thread; start it if there is none."""
        with self._changed:
            self._waiting += samples
            if self._waiting and self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
                self._thread.start()

    def finished(self, wait: float) -> list[Answered]:
        """Return what is done, after `wait` seconds at the latest; raise EngineUnavailable."""
        with self._changed:
            self._changed.wait_for(lambda: self._done or self._failure, timeout=wait)
            done, failure = self._done, self._failure
            self._done = []
            if failure and not done:
                self._give_up()
                raise failure
            return done

    def cancel(self) -> None:
        """Give up everything; the step under way ends, and its results are dropped."""
        with self._changed:
            self._give_up()

    def close(self) -> None:
        """Give up everything, wait until the thread has ended and release what it used."""
        with self._changed:
            self._give_up()
            thread = self._thread
        if thread is not None:
            thread.join()
        self._stepper.close()

    def _give_up(self) -> None:
        self._era += 1
        self._waiting, self._done, self._failure = [], [], None

    def _run(self) -> None:
        try:
            self._work()
        # Whatever went wrong, the caller must hear of it: nobody sees how this thread ends.
        except BaseException as error:
            failure = EngineUnavailable(f"{self.name}: {error!r}")
            failure.__cause__ = error
            if isinstance(error, EngineUnavailable):
                failure = error
            with self._changed:
                # A caller that has given up meanwhile, and asked for nothing new, need not know.
                if self._worked == self._era or self._waiting:
                    self._failure = failure
                self._thread, self._waiting = None, []
                self._changed.notify_all()

    def _work(self) -> None:
        """Work until there is nothing to do."""
        inside = 0
        self._worked = -1
        while True:
            with self._changed:
                stale, self._worked = self._worked != self._era, self._era
                new, self._waiting = self._waiting, []
                if not (new or inside or stale):
                    self._thread = None
                    return
            if stale:
                self._stepper.drop()
                inside = 0
            if not (new or inside):
                continue
            self._stepper.add(new)
            done = self._stepper.step()
            inside += len(new) - len(done)
            with self._changed:
                if done and self._worked == self._era:
                    self._done += done
                    self._changed.notify_all()
