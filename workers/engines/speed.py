"""How fast an engine is: tokens per second by what is in flight, and what its cache saves."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from statistics import median

from labeling.domain.engines import Endpoint
from workers.engines.findings import Finding, note, ok
from workers.engines.manners import LENGTH, Patient
from workers.engines.protocol import Completion, Message, Sample, complete
from workers.engines.served import cached_tokens

SECONDS = 4.0
"""How long samples are begun at one level."""

SMALL_GAIN = 1.3
"""Times the speed of 8 in flight that `slots` in flight should reach."""

PREFIX = 600
"""Words of a prompt that is read twice, where the context holds them."""

TRIALS = 3


def throughput(patient: Patient) -> Iterator[Finding]:
    """Keep 1, 8, and as many samples as the engine has slots in flight."""
    slots = patient.engine.slots
    rates: dict[int, float] = {}
    for level in sorted({1, min(8, slots), slots}):
        tokens, done, seconds = _kept_in_flight(patient, level)
        rates[level] = tokens / seconds
        said = f"{rates[level]:,.0f} tokens/s, {done / seconds:,.1f} samples/s"
        yield ok(f"speed with {level} in flight", said, tokens_per_second=rates[level], level=level)
    if slots >= 4 * 8 and rates[slots] < SMALL_GAIN * rates[8]:
        yield note(
            "speed",
            f"{slots} in flight are hardly faster than 8",
            "The server does not work on so many at once: raise its limit (vLLM: --max-num-seqs), "
            "or lower max_concurrency.",
        )


def _kept_in_flight(patient: Patient, level: int) -> tuple[int, int, float]:
    """Return the tokens and samples that were done, and in how many seconds."""
    began, seed, tokens, done, flying = time.monotonic(), 10_000 * level, 0, 0, 0
    while True:
        if time.monotonic() - began < SECONDS:
            fresh = range(seed, seed + level - flying)
            patient.engine.submit([Sample(patient.prompt, s, LENGTH, 1.0) for s in fresh])
            seed, flying = seed + len(fresh), level
        elif not flying:
            return tokens, done, time.monotonic() - began
        for _, answer in (finished := patient.engine.finished(1.0)):
            if isinstance(answer, Completion):
                tokens += answer.completion_tokens
                done += 1
        flying -= len(finished)


def prefix_cache(
    patient: Patient, context: int | None, endpoints: Sequence[Endpoint]
) -> Iterator[Finding]:
    """Let long prompts be read twice; servers' own counters tell what was saved, or the time."""
    check = "prefix cache"
    words = min(PREFIX, (context or 1_024) // 4)
    before = cached_tokens(endpoints) if endpoints else None
    times = [_seconds_to_read_twice(patient, words) for _ in range(TRIALS)]
    after = cached_tokens(endpoints) if before else None
    first, second = (median(column) for column in zip(*times, strict=True))
    said = (
        f"{1_000 * first:,.0f} ms to read a long prompt, {1_000 * second:,.0f} ms to read it again"
    )
    if before and after and after[0] > before[0]:
        share = (after[1] - before[1]) / (after[0] - before[0])
        said += f"; {share:.0%} of the tokens came from the cache"  # at best about a half
        saves = share > 0.25
    else:
        share, saves = 0.0, second < 0.8 * first
    figures = {"first_seconds": first, "second_seconds": second, "cached": share}
    if saves:
        yield ok(check, said, **figures)
        return
    advice = (
        "Estimation sends each beginning of a solution many times: without a cache it is read anew "
        "each time. vLLM: --enable-prefix-caching. (A fast server may be too quick to tell.)"
    )
    yield note(check, said, advice, **figures)


def _seconds_to_read_twice(patient: Patient, words: int) -> tuple[float, float]:
    """Return the seconds for a prompt that is new to every cache, and for the same one again."""
    chance = random.Random()  # noqa: S311
    text = "Problem: " + " + ".join(str(chance.randrange(10)) for _ in range(words // 2)) + "?\n\n"
    prompt = text if isinstance(patient.prompt, str) else (Message("user", text),)
    sample = Sample(prompt, 0, 1, 0.0, group="doctor")  # on one server both times
    times = []
    for _ in range(2):
        began = time.perf_counter()
        complete(patient.engine, [sample])
        times.append(time.perf_counter() - began)
    return times[0], times[1]
