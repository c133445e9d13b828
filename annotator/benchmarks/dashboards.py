"""What the dashboards cost: pages of projects of several sizes, asked over HTTP, one at a time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from http.client import HTTPConnection
from statistics import median, quantiles
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotator.benchmarks.annotators import Refused
from annotator.embedded import programs
from labeling.domain.labels import LabelerKind, VerdictState
from labeling.models import Labeler, Project, Solution, User, Verdict
from labeling.services import labelers, rollups, verdicts

PLACES = (
    "overview",
    "agreement",
    "diagnostics",
    "audit",
    "history",
    "agreement_people",
    "quality",
    "quality_mine",
    "runs",
    "costs",
    "solutions",
    "data",
)
FILTERS = {
    "disputed": "state=disputed",
    "of one model": "generator=model+1&answer=wrong",
    "MC alone": "relation=only_first",
}
"""Filters of the list of solutions, beside those that cells of the dashboards lead to."""

NEW_VERDICTS = 50


def folded_per_second() -> float:
    """Count all that waits; return how many solutions a second."""
    begun = time.monotonic()
    counted = rollups.fold_all()
    return round(counted / max(1e-9, time.monotonic() - begun), 1)


def pages(project: Project, annotator: User) -> Mapping[str, str]:
    """Return the addresses of the dashboards by name."""
    found = {"home": reverse("home")}
    found |= {name: reverse(name, args=[project.uid]) for name in PLACES}
    listed = found["solutions"]
    found |= {f"solutions {name}": f"{listed}?{query}" for name, query in FILTERS.items()}
    machines = Labeler.objects.filter(project=project, kind__in=["mc", "judge"]).order_by("pk")
    one, other, *_ = machines.values_list("uid", flat=True)
    who = Labeler.objects.get(project=project, kind=LabelerKind.HUMAN, user=annotator)
    found["person"] = reverse("quality_person", args=[project.uid, who.uid])
    found["pair"] = reverse("agreement_pair", args=[project.uid, one, other])
    found["behind a cell"] = f"{listed}?one={one}&one_says=none&other={other}&other_says=2"
    return found


def p95_ms(
    port: int, session: str, addresses: Mapping[str, str], rounds: int
) -> dict[str, dict[str, float]]:
    """Ask for each page so often, in turns; return the milliseconds until its last byte."""
    taken: dict[str, list[float]] = {name: [] for name in addresses}
    connection = HTTPConnection(programs.HOST, port, timeout=120)
    for number in range(rounds + 1):
        for name, address in addresses.items():
            begun = time.perf_counter()
            connection.request("GET", address, headers={"Cookie": f"sessionid={session}"})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise Refused(f"{address}: {answer.status}")
            if number:  # the first round loads the code
                taken[name].append(1000 * (time.perf_counter() - begun))
    connection.close()
    return {name: _summary(ms) for name, ms in taken.items()}


def new_verdict(project: Project) -> dict[str, Any]:
    """Store verdicts one by one through the service and count each at once; take them back.

    Return the medians: queries and milliseconds of storing (the verdict, the decision that
    follows, the sums of costs) and of counting (all boards).
    """
    by = project.created_by
    speaker = labelers.register(
        by=by, project=project, kind=LabelerKind.MC, name="benchmark", config={"benchmark": True}
    )
    ids = Solution.objects.filter(project=project).order_by("pk").values_list("pk", flat=True)
    stored, folded = [], []
    rollups.fold_all()
    for pk in ids[:NEW_VERDICTS]:
        said = verdicts.NewVerdict(pk, VerdictState.SCORED, -1, fields={"completion_tokens": 9})
        stored.append(_cost(lambda: verdicts.record(by=by, labeler=speaker, verdicts=[said])))  # noqa: B023
        folded.append(_cost(rollups.fold))
    Verdict.objects.filter(labeler=speaker).delete()
    Labeler.objects.filter(pk=speaker.pk).update(active=False)
    rollups.fold_all()
    return {"stored": _medians(stored), "counted": _medians(folded)}


def _cost(act: Any) -> tuple[int, float]:
    with CaptureQueriesContext(connection) as queries:
        begun = time.perf_counter()
        act()
        return len(queries), 1000 * (time.perf_counter() - begun)


def _medians(costs: list[tuple[int, float]]) -> dict[str, float]:
    queries, ms = zip(*costs, strict=True)
    return {"queries": median(queries), "ms": round(median(ms), 2)}


def _summary(ms: list[float]) -> dict[str, float]:
    cuts = quantiles(ms, n=20, method="inclusive")
    return {"p50": round(cuts[9], 1), "p95": round(cuts[18], 1)}
