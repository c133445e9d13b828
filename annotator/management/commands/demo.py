"""`manage.py demo`: everything on this machine, with sample data and the main job running."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError

from annotator.embedded.machine import manage
from annotator.management.commands import serve

_FOLDERS_AND_FILES = {
    "data": "a file with problems or solutions of your own (JSON lines)",
    "backbone": "the folder of a causal LM for the reward model",
}
_WORDS = {
    "engine": "the URL of an OpenAI-compatible server, instead of the small model in the project",
    "engine-model": "its model; default: the first that it names",
}


class Command(serve.Command):
    """Serve, with users and a sample project, and run the pipeline on this terminal."""

    help = "Run everything on this machine with sample data; the second time it starts in seconds."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Offer the port and what the pipeline takes."""
        super().add_arguments(parser)
        for name, text in _FOLDERS_AND_FILES.items():
            parser.add_argument(f"--{name}", type=Path, help=text)
        for name, text in _WORDS.items():
            parser.add_argument(f"--{name}", default="", help=text)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Serve until a signal, with the pipeline in the foreground."""
        for name in _FOLDERS_AND_FILES:
            if options[name] and not options[name].exists():
                raise CommandError(f"--{name}: {options[name]} does not exist")
        self.prepare()
        call_command("seed_demo", data=options["data"], stdout=self.stdout)
        given = {name: options[name.replace("-", "_")] for name in _FOLDERS_AND_FILES | _WORDS}
        words = [
            word for name, value in given.items() if value for word in (f"--{name}", str(value))
        ]
        self.serve(options["port"], job=manage("pipeline", "--attach", *words))
