"""Whether an engine's samples are many, and the same ones when they are drawn again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workers.engines.findings import Finding, bad, note, ok
from workers.engines.manners import LENGTH, Patient
from workers.engines.protocol import Answer, Completion, Sample, complete

HOT = 2.0
"""A temperature at which even a model that is sure of itself varies."""

SEEDS = 8


def seeds(patient: Patient) -> Iterator[Finding]:
    """Draw the same seeds twice, and once more in a crowd."""
    check = "seeds"
    hot = [Sample(patient.prompt, seed, LENGTH // 2, HOT) for seed in range(1, SEEDS + 1)]
    first = _texts(complete(patient.engine, hot))
    if not first:
        hot = [Sample(patient.prompt, seed, LENGTH // 2, 1.0) for seed in range(1, SEEDS + 1)]
        first = _texts(complete(patient.engine, hot))
    if len(first) < SEEDS:
        yield bad(check, "samples at temperature 1 are refused", "It cannot estimate steps.")
        return
    if len(set(first)) == 1:
        advice = (
            "n samples of a step would be one and the same: estimates and votes mean nothing. "
            "The server ignores seed and temperature, or caches answers: change that."
        )
        yield bad(check, f"{SEEDS} seeds give {SEEDS} times the same text", advice)
        return
    again = _texts(complete(patient.engine, hot))
    yield _repeated(check, first, again, "asked again")
    crowd = [
        Sample(patient.prompt, seed, LENGTH, 1.0)
        for seed in range(1_000, 1_000 + patient.engine.slots)
    ]
    among = complete(patient.engine, [*crowd[::2], *hot, *crowd[1::2]])
    begin = len(crowd[::2])
    yield _repeated(
        f"{check} in a crowd", first, _texts(among[begin : begin + SEEDS]), "among many"
    )


def _repeated(check: str, first: list[str], again: list[str], how: str) -> Finding:
    same = sum(a == b for a, b in zip(first, again, strict=False))
    said = f"{same} of {SEEDS} samples are the same when {how}"
    figures = {"same": float(same)}
    if same == SEEDS:
        return ok(check, said, **figures)
    if same > SEEDS / 2:
        advice = (
            "Rounding differs with what else the server computes: a repeated run draws a few other "
            "samples. Labels are as good; they are just not reproducible to the letter."
        )
        return note(check, said, advice, **figures)
    advice = (
        "The server ignores seeds: a run that is interrupted or repeated draws other samples. "
        "Labels are as good, but not reproducible."
    )
    return note(check, said, advice, **figures)


def _texts(answers: Sequence[Answer]) -> list[str]:
    return [answer.text for answer in answers if isinstance(answer, Completion)]
