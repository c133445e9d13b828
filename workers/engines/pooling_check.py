"""Examine a served PRM before a run relies on it: which format it wants, what it says, how fast."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

from labeling.domain.engines import Endpoint
from trainer.formats import FORMATS
from workers.engines.findings import Finding, bad, note, ok
from workers.engines.pooling import EXAMPLE, PoolingScorer
from workers.engines.pooling_options import PoolingOptions
from workers.engines.protocol import EngineRefused, EngineUnavailable
from workers.engines.retrying import Retrying
from workers.engines.scorers import Solution, StepScores
from workers.engines.served import Served

WRONG: Solution = (EXAMPLE[0], (*EXAMPLE[1][:-1], "So the answer is 9."))
APART = 0.02
"""Scores of one step on two servers that round differently lie no further apart."""

ASKED = 256
"""Solutions scored to measure the speed."""

TIMEOUT = 30.0
"""Seconds for an answer, at most: less than a run allows."""


def examine(model: str, options: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield findings as they come; after a failure that spoils the rest, no more.

    Raise BadEngine for options that name no server.
    """
    given = PoolingOptions.read(options)
    given = replace(given, timeout=min(given.timeout, TIMEOUT))
    servers = [Served(endpoint) for endpoint in given.endpoints]
    for server in servers:
        yield from server.look(model)
    endpoints = [server.endpoint for server in servers if server.reached]
    if not endpoints:
        return
    forms, why = _forms(model, given, endpoints[0])
    if not forms:
        yield bad("format", why, "Start the server with these flags, or correct the tokenizer.")
        return
    yield ok("format", f"one row per step as {' or '.join(forms)}")
    try:
        yield from _measure(model, forms[0], given, endpoints)
    except EngineUnavailable as error:
        yield bad("answers", str(error), "It gave up during the examination: see its log.")


def _forms(model: str, given: PoolingOptions, endpoint: Endpoint) -> tuple[list[str], str]:
    """Return the formats that the server answers, or the reason of the first that it does not."""
    fitting, reasons = [], []
    for form in FORMATS:
        try:
            with closing(_scorer(model, form, given, endpoint)) as scorer:
                _score(scorer, EXAMPLE)
            fitting.append(form)
        except EngineUnavailable as error:
            reasons.append(f"{form}: {error}")
    # Those that fail at the tokenizer say less than those that fail at the server.
    reasons.sort(key=lambda reason: "cannot ask" in reason)
    return fitting, reasons[0] if reasons else ""


def _measure(
    model: str, form: str, given: PoolingOptions, endpoints: list[Endpoint]
) -> Iterator[Finding]:
    found = {}
    for endpoint in endpoints:
        with closing(_scorer(model, form, given, endpoint)) as scorer:
            found[endpoint.root] = _score(scorer, EXAMPLE), _score(scorer, WRONG)
    yield _sense(*next(iter(found.values())))
    if len(found) > 1:
        yield _agreement({where: scores.values for where, (scores, _) in found.items()})
    with closing(_scorer(model, form, given, *endpoints)) as scorer:
        yield _speed(scorer)


def _sense(right: StepScores, wrong: StepScores) -> Finding:
    """See whether the PRM tells a right last step from a wrong one."""
    said = f"{right.values[-1]:.3f} for a right answer, {wrong.values[-1]:.3f} for a wrong one"
    if right.values[-1] > wrong.values[-1]:
        return ok("tells right from wrong", said)
    advice = "If it is meant to know: another format or tokenizer, or its classes are swapped."
    return note("tells right from wrong", said, advice)


def _agreement(values: Mapping[str, tuple[float, ...]]) -> Finding:
    columns = zip(*values.values(), strict=True)
    apart = max(max(column) - min(column) for column in columns)
    said = f"the scores of {len(values)} servers differ by {apart:.4f} at most"
    if apart <= APART:
        return ok("servers agree", said, apart=apart)
    advice = "Make sure that all serve the same model with the same precision."
    return bad("servers agree", said, advice, apart=apart)


def _speed(scorer: PoolingScorer) -> Finding:
    solutions = [(f"What is {number} + 3?", EXAMPLE[1]) for number in range(ASKED)]
    began = time.monotonic()
    found = scorer.score_many(solutions)
    seconds = time.monotonic() - began
    tokens = sum(scores.tokens for scores in found if isinstance(scores, StepScores))
    said = f"{ASKED / seconds:.0f} short solutions, {tokens / seconds:,.0f} tokens per second"
    return ok("speed", said, solutions_per_second=ASKED / seconds)


def _scorer(model: str, form: str, given: PoolingOptions, *endpoints: Endpoint) -> PoolingScorer:
    return PoolingScorer(model, form, replace(given, endpoints=endpoints), Retrying(attempts=1))


def _score(scorer: PoolingScorer, solution: Solution) -> StepScores:
    (scores,) = scorer.score_many([solution])
    if isinstance(scores, EngineRefused):
        raise EngineUnavailable(str(scores), retry=False)
    return scores
