"""Read the counts behind the dashboards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from django.db.models import Count, F, Sum

from labeling.domain.boards import REFUTED, Board, Key, read_pattern, read_votes
from labeling.domain.labels import LabelerKind
from labeling.domain.statistics.annotators import Votes
from labeling.domain.statistics.confusion import Confusion, StepConfusion, StepPattern
from labeling.models import BoardCount, DayTally, Labeler, Project, Run, Stale
from labeling.models.runs import RunState
from labeling.selectors.sides import GROUPS

_GROUPS = {kind: name for name, kind in GROUPS.items()}
_ORDER = [*LabelerKind]
WAITING_SHOWN = 1000


def read(project: Project, board: Board) -> dict[Key, int]:
    """Return a board's counts by key."""
    rows = BoardCount.objects.filter(project=project, board=board, n__gt=0)
    return {tuple(key): n for key, n in rows.values_list("key", "n")}


def waiting() -> int:
    """Return how many changes are not counted yet; beyond WAITING_SHOWN they are not counted."""
    rows = Stale.objects.values_list("solutions__len", flat=True)[:WAITING_SHOWN]
    return min(sum(rows), WAITING_SHOWN)


def moving(project: Project) -> str:
    """Return a mark that changes with the project's counts and costs; empty where none will.

    None will where no run works and nothing waits to be counted. Of two states that differ, the
    marks are equal by a chance like that of a hash.
    """
    working = Run.objects.filter(project=project, state=RunState.RUNNING).exists()
    rest = waiting()
    if not working and not rest:
        return ""
    counts = BoardCount.objects.filter(project=project).aggregate(
        mark=Sum(F("id") * F("n")), rows=Count("pk")
    )
    spent = DayTally.objects.filter(project=project).aggregate(
        tokens=Sum(F("prompt_tokens") + F("completion_tokens")), items=Sum("items")
    )
    return "-".join(str(part or 0) for part in (*counts.values(), *spent.values(), rest))


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
