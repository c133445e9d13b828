"""Write a batch's new rows through COPY, straight into their tables.

The ids are reserved beforehand, so that all rows can refer to each other (docs/adr/0014).
"""

from __future__ import annotations

import struct
from collections import defaultdict
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
_int8s = {count: struct.Struct("!" + count * "iq").pack for count in (3, 4, 5)}
"""So many bigint fields at a stroke; each begins with its length, 8 bytes."""

View = tuple[LabelerKind, VerdictState, int | None]


class Writer:
    """Writes the new rows of one batch, within the caller's transaction."""

    def __init__(self, project: Project, now: datetime, labelers: dict[Source, Labeler]) -> None:
        self._project, self._policy, self._labelers = project, project.policy, labelers
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
        views = self._verdicts(batch, changes.verdicts, solutions)
        if fresh:
            c.copy("labeling_decision", _DECISION, self._decisions(batch, fresh, views))

    def _problems(self, batch: Batch, hashes: Sequence[str]) -> dict[str, int]:
        ids = dict(zip(hashes, c.next_ids("labeling_problem", len(hashes)), strict=True))
        uids = iter(new_uids(len(hashes)))
        share, pack = self._policy.test_share, _int8s[3]

        def row(digest: str) -> bytes:
            problem = batch.problems[digest][0]
            answer, *names = problem_values(problem)
            return b"".join(
                (
                    pack(8, ids[digest], 8, self._project_id, 8, self._now),
                    c.text(next(uids)),
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
        pack, project, now = _int8s[4], self._project_id, self._now
        given = map(batch.solutions.__getitem__, hashes)
        rows = (
            pack(8, pk, 8, problems[problem], 8, project, 8, now) + c.text(uid) + fields
            for pk, uid, (problem, _, fields) in zip(
                ids.values(), new_uids(len(hashes)), given, strict=True
            )
        )
        if hashes:
            c.copy("labeling_solution", _SOLUTION, rows)
        return ids

    def _verdicts(
        self, batch: Batch, keys: Sequence[Key], solutions: dict[str, int]
    ) -> dict[str, list[tuple[int, View]]]:
        views: dict[str, list[tuple[int, View]]] = defaultdict(list)
        rows = []
        pack, now = _int8s[5], self._now
        ordered = sorted(keys, key=lambda key: (solutions[key[1]], self._labelers[key[0]].pk))
        for pk, key in zip(c.next_ids("labeling_verdict", len(keys)), ordered, strict=True):
            source, digest = key
            labeler, (verdict, fields) = self._labelers[source], batch.verdicts[key]
            rows.append(pack(8, pk, 8, labeler.pk, 8, solutions[digest], 8, now, 8, now) + fields)
            if labeler.active and source.kind is not None:
                views[digest].append((pk, (source.kind, verdict.state, verdict.first_error)))
        if rows:
            c.copy("labeling_verdict", _VERDICT, rows)
        return views

    def _decisions(
        self, batch: Batch, fresh: dict[str, int], views: dict[str, list[tuple[int, View]]]
    ) -> Iterator[bytes]:
        pack, project, now = _int8s[3], self._project_id, self._now
        for digest, solution in fresh.items():
            *_, correct = batch.solutions[digest].values
            seen = views.get(digest, ())
            said = [view for _, view in seen]
            alike = (correct, *said)
            outcome = self._outcomes.get(alike)
            if outcome is None:
                outcome = self._outcomes[alike] = self._outcome(said, correct)
            fields, follows = outcome
            yield b"".join(
                (
                    pack(8, solution, 8, project, 8, now),
                    fields,
                    c.int8s([seen[at][0] for at in follows]),
                )
            )

    def _outcome(self, views: Sequence[View], correct: bool | None) -> tuple[bytes, Sequence[int]]:
        """Return the decision's fields from state to cause, and which of the verdicts it follows.

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
            )
        )
        return fields, decision.follows_from
