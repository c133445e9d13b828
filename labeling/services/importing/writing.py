"""Write a batch's new rows through COPY, straight into their tables.

The ids are reserved beforehand, so that all rows can refer to each other (docs/adr/0014).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from datetime import datetime

from labeling.domain.adjudication import cause_of
from labeling.domain.consensus import decide
from labeling.domain.formats import Source
from labeling.domain.hashing import split_of
from labeling.domain.labels import LabelerKind, VerdictState, VerdictView
from labeling.domain.ordering import place, places
from labeling.models import Labeler, Project
from labeling.models.fields import new_uids
from labeling.services.importing import copying as c
from labeling.services.importing import packing
from labeling.services.importing.batches import Batch, Key
from labeling.services.importing.changes import Changes, Known
from labeling.services.importing.values import problem_values

_PROBLEM = (
    "id", "project_id", "created_at", "uid", "statement", "content_hash", "split", "answer",
    "external_id", "source", "licence",
)  # fmt: skip
_SOLUTION = ("id", "problem_id", "project_id", "created_at", "uid", *packing.SOLUTION)
_VERDICT = ("id", "labeler_id", "solution_id", "created_at", "updated_at", *packing.VERDICT)
_DECISION = (
    "solution_id", "project_id", "updated_at", "state", "first_error", "policy_version",
    "priority", "places", "cause", "follows_from",
)  # fmt: skip
_WITH_UID = "i12s"
_problem_head = struct.Struct("!" + 3 * "iq" + _WITH_UID).pack
_solution_head = struct.Struct("!" + 4 * "iq" + _WITH_UID).pack
_verdict_head = struct.Struct("!" + 5 * "iq").pack
_decision_head = struct.Struct("!" + 3 * "iq").pack
"""A row's first fields at a stroke: bigints and an opaque id, each after its length (8, 12)."""

View = tuple[LabelerKind, VerdictState, int | None]
Heard = dict[str, tuple[tuple[int, ...], tuple[View, ...]]]
"""By solution's hash: the verdicts that its decision hears, their ids and what they say."""

_NOBODY: tuple[tuple[int, ...], tuple[View, ...]] = ((), ())


class Writer:
    """Writes the new rows of one batch, within the caller's transaction."""

    def __init__(self, project: Project, now: datetime, labelers: dict[Source, Labeler]) -> None:
        self._policy = project.policy
        # the id, and the kind of a labeler that decisions hear
        self._labelers = {
            source: (labeler.pk, source.kind if labeler.active else None)
            for source, labeler in labelers.items()
        }
        self._now, self._project_id = c.microseconds(now), project.pk
        self._version = c.int4(project.policy_version)
        self._outcomes: dict[object, tuple[bytes, Sequence[int]]] = {}

    def write(self, batch: Batch, changes: Changes, known: Known) -> None:
        """Write problems, solutions, verdicts, and the new solutions' decisions, in this order.

        Rows come in the order of their hashes: writers that meet wait, but never in a circle.
        """
        problems = {digest: row.id for digest, row in known.problems.items()}
        problems |= self._problems(batch, sorted(changes.problems))
        fresh = self._solutions(batch, sorted(changes.solutions), problems)
        solutions = {digest: row.id for digest, row in known.solutions.items()} | fresh
        heard = self._verdicts(batch, changes.verdicts, solutions)
        if fresh:
            c.copy("labeling_decision", _DECISION, self._decisions(batch, fresh, heard))

    def _problems(self, batch: Batch, hashes: Sequence[str]) -> dict[str, int]:
        ids = dict(zip(hashes, c.next_ids("labeling_problem", len(hashes)), strict=True))
        uids = map(str.encode, new_uids(len(hashes)))
        share = self._policy.test_share

        def row(digest: str) -> bytes:
            problem = batch.problems[digest][0]
            answer, *names = problem_values(problem)
            return b"".join(
                (
                    _problem_head(
                        8, ids[digest], 8, self._project_id, 8, self._now, 12, next(uids)
                    ),
                    c.text(problem.statement),
                    c.text(digest),
                    c.word(split_of(digest, share)),
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
        project, now = self._project_id, self._now
        uids = map(str.encode, new_uids(len(hashes)))
        given = map(batch.solutions.__getitem__, hashes)
        rows = (
            _solution_head(8, pk, 8, problems[problem], 8, project, 8, now, 12, uid) + fields
            for pk, uid, (problem, _, fields) in zip(ids.values(), uids, given, strict=True)
        )
        if hashes:
            c.copy("labeling_solution", _SOLUTION, rows)
        return ids

    def _verdicts(self, batch: Batch, keys: Sequence[Key], solutions: dict[str, int]) -> Heard:
        heard: Heard = {}
        rows, now = [], self._now
        if len({digest for _, digest in keys}) < len(keys):  # of one solution, by labeler
            keys = sorted(keys, key=lambda key: (solutions[key[1]], self._labelers[key[0]][0]))
        for pk, key in zip(c.next_ids("labeling_verdict", len(keys)), keys, strict=True):
            source, digest = key
            labeler, kind = self._labelers[source]
            verdict, fields = batch.verdicts[key]
            rows.append(
                _verdict_head(8, pk, 8, labeler, 8, solutions[digest], 8, now, 8, now) + fields
            )
            if kind is not None:
                ids, views = heard.get(digest, _NOBODY)
                view = kind, verdict.state, verdict.first_error
                heard[digest] = (*ids, pk), (*views, view)
        if rows:
            c.copy("labeling_verdict", _VERDICT, rows)
        return heard

    def _decisions(self, batch: Batch, fresh: dict[str, int], heard: Heard) -> Iterator[bytes]:
        project, now, outcomes = self._project_id, self._now, self._outcomes
        for digest, solution in fresh.items():
            correct = batch.solutions[digest].values[-1]
            ids, views = heard.get(digest, _NOBODY)
            outcome = outcomes.get((correct, views))
            if outcome is None:
                outcome = outcomes[correct, views] = self._outcome(views, correct)
            fields, follows = outcome
            head = _decision_head(8, solution, 8, project, 8, now)
            yield b"".join((head, fields, *[c.int8(ids[at]) for at in follows]))

    def _outcome(self, views: Sequence[View], correct: bool | None) -> tuple[bytes, Sequence[int]]:
        """Return the decision's fields but the ids of the verdicts that it follows, and which those
        are.

        Solutions with alike verdicts share them.
        """
        numbered = [VerdictView(at, *view) for at, view in enumerate(views)]
        decision = decide(numbered, self._policy)
        fields = b"".join(
            (
                c.word(decision.state),
                c.int4(decision.first_error),
                self._version,
                c.int2(place(decision.state, numbered, correct)),
                c.int2(places(numbered, self._policy.human_overlap)),
                c.word(cause_of(numbered) or ""),
                c.int8s_head(len(decision.follows_from)),
            )
        )
        return fields, decision.follows_from
