"""What the dashboards cost: pages of projects of several sizes, asked over HTTP, one at a time."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection
from random import Random
from statistics import quantiles

from django.urls import reverse

from annotator.benchmarks.annotators import Refused
from annotator.embedded import programs
from labeling.domain.labels import LabelerKind, VerdictState, labels_up_to
from labeling.models import Decision, Labeler, Project, Solution, User, Verdict
from labeling.services import decisions, labelers, rollups

DECIDED = 3000
"""Disputed solutions that three annotators are made to label, for the pages on people."""

PLACES = (
    "overview",
    "agreement",
    "diagnostics",
    "audit",
    "history",
    "agreement_people",
    "runs",
    "solutions",
)


def people_label(project: Project, people: Sequence[User], seed: int) -> None:
    """Let people label some disputed solutions: three quarters of them alike."""
    draw = Random(seed)  # noqa: S311 - made-up labels
    rows = Decision.objects.filter(project=project, state="disputed").select_related("solution")
    chosen = [row.solution for row in rows.order_by("solution")[:DECIDED]]
    speakers = [
        labelers.person(by=user, project=project, kind=LabelerKind.HUMAN) for user in people
    ]
    said = [(solution, draw.randint(-1, len(solution.steps) - 1)) for solution in chosen]
    Verdict.objects.bulk_create(
        [_verdict(who, solution, first, draw) for solution, first in said for who in speakers],
        batch_size=1000,
    )
    for start in range(0, len(chosen), decisions.CHUNK):
        decisions.refresh(project=project, solutions=chosen[start : start + decisions.CHUNK])


def _verdict(who: Labeler, solution: Solution, first: int, draw: Random) -> Verdict:
    steps = len(solution.steps)
    own = first if draw.random() < 0.9 else draw.randint(-1, steps - 1)
    return Verdict(
        labeler=who, solution=solution, state=VerdictState.SCORED, first_error=own,
        step_labels=list(labels_up_to(own, steps)), seconds=20 * steps,
    )  # fmt: skip


def folded_per_second() -> float:
    """Count all that waits; return how many solutions a second."""
    begun = time.monotonic()
    counted = rollups.fold_all()
    return round(counted / max(1e-9, time.monotonic() - begun), 1)


def pages(project: Project) -> Mapping[str, str]:
    """Return the addresses of the dashboards by name."""
    found = {name: reverse(name, args=[project.uid]) for name in PLACES}
    machines = Labeler.objects.filter(project=project, kind__in=["mc", "judge"]).order_by("pk")
    one, other, *_ = machines.values_list("uid", flat=True)
    found["pair"] = reverse("agreement_pair", args=[project.uid, one, other])
    found["behind a cell"] = (
        f"{found['solutions']}?one={one}&one_says=none&other={other}&other_says=2"
    )
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


def _summary(ms: list[float]) -> dict[str, float]:
    cuts = quantiles(ms, n=20, method="inclusive")
    return {"p50": round(cuts[9], 1), "p95": round(cuts[18], 1)}
