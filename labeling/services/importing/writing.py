"""Write a batch's new rows through COPY, straight into their tables.

The ids are reserved beforehand, so that all rows can refer to each other (docs/adr/0014).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from labeling.domain.adjudication import cause_of
from labeling.domain.consensus import Decision, decide
from labeling.domain.formats import GivenVerdict, Source
from labeling.domain.hashing import split_of
from labeling.domain.labels import VerdictView
from labeling.domain.ordering import place, places
from labeling.models import Labeler, Project
from labeling.models.fields import new_uids
from labeling.services.importing import copying as c
from labeling.services.importing.batches import Batch
from labeling.services.importing.changes import (
    Changes,
    Key,
    Known,
    Said,
    problem_values,
    said,
    solution_values,
)

_PROBLEM = (
    "id", "uid", "project_id", "statement", "content_hash", "split", "created_at",
    "answer", "external_id", "source", "licence",
)  # fmt: skip
_SOLUTION = (
    "id", "problem_id", "uid", "project_id", "content_hash", "created_at", "steps", "gaps",
    "generator_config", "external_id", "generator", "final_answer", "final_answer_correct",
)  # fmt: skip
_VERDICT = (
    "id", "labeler_id", "solution_id", "state", "first_error", "step_labels", "step_scores",
    "mc_k", "mc_n", "critique", "reason", "seconds", "comments", "completions",
    "exhaustive_completions", "prompt_tokens", "completion_tokens", "created_at", "updated_at",
)  # fmt: skip
_DECISION = (
    "solution_id", "project_id", "state", "first_error", "follows_from", "policy_version",
    "priority", "places", "cause", "updated_at",
)  # fmt: skip
_WHOLE, _TRUNCATED = c.json("{}"), c.json('{"truncated": true}')
_FREE = c.int4(0) * 2 + c.int8(0) * 2
"""No completions and no tokens were spent here."""

Views = list[VerdictView]


class Writer:
    """Writes the new rows of one batch, within the caller's transaction."""

    def __init__(self, project: Project, now: datetime, labelers: dict[Source, Labeler]) -> None:
        self._project, self._policy, self._labelers = project, project.policy, labelers
        self._now, self._project_id = c.moment(now), c.int8(project.pk)
        self._outcomes: dict[Any, tuple[Decision, int, int, str]] = {}

    def write(self, batch: Batch, changes: Changes, known: Known) -> None:
        """Write problems, solutions, verdicts, and the new solutions' decisions, in this order.

        Rows come in the order of their hashes: writers that meet wait, but never in a circle.
        """
        problems = {digest: row.id for digest, row in known.problems.items()}
        problems |= self._problems(batch, sorted(changes.problems))
        fresh = self._solutions(batch, sorted(changes.solutions), problems)
        solutions = {digest: row.id for digest, row in known.solutions.items()} | fresh
        views = self._verdicts(batch, changes.verdicts, solutions)
        self._decisions(batch, fresh, views)

    def _problems(self, batch: Batch, hashes: Sequence[str]) -> dict[str, int]:
        ids = dict(zip(hashes, c.next_ids("labeling_problem", len(hashes)), strict=True))
        uids = iter(new_uids(len(hashes)))
        share = self._policy.test_share

        def row(digest: str) -> bytes:
            problem = batch.problems[digest][0]
            answer, *names = problem_values(problem)
            return b"".join(
                (
                    c.int8(ids[digest]),
                    c.text(next(uids)),
                    self._project_id,
                    c.text(problem.statement),
                    c.text(digest),
                    c.word(split_of(digest, share)),
                    self._now,
                    c.text(answer),
                    *map(c.word, names),
                )
            )

        if hashes:
            c.copy("labeling_problem", _PROBLEM, map(row, hashes))
        return ids

    def _solutions(
        self, batch: Batch, hashes: Sequence[str], problems: dict[str, int]
    ) -> dict[str, int]:
        ids = dict(zip(hashes, c.next_ids("labeling_solution", len(hashes)), strict=True))
        uids = iter(new_uids(len(hashes)))

        def row(digest: str) -> bytes:
            problem, solution = batch.solutions[digest]
            external_id, generator, answer, correct = solution_values(solution)
            return b"".join(
                (
                    c.int8(ids[digest]),
                    c.int8(problems[problem]),
                    c.text(next(uids)),
                    self._project_id,
                    c.text(digest),
                    self._now,
                    c.texts(solution.steps),
                    c.texts(solution.gaps),
                    _TRUNCATED if solution.truncated else _WHOLE,
                    c.text(external_id),
                    c.word(generator),
                    c.NULL if answer is None else c.text(answer),
                    c.boolean(correct),
                )
            )

        if hashes:
            c.copy("labeling_solution", _SOLUTION, map(row, hashes))
        return ids

    def _verdicts(
        self, batch: Batch, keys: Sequence[Key], solutions: dict[str, int]
    ) -> dict[str, Views]:
        views: dict[str, Views] = defaultdict(list)
        rows = []
        ordered = sorted(keys, key=lambda key: (solutions[key[1]], self._labelers[key[0]].pk))
        for pk, key in zip(c.next_ids("labeling_verdict", len(keys)), ordered, strict=True):
            verdict, labeler = batch.verdicts[key], self._labelers[key[0]]
            rows.append(self._verdict(pk, labeler, solutions[key[1]], verdict))
            if labeler.active and key[0].kind is not None:
                views[key[1]].append(
                    VerdictView(pk, key[0].kind, verdict.state, verdict.first_error)
                )
        if rows:
            c.copy("labeling_verdict", _VERDICT, rows)
        return views

    def _verdict(self, pk: int, labeler: Labeler, solution: int, verdict: GivenVerdict) -> bytes:
        return b"".join(
            (
                c.int8(pk),
                c.int8(labeler.pk),
                c.int8(solution),
                _said(verdict),
                c.float8(verdict.seconds),
                _WHOLE,
                _FREE,
                self._now,
                self._now,
            )
        )

    def _decisions(self, batch: Batch, fresh: dict[str, int], views: dict[str, Views]) -> None:
        version = c.int4(self._project.policy_version)

        def row(digest: str) -> bytes:
            correct = batch.solutions[digest][1].final_answer_correct
            outcome, priority, wanted, cause = self._outcome(views.get(digest, []), correct)
            return b"".join(
                (
                    c.int8(fresh[digest]),
                    self._project_id,
                    c.word(outcome.state),
                    c.int4(outcome.first_error),
                    c.int8s(outcome.follows_from),
                    version,
                    c.int2(priority),
                    c.int2(wanted),
                    c.word(cause),
                    self._now,
                )
            )

        if fresh:
            c.copy("labeling_decision", _DECISION, map(row, fresh))

    def _outcome(self, views: Views, correct: bool | None) -> tuple[Decision, int, int, str]:
        """Return the decision, its place, places and cause. Alike solutions share them."""
        alike = (correct, *((view.kind, view.state, view.first_error) for view in views))
        known = self._outcomes.get(alike)
        if known is None:
            numbered = [
                VerdictView(at, view.kind, view.state, view.first_error)
                for at, view in enumerate(views)
            ]
            decision = decide(numbered, self._policy)
            wanted = places(numbered, self._policy.human_overlap)
            priority = place(decision.state, numbered, correct)
            known = decision, priority, wanted, cause_of(numbered) or ""
            self._outcomes[alike] = known
        decision, priority, wanted, cause = known
        follows = tuple(views[at].id for at in decision.follows_from)
        return Decision(decision.state, decision.first_error, follows), priority, wanted, cause


def _said(verdict: GivenVerdict) -> bytes:
    words = said(verdict)
    return _fields(words) if words.critique or words.step_scores else _same_fields(words)


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
        )
    )


_same_fields = lru_cache(maxsize=4096)(_fields)
"""Verdicts without words or scores of their own are few, however many solutions have them."""
