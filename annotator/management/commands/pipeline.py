"""`manage.py pipeline`: the main job on the terminal; resumable; ends with a report."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotator.embedded import programs
from annotator.embedded.supervisor import Supervisor
from labeling.models import User
from workers.pipeline import job, report, summary
from workers.pipeline.context import Context
from workers.pipeline.options import Models, Options
from workers.pipeline.progress import Terminal
from workers.pipeline.setup import project_for


class Command(BaseCommand):
    help = "Run the main job: generate, label, decide, freeze, train, evaluate, report."

    def add_arguments(self, parser: CommandParser) -> None:
        defaults = Options()
        parser.add_argument("--data", type=Path, help="your problems or solutions (JSONL or JSON)")
        parser.add_argument("--engine", default="", help="URL of an OpenAI-compatible server")
        parser.add_argument("--engine-model", default="", help="its model; default: the first")
        parser.add_argument(
            "--template", default="", help="prompt of the engine: boxed-chat-v1 or plain-v1"
        )
        parser.add_argument(
            "--judge-template", default="", help="paper-v1, processbench-v1 or check-v1"
        )
        parser.add_argument("--max-tokens", type=int, default=0, help="of one completion")
        parser.add_argument("--backbone", type=Path, help="model folder to train the PRM from")
        parser.add_argument("--problems", type=int, default=defaults.problems)
        parser.add_argument("--samples", type=int, default=defaults.samples)
        parser.add_argument("--seeds", type=int, default=defaults.seeds)
        parser.add_argument("--iterations", type=int, default=defaults.iterations)
        parser.add_argument("--attach", action="store_true", help="workers run already: use them")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *args: Any, **given: Any) -> None:  # noqa: ARG002
        started = time.monotonic()
        options = self._options(given)
        terminal = Terminal(quiet=given["json"])
        with ExitStack() as stack:
            on_wait = None
            if not given["attach"]:
                call_command("migrate", verbosity=0)
                call_command("seed_demo", data=options.data)
                on_wait = stack.enter_context(_workers(terminal)).tick
            by = User.objects.get(username="owner")
            project = project_for(by=by, options=options)
            context = Context(project, by, options, Models(), terminal, on_wait or (lambda: None))
            self._run(context)
            path = Path(settings.VAR_DIR) / "reports" / "pipeline.json"
            written = report.write(
                context.project,
                path,
                notes=context.notes,
                wall_seconds=time.monotonic() - started,
            )
        summary.show(terminal, written, path)
        if given["json"]:
            self.stdout.write(json.dumps(written))

    def _run(self, context: Context) -> None:
        try:
            job.run(context)
        except KeyboardInterrupt:
            raise CommandError(
                "stopped; what was done is kept, the same command goes on from here", returncode=130
            ) from None

    def _options(self, given: dict[str, Any]) -> Options:
        for name in ("data", "backbone"):
            if given[name] is not None and not given[name].exists():
                raise CommandError(f"--{name}: {given[name]} does not exist")
        return Options(
            data=given["data"],
            engine_url=given["engine"],
            engine_model=given["engine_model"],
            template=given["template"],
            judge_template=given["judge_template"],
            max_tokens=given["max_tokens"],
            backbone=given["backbone"],
            problems=given["problems"],
            samples=given["samples"],
            seeds=given["seeds"],
            iterations=given["iterations"],
        )


@contextmanager
def _workers(terminal: Terminal) -> Iterator[Supervisor]:
    """Run the embedded workers while the job lasts; one that crashes is started again."""
    supervisor = Supervisor(
        programs.workers(),
        logs=Path(settings.VAR_DIR) / "logs",
        env=programs.VARIABLES,
        say=lambda name, what: terminal.warn(f"{name}: {what}") if "ended" in what else None,
    )
    supervisor.start()
    try:
        yield supervisor
    finally:
        supervisor.stop()
