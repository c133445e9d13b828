"""`manage.py demo`: everything on this machine, with sample data and the main job running."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command

from annotator.embedded.machine import manage
from annotator.management.commands import serve

_PASSED_ON = {
    "data": "a file with problems of your own (JSON lines)",
    "engine": "the URL of an OpenAI-compatible server, instead of the small model in the project",
    "backbone": "the folder of a causal LM for the reward model",
}


class Command(serve.Command):
    """Serve, with users and a sample project, and run the pipeline on this terminal."""

    help = "Run everything on this machine with sample data; the second time it starts in seconds."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Offer the port and what the pipeline takes."""
        super().add_arguments(parser)
        for name, text in _PASSED_ON.items():
            parser.add_argument(f"--{name}", default="", help=text)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Serve until a signal, with the pipeline in the foreground."""
        self.prepare()
        call_command("seed_demo", stdout=self.stdout)
        given = [
            word
            for name in _PASSED_ON
            if options[name]
            for word in (f"--{name}", str(options[name]))
        ]
        self.serve(options["port"], job=manage("pipeline", "--attach", *given))
