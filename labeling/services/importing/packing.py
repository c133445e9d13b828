"""The part of each row's COPY line that does not depend on the database.

It is most of the line, and is packed while Postgres stores what came before (docs/adr/0014).
"""

from __future__ import annotations

from functools import lru_cache

from labeling.domain.formats import GivenVerdict, SolutionRow, Source
from labeling.domain.labels import StepLabels, VerdictState
from labeling.services.importing import copying as c
from labeling.services.importing.values import Said, SolutionValues, said

SOLUTION = (
    "content_hash", "steps", "gaps", "generator_config", "external_id", "generator",
    "final_answer", "final_answer_correct",
)  # fmt: skip
VERDICT = (
    "state", "first_error", "step_labels", "step_scores", "mc_k", "mc_n", "critique", "reason",
    "comments", "completions", "exhaustive_completions", "prompt_tokens", "completion_tokens",
    "seconds",
)  # fmt: skip
_WHOLE, _TRUNCATED = c.json("{}"), c.json('{"truncated": true}')
_FREE = c.json("{}") + c.int4(0) * 2 + c.int8(0) * 2
"""No comments; no completions and no tokens were spent here."""

_NO_TEXTS, _NO_TIME = c.texts(()), c.float8(0.0)


def solution_fields(
    digest: str, steps: bytes, solution: SolutionRow, values: SolutionValues
) -> bytes:
    """Return the fields of SOLUTION; `steps` are packed already."""
    external_id, generator, answer, correct = values
    return b"".join(
        (
            c.text(digest),
            steps,
            c.texts(solution.gaps) if solution.gaps else _NO_TEXTS,
            _TRUNCATED if solution.truncated else _WHOLE,
            c.text(external_id),
            c.word(generator),
            c.NULL if answer is None else c.text(answer),
            c.boolean(correct),
        )
    )


def verdict_fields(verdict: GivenVerdict) -> bytes:
    """Return the fields of VERDICT."""
    own = verdict.critique or verdict.step_scores or verdict.counts or verdict.reason
    words = (
        _fields(said(verdict))
        if own
        else _labels(verdict.first_error, verdict.step_labels, verdict.state)
    )
    return words + (c.float8(verdict.seconds) if verdict.seconds else _NO_TIME)


def _fields(words: Said) -> bytes:
    return b"".join(
        (
            c.text(words.state),
            c.int4(words.first_error),
            c.int2s(words.step_labels),
            c.float8s(words.step_scores),
            c.int2s(words.mc_k),
            c.int2s(words.mc_n),
            c.text(words.critique),
            c.text(words.reason),
            _FREE,
        )
    )


@lru_cache(maxsize=4096)
def _labels(first_error: int | None, labels: StepLabels, state: VerdictState) -> bytes:
    """Return the fields of a verdict of labels only: such are few, on however many solutions."""
    return _fields(said(GivenVerdict(Source(), first_error, labels, state)))
