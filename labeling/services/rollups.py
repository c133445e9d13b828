"""Keep the boards equal to the sum of what every solution adds to them.

A change leaves a row in `Stale`, in its own transaction; `fold` counts the solution anew and adds
the difference to what was counted before. Nothing here leaves an audit event: it says nothing that
the rows do not say.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from django.db import connection, transaction

from labeling.domain.boards import Board, Counts, Facts, Key, contributions
from labeling.models import BoardCount, Counted, Project, Solution, Stale
from labeling.selectors.facts import facts_of

BATCH = 2000
"""Solutions that are counted in one transaction."""

_FOLDING = 7_120_305
"""The advisory lock of the one that folds."""

# An import leaves its solutions here thrice, by their rows, their verdicts and their decisions: as
# many are taken, so that they are counted once.
_TAKE = """
DELETE FROM labeling_stale WHERE id IN (
    SELECT id FROM (
        SELECT id, sum(cardinality(solutions)) OVER (ORDER BY id) - cardinality(solutions) AS before
        FROM (SELECT * FROM labeling_stale ORDER BY id LIMIT 3 * %(batch)s) oldest) counted
    WHERE before < 3 * %(batch)s)
RETURNING solutions
"""
_MORE = """
INSERT INTO labeling_boardcount AS c (project_id, board, key, n) VALUES {rows}
ON CONFLICT (project_id, board, key) DO UPDATE SET n = c.n + excluded.n
"""
# not by the statement above: the row that it proposes must itself not be negative
_LESS = """
UPDATE labeling_boardcount c SET n = c.n + v.n FROM (VALUES {rows}) v (project_id, board, key, n)
WHERE c.project_id = v.project_id AND c.board = v.board AND c.key = v.key
"""
_ROW = "(%s::bigint, %s, %s::text[], %s::bigint)"
_ROWS = 500

Change = tuple[Board, Key]


def fold_all() -> int:
    """Fold until nothing waits; return how many solutions were counted."""
    counted = 0
    while some := fold():
        counted += some
    return counted


@transaction.atomic
def fold(*, batch: int = BATCH) -> int:
    """Count the solutions that changed longest ago; return how many, 0 when none waits.

    Only one process folds: of two, both would take back what was counted before. The one that
    comes second returns at once. A change that commits while this reads the solution leaves a row
    in `Stale` that is folded next, and then changes nothing or what is missing.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_FOLDING])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(_TAKE, {"batch": batch})
        solutions = sorted({solution for (some,) in cursor.fetchall() for solution in some})
    if solutions:
        _count(solutions)
    return len(solutions)


def _count(solutions: list[int]) -> None:
    before = {row.solution: row for row in Counted.objects.filter(solution__in=solutions)}
    now = facts_of(solutions)
    changes: defaultdict[int, Counts] = defaultdict(Counter)
    for row in before.values():
        changes[row.project_id].subtract(contributions(Facts.from_json(row.facts)))
    for project, facts in now.values():
        changes[project].update(contributions(facts))
    # of a deleted project nothing is left to count
    there = set(Project.objects.filter(pk__in=changes).values_list("pk", flat=True))
    for project in sorted(there):
        _add(project, changes[project])
    Counted.objects.filter(solution__in=[pk for pk in before if pk not in now]).delete()
    Counted.objects.bulk_create(
        [Counted(solution=pk, project_id=p, facts=f.to_json()) for pk, (p, f) in now.items()],
        update_conflicts=True,
        unique_fields=["solution"],
        update_fields=["project", "facts"],
    )


def _add(project: int, changes: Counts) -> None:
    rows = [(project, str(board), list(key), n) for (board, key), n in sorted(changes.items())]
    _write(_MORE, [row for row in rows if row[-1] > 0])
    _write(_LESS, [row for row in rows if row[-1] < 0])


def _write(statement: str, rows: list[tuple[int, str, list[str], int]]) -> None:
    with connection.cursor() as cursor:
        for start in range(0, len(rows), _ROWS):
            some = rows[start : start + _ROWS]
            values = [value for row in some for value in row]
            cursor.execute(statement.format(rows=", ".join([_ROW] * len(some))), values)


def recount(project: Project) -> Counts:
    """Count the project's solutions all anew, without looking at what was counted before."""
    found: Counts = Counter()
    for ids in _chunks(project):
        for _, facts in facts_of(ids).values():
            found.update(contributions(facts))
    return found


def differences(project: Project) -> Mapping[Change, tuple[int, int]]:
    """Return (kept, recounted) wherever the boards differ from a full recount.

    What waits to be folded is a difference: fold first.
    """
    kept: Counts = Counter()
    rows = BoardCount.objects.filter(project=project, n__gt=0).values_list("board", "key", "n")
    for board, key, n in rows.iterator():
        kept[Board(board), tuple(key)] = n
    true = recount(project)
    return {
        change: (kept[change], true[change])
        for change in sorted(kept.keys() | true.keys())
        if kept[change] != true[change]
    }


@transaction.atomic
def forget(*, project: Project) -> None:
    """Throw the project's counts away and have all its solutions counted anew.

    For the day on which `contributions` changes: what was counted is taken back by it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_FOLDING])
    BoardCount.objects.filter(project=project).delete()
    Counted.objects.filter(project=project).delete()
    for ids in _chunks(project):
        Stale.objects.create(solutions=ids)


def _chunks(project: Project) -> Iterator[list[int]]:
    last = 0
    query = Solution.objects.filter(project=project).order_by("pk").values_list("pk", flat=True)
    while ids := list(query.filter(pk__gt=last)[:BATCH]):
        yield ids
        last = ids[-1]
