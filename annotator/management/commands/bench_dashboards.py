"""`manage.py bench_dashboards`: what the dashboards cost (annotator.benchmarks.dashboards)."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection

from annotator.benchmarks import crowd, dashboards, filling, web
from annotator.benchmarks.server import web as web_server
from annotator.embedded import programs
from labeling.domain.roles import Role
from labeling.models import Project, User
from labeling.services import projects, rollups

RECOUNTED = 100_000
"""Larger projects are recounted by `manage.py recount`: it takes minutes."""


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
        parser.add_argument(
            "--keep", action="store_true", help="leave the projects there, and use those left"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Measure."""
        figures: dict[str, Any] = {**web.machine(), "p95_ms": {}, "folded_per_s": {}}
        rollups.fold_all()
        lead = User.objects.get_or_create(username="bench-lead")[0]
        beside = projects.create(by=lead, name="bench-dashboards beside")  # home lists several
        try:
            for size in options["solutions"]:
                self._size(size, options, figures)
        finally:
            filling.delete(beside)
        self.stdout.write(json.dumps({**figures, **web.machine("after")}))

    def _size(self, size: int, options: dict[str, Any], figures: dict[str, Any]) -> None:
        name = f"bench-dashboards {options['seed']} {size}"
        project = options["keep"] and Project.objects.filter(name=name).first()
        project = project or self._filled(name, size, options["seed"], figures)
        try:
            self._measure(project, size, options["rounds"], figures)
        finally:
            if not options["keep"]:
                filling.delete(project)

    def _filled(self, name: str, size: int, seed: int, figures: dict[str, Any]) -> Project:
        begun = time.monotonic()
        project = filling.fill(by=projects.machine(), name=name, solutions=size, seed=seed)
        self._say(f"{size:,} solutions written in {time.monotonic() - begun:.0f} s")
        lead = User.objects.get(username="bench-lead")
        projects.add_member(by=lead, project=project, user=lead, role=Role.OWNER)
        self._analyze()
        begun = time.monotonic()
        crowd.label(project, filling.people(project, 3), lead, seed)
        self._say(f"labeled by people in {time.monotonic() - begun:.0f} s")
        self._analyze()
        figures["folded_per_s"][size] = dashboards.folded_per_second()
        self._say(f"counted: {figures['folded_per_s'][size]:,.0f} solutions/s")
        self._analyze()
        return project

    def _measure(self, project: Project, size: int, rounds: int, figures: dict[str, Any]) -> None:
        figures.setdefault("new_verdict", {})[size] = dashboards.new_verdict(project)
        lead = User.objects.get(username="bench-lead")
        addresses = dashboards.pages(project, filling.people(project, 1)[0])
        port = programs.free_port(8700)
        with web_server(port, settings.VAR_DIR / "logs" / "bench-dashboards.log"):
            figures["p95_ms"][size] = dashboards.p95_ms(port, web.session(lead), addresses, rounds)
        different = len(rollups.differences(project)) if size <= RECOUNTED else None
        figures.setdefault("counts_that_differ_from_a_recount", {})[size] = different

    def _analyze(self) -> None:
        """Do at once what autovacuum does within minutes: nobody plans by empty tables' figures."""
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")

    def _say(self, words: str) -> None:
        self.stderr.write(f"{words} ...")
