"""The trainer without the web application: nothing of it, and none of its packages, is imported."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.trainer.conftest import sums
from trainer.records import write_jsonl

ROOT = Path(__file__).resolve().parents[2]
OURS = {"annotator", "demo", "labeling", "manage", "tests", "workers"}
# Names to import that are not the packages' own.
NAMES = {"djangorestframework": "rest_framework", "django-celery-beat": "django_celery_beat"}
# In the web's list and, by way of torch and transformers, in the trainer's too.
SHARED = {"numpy", "regex", "rich", "safetensors", "sympy", "transformers"}

RUN = """
import importlib, pkgutil, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[1].split():
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
import trainer
for module in pkgutil.walk_packages(trainer.__path__, "trainer."):
    if module.name != "trainer.bench.trl_peer":  # runs in the other trainer's environment alone
        importlib.import_module(module.name)
try:
    import django
except ModuleNotFoundError:
    pass
else:
    sys.exit("Django could be imported: this test tests nothing")
from trainer.cli import main
for command in sys.argv[2:]:
    if main(command.split()):
        sys.exit(f"failed: {command}")
"""


def absent() -> set[str]:
    """Return the names that cannot be imported where only the trainer was installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["dependencies"] == []
    wanted = project["optional-dependencies"]["web"]
    names = {re.split(r"[\[<>=]", requirement)[0] for requirement in wanted}
    return {NAMES.get(n, n.replace("-", "_")) for n in names - SHARED} | OURS


def test_everything_works_where_django_cannot_be_imported(tmp_path: Path) -> None:
    assert {"django", "rest_framework", "celery", "psycopg", "labeling"} <= absent()
    data, base, run = tmp_path / "data.jsonl", tmp_path / "base", tmp_path / "run"
    write_jsonl(data, sums(12, split="test"))
    commands = [
        f"init --data {data} --out {base} --hidden 32 --layers 1",
        f"train --data {data} --backbone {base} --out {run} --iterations 1 --device cpu",
        f"evaluate --data {data} --model {run / 'model'}",
        f"export --model {run / 'model'} --out {tmp_path / 'export'}",
        f"serve --model {tmp_path / 'export'}",
    ]
    done = subprocess.run(
        [sys.executable, "-c", RUN, " ".join(sorted(absent())), *commands],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("vllm serve ")
