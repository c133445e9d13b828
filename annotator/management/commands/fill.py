"""`manage.py fill`: a project of any size, made up; or delete it again."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotator.benchmarks import filling
from labeling.domain.policy import Policy
from labeling.models import Project
from labeling.services import projects


class Command(BaseCommand):
    """Fill a new project, or delete a filled one."""

    help = "Make a project of made-up solutions with machine verdicts, to measure and to look at."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Offer sizes."""
        parser.add_argument("--solutions", type=int, default=100_000)
        parser.add_argument("--verdicts", type=int, default=2, help="on each solution (default 2)")
        parser.add_argument("--overlap", type=int, default=1, help="people per disputed solution")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--name", default="Made up")
        parser.add_argument("--delete", metavar="UID", help="delete this project instead")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Fill or delete."""
        if options["delete"]:
            self._delete(options["delete"])
            return
        begun = time.monotonic()
        project = filling.fill(
            by=projects.machine(),
            name=options["name"],
            solutions=options["solutions"],
            seed=options["seed"],
            verdicts=options["verdicts"],
            policy=Policy(human_overlap=options["overlap"]),
            say=lambda done: self.stderr.write(f"{done:,} solutions", ending="\r"),
        )
        self.stdout.write(f"{project.uid} in {time.monotonic() - begun:.1f} s")

    def _delete(self, uid: str) -> None:
        project = Project.objects.filter(uid=uid).first()
        if project is None:
            raise CommandError(f"no project {uid}")
        filling.delete(project)
        self.stdout.write(f"{project.name} is deleted")
