"""Read the counts behind the dashboards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import F, Sum

from labeling.domain.boards import REFUTED, Board, Key, read_pattern, read_votes
from labeling.domain.labels import LabelerKind
from labeling.domain.statistics.annotators import Votes
from labeling.domain.statistics.confusion import Confusion, StepConfusion, StepPattern
from labeling.models import BoardCount, DayTally, Labeler, Project, Run
from labeling.models.runs import RunState
from labeling.selectors.sides import GROUPS

_GROUPS = {kind: name for name, kind in GROUPS.items()}
_ORDER = [*LabelerKind]

LOOKED_AT = 5_000
"""Changes, the oldest of all projects, among which a project's own are looked for."""

# a solution that is gone is known by what was counted of it
_WAITING = """
SELECT count(DISTINCT o.solution) FILTER (WHERE coalesce(s.project_id, c.project_id) = %(project)s),
       count(*)
FROM (SELECT unnest(solutions) AS solution FROM labeling_stale st ORDER BY st.id LIMIT %(most)s) o
LEFT JOIN labeling_solution s ON s.id = o.solution
LEFT JOIN labeling_counted c ON c.solution = o.solution
"""
_MARK = """
SELECT md5(string_agg(id || ':' || n, ',' ORDER BY id))
FROM labeling_boardcount WHERE project_id = %(project)s
"""


def read(project: Project, board: Board) -> dict[Key, int]:
    """Return a board's counts by key."""
    rows = BoardCount.objects.filter(project=project, board=board, n__gt=0)
    return {tuple(key): n for key, n in rows.values_list("key", "n")}


def waiting(project: Project) -> int:
    """Return how many of the project's solutions are not counted anew yet, of those looked at."""
    return _waiting(project)[0]


def moving(project: Project) -> str:
    """Return a mark that changes with the project's counts and costs; empty where none will.

    None will where no run works and nothing waits to be counted; where more waits than is looked
    at, something may. Of two states whose counts differ the marks are equal by MD5's chance.
    """
    working = Run.objects.filter(project=project, state=RunState.RUNNING).exists()
    own, seen = _waiting(project)
    if not working and not own and seen < LOOKED_AT:
        return ""
    spent = DayTally.objects.filter(project=project).aggregate(
        tokens=Sum(F("prompt_tokens") + F("completion_tokens")), items=Sum("items")
    )
    (counts,) = _one(_MARK, project)
    return "-".join(str(part or 0) for part in (counts, *spent.values(), own))


def _waiting(project: Project) -> tuple[int, int]:
    own, seen = _one(_WAITING, project)
    return int(own), int(seen)


def _one(sql: str, project: Project) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"project": project.pk, "most": LOOKED_AT})
        row: tuple[Any, ...] = cursor.fetchone()
        return row


@dataclass(frozen=True, slots=True)
class Side:
    """One labeler, or all people of a kind together. `uid` names it in addresses."""

    uid: str
    kind: LabelerKind
    name: str
    labelers: frozenset[str]

    @property
    def is_group(self) -> bool:
        """Whether these are people."""
        return self.kind in _GROUPS


def sides(project: Project, *, gold: bool) -> list[Side]:
    """Return the sides of the active labelers, machines first; the gold key where allowed."""
    found: dict[str, Side] = {}
    rows = Labeler.objects.filter(project=project, active=True).order_by("-id")
    for row in sorted(rows, key=lambda labeler: _ORDER.index(LabelerKind(labeler.kind))):
        kind, pk = LabelerKind(row.kind), str(row.pk)
        if kind is LabelerKind.GOLD and not gold:
            continue
        uid = _GROUPS.get(kind, row.uid)
        before = found.get(uid)
        together = (before.labelers if before else frozenset()) | {pk}
        name = "" if kind in _GROUPS else row.name
        found[uid] = Side(uid, kind, name, together)
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Pair:
    """What two sides said of the same solutions. `refuted`: only known to disagree."""

    one: Side
    other: Side
    first_errors: Confusion
    refuted: int


def pairs(project: Project, among: list[Side]) -> dict[tuple[str, str], Pair]:
    """Return what each two sides said, by uids in the order given; a group also with itself."""
    place = {pk: index for index, side in enumerate(among) for pk in side.labelers}
    cells: dict[tuple[int, int], Counter[tuple[int, int]]] = {}
    refuted: Counter[tuple[int, int]] = Counter()
    for (a, b, *said), n in read(project, Board.PAIR).items():
        if a not in place or b not in place:
            continue
        ends = place[a], place[b]
        if ends[0] > ends[1]:
            ends, said = (ends[1], ends[0]), said[::-1]
        if REFUTED in said:
            refuted[ends] += n
        else:
            cells.setdefault(ends, Counter())[int(said[0]), int(said[1])] += n
    return {
        (among[i].uid, among[j].uid): Pair(
            among[i], among[j], Confusion(cells.get((i, j), {})), refuted[i, j]
        )
        for i, j in sorted(cells.keys() | refuted.keys())
    }


def steps(project: Project, one: Side, other: Side) -> StepConfusion:
    """Return how two sides' step labels meet, by solution."""
    patterns: Counter[StepPattern] = Counter()
    for (a, b, text), n in _between(project, one, other):
        pattern = read_pattern(text)
        if a in one.labelers and b in other.labelers:
            patterns[pattern] += n
        else:
            patterns[tuple(sorted((y, x, m) for x, y, m in pattern))] += n
    return StepConfusion(patterns)


def _between(project: Project, one: Side, other: Side) -> Iterator[tuple[Key, int]]:
    for key, n in read(project, Board.STEPS).items():
        first, second = key[0], key[1]
        if (first in one.labelers and second in other.labelers) or (
            first in other.labelers and second in one.labelers
        ):
            yield key, n


def votes(project: Project, code: Callable[[int], int]) -> Mapping[Votes, int]:
    """Return solutions by what each annotator said of them, coded, as Dawid and Skene take it."""
    found: Counter[Votes] = Counter()
    for (text,), n in read(project, Board.PEOPLE).items():
        found[tuple((who, code(said)) for who, said in read_votes(text))] += n
    return found
