"""What data costs on its way in and out: the real import, the real freeze, each in a child process.

A child says how long its work took, without the interpreter's start, and its peak of memory.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import orjson
from django.conf import settings
from django.db import connection
from django.utils import timezone

from annotator.benchmarks import filling
from annotator.benchmarks.texts import Texts
from labeling.domain.labels import NO_ERROR, labels_up_to
from labeling.domain.releases import Rule
from labeling.models import Project
from labeling.services import imports, projects, snapshots

COMMAND = "bench_datasets"


class Failed(Exception):
    """A child that ended with an error, or an import that did not take every row."""


def write_file(path: Path, solutions: int, seed: int, *, labeled: bool = True) -> None:
    """Write a file of native rows, eight solutions a problem, each with a person's labels."""
    texts, draw = Texts(seed), Random(seed)  # noqa: S311 - made-up data
    with path.open("wb") as file:
        for number in range(solutions):
            if number % filling.SOLUTIONS_PER_PROBLEM == 0:
                statement, answer = texts.statement(number), str(number % 1000)
            steps = texts.solution()
            flawless = draw.random() < 0.5
            error = NO_ERROR if flawless else draw.randrange(len(steps))
            row = {
                "problem": statement, "answer": answer, "source": "made up",
                "steps": [*steps[:-1], f"{steps[-1]} ({number})"], "generator": "model",
                "final_answer_correct": flawless, "solution_id": f"made-up-{number}",
            }  # fmt: skip
            if labeled:
                row |= {
                    "label": error, "step_labels": labels_up_to(error, len(steps)),
                    "labelled_by": f"person {number % 5}",
                }  # fmt: skip
            file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))


def measure(solutions: int, seed: int, say: Callable[[str], object]) -> dict[str, dict[str, Any]]:
    """Import so many solutions into a new project, freeze it, delete both; return both figures.

    The tables are vacuumed and analyzed between the two, outside of either's time.
    """
    project = projects.create(by=projects.machine(), name=f"bench-datasets {seed} {solutions}")
    path = Path(settings.VAR_DIR) / f"bench-datasets-{os.getpid()}.jsonl"
    try:
        write_file(path, solutions, seed)
        say(f"{solutions:,} solutions, {path.stat().st_size / 1e6:,.0f} MB")
        taken_in = _child("import", project, path, solutions)
        say(f"imported: {taken_in['per_s']:,.0f} solutions/s, {taken_in['peak_mb']} MB")
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        given_out = _child("export", project, path, solutions)
        say(f"exported: {given_out['per_s']:,.0f} solutions/s, {given_out['peak_mb']} MB")
        return {"import": taken_in, "export": given_out}
    finally:
        path.unlink(missing_ok=True)
        for snapshot in project.snapshots.all():
            shutil.rmtree(snapshots.folder_of(snapshot), ignore_errors=True)
        filling.delete(project)


def measure_unlabeled(solutions: int, seed: int) -> float:
    """Import so many solutions without labels into a new project, delete it; return their rate."""
    project = projects.create(by=projects.machine(), name=f"bench-datasets {seed} unlabeled")
    path = Path(settings.VAR_DIR) / f"bench-datasets-{os.getpid()}.jsonl"
    try:
        write_file(path, solutions, seed, labeled=False)
        return float(_child("import", project, path, solutions)["per_s"])
    finally:
        path.unlink(missing_ok=True)
        filling.delete(project)


def work(part: str, project: Project, path: Path) -> dict[str, Any]:
    """Do one part in this process; return its seconds, its solutions and the memory's peak."""
    begun = time.perf_counter()
    readers, used = [0.0], _processor_seconds()
    if part == "import":
        done = imports.import_file(
            by=projects.machine(),
            project=project,
            path=path,
            on_progress=lambda _: readers.append(children_mb()),
        ).solutions
    else:
        snapshot = snapshots.freeze_now(
            by=projects.machine(), project=project, name="bench", rule=Rule(), now=timezone.now()
        )
        done = snapshot.counts["records"]
    seconds = time.perf_counter() - begun
    return {
        "seconds": seconds,
        "solutions": done,
        "peak_mb": round(peak_mb() + max(readers), 1),
        "processor_us": {
            name: round((after - used[name]) / done * 1e6, 1)
            for name, after in _processor_seconds().items()
        },
    }


def _processor_seconds() -> dict[str, float]:
    """Return what this process, its ended children and its database connection have used."""
    here, children = (
        resource.getrusage(resource.RUSAGE_SELF),
        resource.getrusage(resource.RUSAGE_CHILDREN),
    )
    told = {
        "process": here.ru_utime + here.ru_stime,
        "reader": children.ru_utime + children.ru_stime,
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    with suppress(OSError):  # a server on another machine, or another user's
        fields = Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()
        told["postgres"] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return told


def peak_mb(process: str = "self") -> float:
    """Return the most memory that the process has had, as Linux counted it."""
    status = Path(f"/proc/{process}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return round(int(line.split()[1]) / 1024, 1)


def children_mb() -> float:
    """Return the most memory that the children which run now have had: an import's reader."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    total = 0.0
    for child in children:
        with suppress(OSError, ValueError):  # it has just ended
            total += peak_mb(child)
    return total


def _child(part: str, project: Project, path: Path, solutions: int) -> dict[str, Any]:
    ended = subprocess.run(
        [
            sys.executable, "manage.py", COMMAND, "--part", part, "--project", project.uid,
            "--file", str(path),
        ],
        cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if ended.returncode:
        raise Failed(f"{part} ended with {ended.returncode}")
    told = json.loads(ended.stdout.splitlines()[-1])
    if told["solutions"] != solutions:
        raise Failed(f"{part}: {told['solutions']} of {solutions} solutions")
    return {
        "per_s": round(solutions / told["seconds"], 1),
        "peak_mb": told["peak_mb"],
        "processor_us": told["processor_us"],
    }
