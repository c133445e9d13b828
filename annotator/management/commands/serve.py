"""`manage.py serve`: web, workers and schedule on this machine, until Ctrl-C."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper

from annotator.embedded import environment
from annotator.embedded.errors import EmbeddedServerError
from annotator.embedded.machine import Machine


class Command(BaseCommand):
    """Bring the database up to date, then supervise every process of the application."""

    help = "Run the web server, the workers and the schedule on this machine."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Offer the port."""
        parser.add_argument("--port", type=int, default=8000, help="default 8000, or the next free")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Serve until a signal."""
        self.prepare()
        self.serve(options["port"])

    def prepare(self) -> None:
        """Bring the database up to date."""
        self.stdout.write("Database ...")
        call_command("migrate", interactive=False, verbosity=0)

    def serve(self, port: int, job: Sequence[str] = ()) -> None:
        """Run the machine, with `job` in the foreground."""
        _disconnect()
        try:
            Machine(environment.var_dir(), port=port, write=self.stdout.write).run(job)
        except EmbeddedServerError as error:
            raise CommandError(str(error)) from error


def _disconnect() -> None:
    """Close this process's own connections: from here on only its children use the database."""
    for connection in connections.all():
        connection.close()
        if isinstance(connection, DatabaseWrapper):
            connection.close_pool()
