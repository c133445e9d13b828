"""`manage.py bench_datasets`: what data costs in and out (annotator.benchmarks.datasets)."""

from __future__ import annotations

import json
from argparse import SUPPRESS, ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from annotator.benchmarks import datasets, web
from labeling.models import Project


class Command(BaseCommand):
    """Import and freeze at each size; print one JSON line."""

    help = "Measure import and export at several sizes; print one JSON line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Offer sizes; the hidden ones are how the command calls itself for one part."""
        parser.add_argument("--solutions", type=int, nargs="+", default=[10_000, 1_000_000])
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--part", choices=["import", "export"], help=SUPPRESS)
        parser.add_argument("--project", help=SUPPRESS)
        parser.add_argument("--file", type=Path, help=SUPPRESS)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Measure."""
        if options["part"]:
            project = Project.objects.get(uid=options["project"])
            told = datasets.work(options["part"], project, options["file"])
            self.stdout.write(json.dumps(told))
            return
        figures: dict[str, Any] = {"import_per_s": {}, "export_per_s": {}, "peak_mb": {}}
        figures |= web.machine()
        for size in options["solutions"]:
            parts = datasets.measure(size, options["seed"], self._say)
            for part, told in parts.items():
                figures[f"{part}_per_s"][size] = told["per_s"]
            figures["peak_mb"][size] = max(told["peak_mb"] for told in parts.values())
            figures.setdefault("peak_mb_by_part", {})[size] = {
                part: told["peak_mb"] for part, told in parts.items()
            }
            figures.setdefault("processor_us", {})[size] = {
                part: told["processor_us"] for part, told in parts.items()
            }
        figures["import_unlabeled_per_s"] = {
            (few := min(options["solutions"])): datasets.measure_unlabeled(few, options["seed"])
        }
        self.stdout.write(json.dumps(figures | web.machine("after")))

    def _say(self, words: str) -> None:
        self.stderr.write(f"{words} ...")
