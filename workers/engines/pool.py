"""Samples that wait for a server: which one a server takes next. Knows no thread and no HTTP.

A group's samples go where the group was served last, prompts that share their beginnings run side
by side there, and nothing is overtaken for ever.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from workers.engines.protocol import Sample

OVERTAKEN = 2_000
"""A sample that so many later ones overtook is next, whatever its group."""

REMEMBERED = 20_000
"""Groups whose server is remembered, the latest: a server's cache keeps far fewer prefixes."""


@dataclass(slots=True, eq=False)
class Job:
    """A sample on its way."""

    sample: Sample
    strikes: int = 0
    """Failures that seem to be the sample's own fault."""
    answered: int = 0
    """Answers that others had had by the latest strike."""
    number: int = -1
    """Its place in the order of arrival."""


@dataclass(slots=True)
class _Group:
    """A group's waiting jobs as a heap in the order of their prompts; `home` is their place."""

    name: str
    home: int | None
    jobs: list[tuple[tuple[str, ...], int, Job]] = field(default_factory=list)
    waiting: int = 0


class Pool:
    """Jobs that wait for one of several places, which are numbered from 0."""

    def __init__(self, places: int) -> None:
        self._lines: list[OrderedDict[str, _Group]] = [OrderedDict() for _ in range(places)]
        """Each place's groups with waiting jobs."""
        self._fresh: OrderedDict[str, _Group] = OrderedDict()
        """Groups with waiting jobs that any place may take on."""
        self._groups: dict[str, _Group] = {}
        self._served: OrderedDict[str, int] = OrderedDict()
        """Where a group was served last."""
        self._by_age: OrderedDict[int, Job] = OrderedDict()
        self._counts: defaultdict[int | None, int] = defaultdict(int)
        self._arrived = 0

    def __len__(self) -> int:
        return len(self._by_age)

    def count(self, place: int | None) -> int:
        """Return how many jobs wait for this place; None: for any."""
        return self._counts[place]

    def put(self, job: Job) -> None:
        """Add a job."""
        job.number, self._arrived = self._arrived, self._arrived + 1
        self._by_age[job.number] = job
        group = self._groups.get(job.sample.group) or self._new_group(job.sample.group)
        heapq.heappush(group.jobs, (_key(job.sample), job.number, job))
        group.waiting += 1
        self._counts[group.home] += 1

    def take(self, place: int, ready: Callable[[int], int]) -> Job | None:
        """Remove and return the next job for a place; None where there is none for it.

        `ready(other)` says how many jobs another place is about to begin: what waits there beyond
        them may be taken from it.
        """
        if not self._by_age:
            return None
        oldest = next(iter(self._by_age.values()))
        if self._arrived - oldest.number - len(self._by_age) > OVERTAKEN:
            return self._move(oldest, place)
        for line in (self._lines[place], self._fresh):
            if line:
                return self._pop(next(iter(line.values())), place)
        return self._steal(place, ready)

    def clear(self) -> None:
        """Forget the jobs, but not where the groups were served."""
        for line in (*self._lines, self._fresh):
            line.clear()
        self._groups.clear()
        self._by_age.clear()
        self._counts.clear()

    def _new_group(self, name: str) -> _Group:
        group = self._groups[name] = _Group(name, self._served.get(name))
        self._line(group)[name] = group
        return group

    def _line(self, group: _Group) -> OrderedDict[str, _Group]:
        return self._fresh if group.home is None else self._lines[group.home]

    def _steal(self, place: int, ready: Callable[[int], int]) -> Job | None:
        others = [other for other, line in enumerate(self._lines) if line and other != place]
        spare = [(self._counts[other] - ready(other), other) for other in others]
        most, behind = max(spare, default=(0, 0))
        if most < 1:
            return None
        # The group that its place would come to last.
        return self._pop(next(reversed(self._lines[behind].values())), place)

    def _pop(self, group: _Group, place: int) -> Job:
        while True:
            job = heapq.heappop(group.jobs)[-1]
            if self._by_age.get(job.number) is job:  # else it was taken for its age
                return self._move(job, place)

    def _move(self, job: Job, place: int) -> Job:
        """Take a waiting job out; from now on its group is at home at `place`."""
        del self._by_age[job.number]
        group = self._groups[job.sample.group]
        group.waiting -= 1
        self._counts[group.home] -= 1
        if group.name:
            self._settle(group, place)
        if not group.waiting:
            del self._line(group)[group.name], self._groups[group.name]
        return job

    def _settle(self, group: _Group, place: int) -> None:
        self._served[group.name] = place
        self._served.move_to_end(group.name)
        if len(self._served) > REMEMBERED:
            self._served.popitem(last=False)
        if group.home != place:
            del self._line(group)[group.name]
            self._counts[group.home] -= group.waiting
            self._counts[place] += group.waiting
            group.home = place
            self._lines[place][group.name] = group


def _key(sample: Sample) -> tuple[str, ...]:
    """Return what orders prompts, without copying them."""
    prompt = sample.prompt
    return (prompt,) if isinstance(prompt, str) else tuple(turn.content for turn in prompt)
