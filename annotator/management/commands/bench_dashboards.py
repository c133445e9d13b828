"""`manage.py bench_dashboards`: what the dashboards cost (annotator.benchmarks.dashboards)."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection

from annotator.benchmarks import dashboards, filling, web
from annotator.benchmarks.server import web as web_server
from annotator.embedded import programs
from labeling.domain.roles import Role
from labeling.models import User
from labeling.services import projects, rollups


class Command(BaseCommand):
    """Fill a project of each size, ask for its pages, delete it; print one JSON line."""

    help = "Measure every dashboard at several sizes; print one JSON line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Offer sizes."""
        parser.add_argument(
            "--solutions", type=int, nargs="+", default=[10_000, 100_000, 1_000_000]
        )
        parser.add_argument("--rounds", type=int, default=40, help="requests of each page")
        parser.add_argument("--seed", type=int, default=0)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Measure."""
        figures: dict[str, Any] = {**web.machine(), "p95_ms": {}, "folded_per_s": {}}
        rollups.fold_all()
        for size in options["solutions"]:
            self._size(size, options, figures)
        self.stdout.write(json.dumps(figures))

    def _size(self, size: int, options: dict[str, Any], figures: dict[str, Any]) -> None:
        begun = time.monotonic()
        project = filling.fill(
            by=projects.machine(), name=f"bench-dashboards {options['seed']} {size}",
            solutions=size, seed=options["seed"],
        )  # fmt: skip
        try:
            self._say(f"{size:,} solutions written in {time.monotonic() - begun:.0f} s")
            dashboards.people_label(project, filling.people(project, 3), options["seed"])
            figures["folded_per_s"][size] = dashboards.folded_per_second()
            self._say(f"counted: {figures['folded_per_s'][size]:,.0f} solutions/s")
            with connection.cursor() as cursor:
                cursor.execute("VACUUM ANALYZE")
            lead, _ = User.objects.get_or_create(username="bench-lead")
            projects.add_member(by=lead, project=project, user=lead, role=Role.OWNER)
            port = programs.free_port(8700)
            with web_server(port, settings.VAR_DIR / "logs" / "bench-dashboards.log"):
                figures["p95_ms"][size] = dashboards.p95_ms(
                    port, web.session(lead), dashboards.pages(project), options["rounds"]
                )
            different = len(rollups.differences(project)) if size <= 100_000 else None
            figures.setdefault("counts_that_differ_from_a_recount", {})[size] = different
        finally:
            filling.delete(project)

    def _say(self, words: str) -> None:
        self.stderr.write(f"{words} ...")
