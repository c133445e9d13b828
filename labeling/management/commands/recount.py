"""`manage.py recount`: do the dashboards' counts equal a full recount?"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from labeling.models import Project
from labeling.services import rollups

SHOWN = 20


class Command(BaseCommand):
    """Count every solution of a project (or of all) anew and compare."""

    help = "Compare the counts behind the dashboards with a full recount."

    def add_arguments(self, parser: CommandParser) -> None:
        """Read which project."""
        parser.add_argument("project", nargs="?", help="its name; all projects where left out")
        parser.add_argument(
            "--repair", action="store_true", help="throw the counts away and count all anew"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print a line per project; fail where counts differ."""
        wanted = Project.objects.order_by("name")
        if options["project"]:
            wanted = wanted.filter(name=options["project"])
            if not wanted:
                raise CommandError(f"no project is named {options['project']!r}")
        if options["repair"]:
            for project in wanted:
                rollups.forget(project=project)
        self.stdout.write(f"{rollups.fold_all():,} changed solutions counted")
        different = sum([self._compare(project) for project in wanted])
        if different:
            raise CommandError(
                f"{different:,} counts differ from a full recount; --repair counts all anew"
            )

    def _compare(self, project: Project) -> int:
        found = rollups.differences(project)
        said = f"{len(found):,} counts differ" if found else "all counts equal a full recount"
        self.stdout.write(f"{project.name}: {said}")
        for (board, key), (kept, true) in list(found.items())[:SHOWN]:
            self.stdout.write(f"  {board} {' · '.join(key)}: {kept:,} kept, {true:,} counted anew")
        return len(found)
