"""Examine an engine before a run relies on it: is it there, does it keep its word, how fast."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from labeling.domain.engines import Endpoint, check_options, endpoints_of
from workers.engines import manners, seeding, speed
from workers.engines.findings import Finding, bad, note, ok, shown
from workers.engines.manners import Patient
from workers.engines.openai_engine import OpenAIEngine
from workers.engines.protocol import EngineError, EngineRefused, EngineUnavailable
from workers.engines.registry import open_engine
from workers.engines.served import Served

PATIENCE = 10.0
"""Seconds without an answer after which a server is down: shorter than in a run."""

LONG = 200_000
"""More tokens than a model in this process takes."""


def examine(kind: str, model: str, options: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield findings as they come; after a failure that spoils the rest, no more.

    Raise BadEngine for a configuration that names no engine.
    """
    check_options(kind, options)
    if kind == "openai":
        yield from _examine_servers(model, options)
    elif kind == "pooling":
        from workers.engines import pooling_check  # brings torch

        yield from pooling_check.examine(model, options)
    else:
        yield from _examine_loaded(kind, model, options)


def _examine_servers(model: str, options: Mapping[str, Any]) -> Iterator[Finding]:
    servers = [Served(endpoint) for endpoint in endpoints_of(options)]
    for server in servers:
        yield from server.look(model)
    reached = [server.endpoint for server in servers if server.reached]
    if not reached:
        return
    contexts = [server.context for server in servers if server.context]
    engine = open_engine("openai", model, {**options, "patience": PATIENCE})
    patient = Patient(engine)
    yield from _carefully(patient, min(contexts, default=None), reached)
    if len(reached) > 1:
        yield _compare(reached, model, patient)


def _examine_loaded(kind: str, model: str, options: Mapping[str, Any]) -> Iterator[Finding]:
    began = time.monotonic()
    try:
        engine = open_engine(kind, model, options)
    except EngineUnavailable as error:
        advice = "Runs with this engine would fail. Correct its model or options, or free memory."
        yield bad("loads", str(error), advice)
        return
    seconds = time.monotonic() - began
    yield ok("loads", f"{seconds:.1f} s", seconds=seconds)
    yield from _carefully(Patient(engine), LONG, [])
    yield _memory()


def _carefully(
    patient: Patient, context: int | None, endpoints: Sequence[Endpoint]
) -> Iterator[Finding]:
    """Examine until the engine gives up."""
    try:
        yield from _examine_answers(patient, context, endpoints)
    except EngineUnavailable as error:
        advice = "It gave up during the examination. Runs would rest and try again, and then fail."
        yield bad("answers", str(error), advice)
    except EngineRefused as error:
        yield bad("answers", str(error), "It refuses now what it answered before.")
    finally:
        patient.engine.cancel()


def _examine_answers(
    patient: Patient, context: int | None, endpoints: Sequence[Endpoint]
) -> Iterator[Finding]:
    yield from manners.completes(patient)
    if patient.greedy is None:
        return
    yield from manners.chats(patient)
    yield from manners.stops(patient)
    yield from manners.counts(patient)
    yield from seeding.seeds(patient)
    yield from manners.limits(patient, context)
    yield from speed.throughput(patient)
    yield from speed.prefix_cache(patient, context, endpoints)


def _compare(endpoints: Sequence[Endpoint], model: str, patient: Patient) -> Finding:
    """See whether several servers say the same: one name may stand for different weights."""
    texts = {}
    for endpoint in endpoints:
        engine = OpenAIEngine([endpoint], model, patience=PATIENCE)
        try:
            texts[endpoint.root] = Patient(engine).ask(patient.prompt).text
        except EngineError as error:
            advice = "It is there, but it does not answer: see its log."
            return bad(f"answers: {endpoint.root}", str(error), advice)
        finally:
            engine.close()
    if len(set(texts.values())) == 1:
        return ok("servers agree", f"{len(texts)} greedy answers are the same")
    said = "; ".join(f"{where}: {shown(text)}" for where, text in texts.items())
    advice = "Make sure that all serve the same model with the same precision."
    return note("servers agree", said, advice)


def _memory() -> Finding:
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        used = (total - free) / 2**30
        return ok("fits", f"{used:.1f} of {total / 2**30:.1f} GiB of the GPU are in use", gib=used)
    # in KiB on Linux
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return ok("fits", f"{used:.1f} GiB of memory at most", gib=used)
