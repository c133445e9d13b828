"""Where batches go: into the database, or, in a dry run, into a note of what would be there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Protocol

from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from labeling.domain.formats import Source
from labeling.models import Labeler, Project, User
from labeling.services import decisions, events, labelers
from labeling.services.importing.amending import fill, relabel
from labeling.services.importing.batches import Batch, Key
from labeling.services.importing.changes import Changes, Known, compare
from labeling.services.importing.reports import STORED_COUNTS, Report
from labeling.services.importing.values import KnownProblem, KnownSolution, Said
from labeling.services.importing.writing import Writer

ATTEMPTS = 5
STORED = "rows imported"
"""The action of each batch's audit event; its details are a report's STORED_COUNTS."""


class Ledger(Protocol):
    """Takes batches in, one after the other."""

    def take(self, batch: Batch) -> Changes:
        """Enter the batch and return what it changed."""


class Stored:
    """The project itself. Each batch is one transaction with its audit event."""

    def __init__(self, by: User, project: Project, subject: str) -> None:
        self._by, self._project, self._subject = by, project, subject
        self._labelers: dict[Source, Labeler] = {}
        self._hope = Hope()

    def take(self, batch: Batch) -> Changes:
        """Store the batch; whatever is stored already is left as it is.

        Outside of a transaction, what was stored may still be lost with the server, from the last
        batch on, until the next transaction that waits for the disk.
        """
        self._register(source for source, _ in batch.verdicts)
        for attempt in range(ATTEMPTS + 1):
            try:
                changes = self._store(batch, waits=connection.in_atomic_block)
            except (IntegrityError, OperationalError):
                # A run that generates solutions, another process, stored one of these at the same
                # moment, or waits for one of ours while we wait for its own. It is stored by now.
                if attempt == ATTEMPTS or not connection.is_usable():
                    raise
                self._hope.disappoint()
            else:
                self._hope.learn(all_new=len(changes.solutions) == len(batch.solutions))
                return changes
        raise AssertionError("unreachable")

    @transaction.atomic
    def _store(self, batch: Batch, *, waits: bool) -> Changes:
        if not waits:
            _set_for_this_batch()
        # Imports into one project take turns, batch by batch; and the policy stands still.
        project = Project.objects.select_for_update(no_key=True).get(pk=self._project.pk)
        known = read_known(project.pk, batch, self._labelers, all_new=self._hope.is_well)
        changes = compare(batch, known)
        locked = decisions.lock(_touched(changes, known)) if known.solutions else []
        fill("labeling_problem", _by_id(changes.problem_fills, known.problems))
        solution_fills = _by_id(changes.solution_fills, known.solutions)
        fill("labeling_solution", solution_fills)
        for solution in locked:
            for name, value in solution_fills.get(solution.pk, {}).items():
                setattr(solution, name, value)
        now = timezone.now()
        relabel([(known.verdicts[key][0], batch.verdicts[key][0]) for key in changes.relabels], now)
        Writer(project, now, self._labelers).write(batch, changes, known)
        if locked:
            decisions.refresh(project=project, solutions=locked)
        self._record(project, changes)
        return changes

    def _register(self, sources: Iterable[Source]) -> None:
        for source in sources:
            if source not in self._labelers and source.kind is not None:
                self._labelers[source] = labelers.register(
                    by=self._by,
                    project=self._project,
                    kind=source.kind,
                    name=source.name,
                    config={"imported": source.name},
                )

    def _record(self, project: Project, changes: Changes) -> None:
        report = Report()
        changes.add_to(report)
        counts = {name: getattr(report, name) for name in STORED_COUNTS}
        if any(counts.values()):
            events.record(
                by=self._by, action=STORED, project=project, subject=self._subject, **counts
            )


class Hope:
    """Whether a batch's solutions will all be new, so that looking for them can be left out.

    Where they are not, their unique hashes stop the batch, and it is stored again, looked up. Each
    time it takes more new batches in a row to hope again.
    """

    def __init__(self) -> None:
        self._missing, self._price = 1, 1

    @property
    def is_well(self) -> bool:
        """Say whether there is hope."""
        return not self._missing

    def learn(self, *, all_new: bool) -> None:
        """Note what a batch was."""
        self._missing = max(self._missing - 1, 0) if all_new else self._price

    def disappoint(self) -> None:
        """Give up hope for now, where there was any."""
        if self.is_well:
            self._price *= 4
        self._missing = self._price


def commit_without_waiting() -> None:
    """Let the transaction's commit return before it is on disk.

    Transactions get lost from the last one on and each as a whole, with the server only: the
    import had not said that it is done, for what says so waits for the disk, and everything
    before it comes along (docs/adr/0014).
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit TO off")


