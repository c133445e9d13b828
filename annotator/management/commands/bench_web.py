"""`manage.py bench_web`: what annotating costs on a large project (annotator.benchmarks.web)."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection

from annotator.benchmarks import filling, web
from annotator.benchmarks.server import web as web_server
from annotator.embedded import programs
from labeling.services import projects


class Command(BaseCommand):
    """Fill a project, measure, delete it, print one JSON line."""

    help = "Let annotators label side by side against the web server; print one JSON line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Offer sizes."""
        parser.add_argument("--solutions", type=int, default=100_000)
        parser.add_argument("--annotators", type=int, nargs="+", default=[8, 32])
        parser.add_argument("--seconds", type=float, default=30.0, help="per number of annotators")
        parser.add_argument(
            "--pause",
            type=float,
            default=0.5,
            help="mean seconds before a label (default 0.5, a fast reader's; 0 = saturate)",
        )
        parser.add_argument("--seed", type=int, default=0)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Measure."""
        name = f"bench-web {options['seed']}"
        self._say(f"filling {options['solutions']:,} solutions")
        project = filling.fill(
            by=projects.machine(), name=name, solutions=options["solutions"], seed=options["seed"]
        )
        try:
            people = filling.people(project, max(options["annotators"]))
            self._settle()
            self.stdout.write(json.dumps(self._measured(project, people, options)))
        finally:
            filling.delete(project)

    def _measured(self, project: Any, people: Any, options: dict[str, Any]) -> dict[str, Any]:
        port, log = programs.free_port(8700), settings.VAR_DIR / "logs" / "bench-web.log"
        figures: dict[str, Any] = {
            "solutions": options["solutions"], "pause_s": options["pause"], **web.machine("before")
        }  # fmt: skip
        with web_server(port, log) as pid:
            place = web.Place(port, [pid, *web.embedded_servers(settings.VAR_DIR)])
            web.measure(place, project, people[:2], 2.0, 0.0)  # its first requests load the code
            for count in options["annotators"]:
                self._say(f"{count} annotators")
                figures[f"annotators_{count}"] = web.measure(
                    place, project, people[:count], options["seconds"], options["pause"]
                )
        return figures | web.machine("after")

    def _settle(self) -> None:
        """Do what autovacuum would have done by the time that anybody annotates."""
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")

    def _say(self, words: str) -> None:
        self.stderr.write(f"{words} ...")
