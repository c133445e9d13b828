"""Concurrent annotators against the real web server: `make bench-web`. One JSON line.

Each annotator is a browser without a screen: it loads the page once, asks for the next item while
it labels the current one, saves after each step, submits, goes on. The project is made up for the
run and deleted afterwards.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from statistics import quantiles
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db.models import Count

from annotator.benchmarks.annotators import Annotator, Log
from annotator.benchmarks.server import cpu_seconds
from annotator.embedded import programs
from labeling.domain.labels import LabelerKind
from labeling.models import Assignment, Project, Solution, User, Verdict

KINDS = ("next", "autosave", "submit")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the measurement takes place: the server's port and the processes that do the work."""

    port: int
    processes: Sequence[int]


def measure(
    place: Place, project: Project, people: Sequence[User], seconds: float, pause: float
) -> dict[str, Any]:
    """Let the people work side by side for so long; return the figures."""
    work = [
        Annotator(programs.HOST, place.port, session(user), project.uid, pause) for user in people
    ]
    cpu, begun = _cpu(place), time.monotonic()
    with ThreadPoolExecutor(len(work)) as pool:
        for done in [pool.submit(one.work, begun + seconds) for one in work]:
            done.result()
    took, cpu = time.monotonic() - begun, _cpu(place) - cpu
    logs = [one.log for one in work]
    verdicts = sum(len(log.submitted) for log in logs)
    return {
        **{f"{kind}_ms": _times(logs, kind) for kind in KINDS},
        "verdicts": verdicts,
        "verdicts_per_s": round(verdicts / took, 2),
        "cpu_s_per_verdict": round(cpu / max(1, verdicts), 4),
        "duplicates": duplicates(project),
        "lost": lost(logs, people),
    }


def session(user: User) -> str:
    """Return the key of a session in which the user is signed in."""
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.save()
    return str(store.session_key)


def duplicates(project: Project) -> int:
    """Count the solutions that more people labeled than the policy asks for."""
    people = Solution.objects.filter(
        project=project, verdicts__labeler__kind=LabelerKind.HUMAN
    ).annotate(people=Count("verdicts"))
    return people.filter(people__gt=project.policy.human_overlap).count()


def lost(logs: Sequence[Log], people: Sequence[User]) -> int:
    """Count the acknowledged submissions whose labels are not the person's verdict."""
    return sum(
        _kept(user, uid) != labels
        for log, user in zip(logs, people, strict=True)
        for uid, labels in log.submitted.items()
    )


def machine(when: str = "before") -> dict[str, Any]:
    """Return how many cores there are and the mean number of processes that wanted one."""
    return {"cores": os.cpu_count(), f"load_{when}": round(os.getloadavg()[0], 2)}


def embedded_servers(var: Path) -> list[int]:
    """Return the process above the embedded Postgres; empty where another server is used."""
    state = var / "embedded.json"
    return [int(json.loads(state.read_text())["keeper_pid"])] if state.exists() else []


def _kept(user: User, uid: str) -> list[int | None] | None:
    items = Assignment.objects.filter(uid=uid, user=user, submitted_at__isnull=False)
    verdicts = Verdict.objects.filter(labeler__user=user, solution__in=items.values("solution"))
    return verdicts.values_list("step_labels", flat=True).first()


def _cpu(place: Place) -> float:
    return sum(map(cpu_seconds, place.processes))


def _times(logs: Sequence[Log], kind: str) -> dict[str, float]:
    found = [ms for log in logs for ms in log.ms[kind]]
    if len(found) < 2:
        return {"n": len(found)}
    cuts = quantiles(found, n=20, method="inclusive")
    return {"p50": round(cuts[9], 1), "p95": round(cuts[18], 1), "n": len(found)}