def _set_for_this_batch() -> None:
    commit_without_waiting()
    # for the triggers' copies of new rows: batches.CHARACTERS of them, else through a file
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem TO '16MB'")


def read_known(
    project: int,
    batch: Batch,
    labelers_by_source: dict[Source, Labeler],
    *,
    all_new: bool = False,
) -> Known:
    """Return what the project holds of the batch; `all_new`: none of its solutions, surely."""
    problems = _by_hash(
        "SELECT content_hash, id, answer, external_id, source, licence FROM labeling_problem",
        project,
        batch.problems,
    )
    solutions = _by_hash(
        "SELECT content_hash, id, external_id, generator, final_answer, final_answer_correct"
        " FROM labeling_solution",
        project,
        () if all_new else batch.solutions,
    )
    known = {digest: KnownSolution(*values) for digest, values in solutions.items()}
    return Known(
        {digest: KnownProblem(*values) for digest, values in problems.items()},
        known,
        _verdicts(batch, known, labelers_by_source),
    )


def _by_hash(select: str, project: int, hashes: Collection[str]) -> dict[str, Sequence[Any]]:
    # Hash by hash, which LIMIT sees to, and by the index of hashes alone, which "+ 0" does: of a
    # project that has just begun to grow Postgres believes that it has few rows, and would read
    # them all, with every batch more.
    if not hashes:
        return {}
    given = "unnest(string_to_array(%s, ' ')) given (hash)"
    found = f"{select} WHERE content_hash = given.hash AND project_id + 0 = %s LIMIT 1"
    sql = f"SELECT found.* FROM {given}, LATERAL ({found}) found"  # noqa: S608 - our own names
    with connection.cursor() as cursor:
        cursor.execute(sql, [" ".join(hashes), project])
        return {row[0]: row[1:] for row in cursor.fetchall()}


def _verdicts(
    batch: Batch, known: dict[str, KnownSolution], labelers_by_source: dict[Source, Labeler]
) -> dict[Key, tuple[int, Said]]:
    hashes = {known[key].id: key for _, key in batch.verdicts if key in known}
    if not hashes:
        return {}
    sources = {labeler.pk: source for source, labeler in labelers_by_source.items()}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT labeler_id, solution_id, id, state, first_error, step_labels, step_scores,"
            " mc_k, mc_n, critique, reason FROM labeling_verdict"
            " WHERE solution_id = ANY(%s) AND labeler_id = ANY(%s)",
            [list(hashes), list(sources)],
        )
        return {
            (sources[row[0]], hashes[row[1]]): (
                row[2],
                Said._make(tuple(x) if isinstance(x, list) else x for x in row[3:]),
            )
            for row in cursor.fetchall()
        }


def _touched(changes: Changes, known: Known) -> Iterator[int]:
    """Yield the ids of the stored solutions whose decisions may change."""
    touched = {digest for _, digest in (*changes.verdicts, *changes.relabels)} | {
        digest
        for digest, fills in changes.solution_fills.items()
        if "final_answer_correct" in fills
    }
    return (known.solutions[digest].id for digest in touched if digest in known.solutions)


def _by_id(fills: dict[str, dict[str, Any]], known: Any) -> dict[int, dict[str, Any]]:
    return {known[digest].id: values for digest, values in fills.items()}
