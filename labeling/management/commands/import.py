# ruff: noqa: N999 - the command's name
"""`manage.py import FILE --project NAME`: a file of any size, of any known format."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from labeling.domain.formats import FORMATS, NAMEABLE
from labeling.domain.formats.mapping import FIELDS
from labeling.domain.refusals import Refusal
from labeling.domain.roles import Action, check_can
from labeling.domain.steps import SplitKind
from labeling.models import Project, User
from labeling.selectors.access import role_of
from labeling.services import imports
from labeling.services.importing.options import Options, Preview, preview
from labeling.services.importing.reports import Report

ERRORS_SHOWN = 20
REFUSED_ROWS = 3
"""Exit status when rows were refused, although the good ones are in."""


class Command(BaseCommand):
    help = (
        "Import problems, solutions and labels from JSON Lines, JSON, CSV or Parquet, also gzipped "
        "or in a zip. The format is told from the content and shown first. The same file again "
        "adds nothing. Exit status: 0 all rows are in, 3 some were refused, 1 nothing was done."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what Options holds, and how to report."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--project", required=True, help="the project's name or uid")
        parser.add_argument("--as", dest="username", help="in whose name; else the owner's")
        parser.add_argument("--dry-run", action="store_true", help="write nothing, only count")
        parser.add_argument("--show", action="store_true", help="only show what the file is")
        parser.add_argument("--json", action="store_true", help="report as one JSON line")
        parser.add_argument(
            "--format", default="", choices=["", *(form.name for form in FORMATS)], metavar="NAME",
            help=f"instead of the detected one: {', '.join(form.name for form in FORMATS)}",
        )  # fmt: skip
        parser.add_argument(
            "--map", action="append", default=[], metavar="FIELD=COLUMN",
            help=f"which column is which field; fields: {', '.join(FIELDS)}",
        )  # fmt: skip
        parser.add_argument("--split", default="paragraphs", choices=[str(k) for k in SplitKind])
        parser.add_argument("--pattern", default="", help="the separator, with --split pattern")
        parser.add_argument("--labeler-kind", default="", choices=["", *map(str, NAMEABLE)])
        parser.add_argument("--labeler-name", default="", help="whose the unnamed labels are")
        parser.add_argument("--no-labels", action="store_true", help="leave the labels out")
        parser.add_argument("--no-alternatives", action="store_true", help="PRM800K: only the path")
        parser.add_argument("--source", default="", help="for problems that name none")
        parser.add_argument("--licence", default="", help="for problems that name none")

    def handle(self, *args: Any, **given: Any) -> None:  # noqa: ARG002 - Django's interface
        """Show the file, import or count it, and say what came of it."""
        try:
            project, by = _project(given["project"], given["username"])
            options = _options(given)
            seen = preview(given["file"], options)
        except Refusal as error:
            raise CommandError(str(error)) from error
        if not given["json"]:
            self._describe(seen)
        if given["show"]:
            return
        work = imports.count_file if given["dry_run"] else imports.import_file
        with _bar(quiet=given["json"]) as progressed:
            try:
                report = work(
                    by=by,
                    project=project,
                    path=given["file"],
                    options=options,
                    on_progress=progressed,
                )
            except Refusal as error:
                raise CommandError(str(error)) from error
        self._report(report, given)
        if report.refused:
            raise SystemExit(REFUSED_ROWS)

    def _describe(self, seen: Preview) -> None:
        form = f"{seen.form.title} ({seen.form.labels})" if seen.form else "no known format"
        self.stdout.write(f"{seen.file.path.name}: {seen.file.kind}, {form}")
        for row in seen.shown[:2]:
            steps = f", {len(row.solution.steps)} steps" if row.solution else ""
            statement = " ".join(row.problem.statement.split())[:100]
            self.stdout.write(f"  {statement}{steps}")
        if seen.needs:
            self.stderr.write(seen.needs)

    def _report(self, report: Report, given: dict[str, Any]) -> None:
        if given["json"]:
            self.stdout.write(json.dumps(report.to_dict(), ensure_ascii=False))
            return
        would = "would be " if given["dry_run"] else ""
        self.stdout.write(
            f"{report.rows} rows; {would}new: {report.problems} problems, "
            f"{report.solutions} solutions, {report.human_verdicts} verdicts by people, "
            f"{report.machine_verdicts} by machines; {would}changed: {report.filled} rows filled, "
            f"{report.relabeled} verdicts; refused: {report.refused}"
        )
        for text, note in report.notes.items():
            self.stdout.write(f"  {note.count} × {text} (first in line {note.line})")
        for line, reason in report.errors[:ERRORS_SHOWN]:
            self.stderr.write(f"{given['file'].name}:{line}: {reason}")
        if report.refused > ERRORS_SHOWN:
            self.stderr.write(f"… and {report.refused - ERRORS_SHOWN} more refused rows")


@contextmanager
def _bar(quiet: bool) -> Iterator[Callable[[Report], None]]:
    """Yield what moves a progress bar on a terminal, and does nothing elsewhere."""
    console = Console(stderr=True)
    with Progress(
        BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TextColumn("{task.description}"),
        TimeElapsedColumn(), TimeRemainingColumn(),
        console=console, transient=True, disable=quiet or not console.is_terminal,
    ) as bar:  # fmt: skip
        task = bar.add_task("0 rows", total=1.0)
        yield lambda report: bar.update(
            task, completed=report.share, description=f"{report.rows} rows"
        )


def _project(name: str, username: str | None) -> tuple[Project, User]:
    project = Project.objects.filter(uid=name).first() or Project.objects.filter(name=name).first()
    if project is None:
        known = ", ".join(Project.objects.order_by("name").values_list("name", flat=True)[:20])
        raise CommandError(f"there is no project {name!r}; there are: {known or 'none'}")
    if username is None:
        return project, project.created_by
    user = User.objects.filter(username=username).first()
    if user is None:
        raise CommandError(f"there is no user {username!r}")
    check_can(role_of(user, project), Action.MANAGE)
    return project, user


def _options(given: dict[str, Any]) -> Options:
    columns: dict[str, str] = {}
    for pair in given["map"]:
        name, equals, column = pair.partition("=")
        if not equals:
            raise CommandError(f"--map {pair}: FIELD=COLUMN is expected")
        columns[name] = column
    names = ("format", "split", "pattern", "labeler_kind", "labeler_name", "source", "licence")
    return Options.from_dict(
        {
            **{name: given[name] for name in names},
            "columns": columns,
            "labels": not given["no_labels"],
            "alternatives": not given["no_alternatives"],
        }
    )
