"""What happens in the database of the chaos test: `python -m tests.chaos.stage COMMAND`.

`prepare` makes two projects with the same solutions and labels the calm one in this process;
`start` starts the same runs in the stormy one; `look` prints how far they are; `compare` prints
what differs in the end.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import django

MC = {
    "template": "plain-v1", "n": 8, "mode": "hard", "temperature": 1.0, "max_tokens": 72,
}  # fmt: skip
JUDGE = {"template": "check-v1", "temperature": 0.0, "max_tokens": 48, "votes": 1}
GENERATE = {
    "generator": "tiny", "template": "plain-v1", "samples": 2, "temperature": 1.0,
    "max_tokens": 72,
}  # fmt: skip
PROBLEMS = int(os.environ.get("CHAOS_PROBLEMS", "1350"))
"""Two samples each, without duplicates: more than 2,000 solutions."""


def prepare(model: str, url: str) -> None:
    """Make the projects, and label the calm one undisturbed."""
    from django.core.management import call_command

    from labeling.models import Engine, Project, User
    from labeling.models.runs import RunKind
    from labeling.services import projects

    call_command("migrate", verbosity=0)
    owner = User.objects.create_user("owner")
    calm, storm = (projects.create(by=owner, name=name) for name in ("calm", "storm"))
    local = Engine.objects.create(
        name="local", kind="transformers", model=model, options={"dtype": "float64"}
    )
    Engine.objects.create(
        name="served", kind="openai", model=model, options={"url": url, "max_concurrency": 64}
    )
    _import_problems(owner, calm)
    _carry_out(_start(calm, RunKind.GENERATE, GENERATE, local))
    _copy(calm, storm)
    for kind, config in ((RunKind.MC, MC), (RunKind.JUDGE, JUDGE)):
        _carry_out(_start(calm, kind, config, local))
    print(json.dumps({"solutions": Project.objects.get(name="storm").solutions.count()}))


def start() -> None:
    """Start the stormy project's runs; workers elsewhere do the work."""
    from labeling.models import Engine, Project
    from labeling.models.runs import RunKind

    storm, served = Project.objects.get(name="storm"), Engine.objects.get(name="served")
    for kind, config in ((RunKind.MC, MC), (RunKind.JUDGE, JUDGE)):
        _start(storm, kind, config, served)


def look() -> None:
    """Print the stormy runs' states and how many verdicts there are."""
    from labeling.models import Run, Verdict

    runs = Run.objects.filter(project__name="storm").order_by("pk")
    print(
        json.dumps(
            [
                {
                    "kind": run.kind,
                    "state": run.state,
                    "reason": run.reason,
                    "failures": run.failures,
                    "done": Verdict.objects.filter(labeler=run.labeler).count(),
                }
                for run in runs
            ]
        )
    )


def compare() -> None:
    """Print what is in the stormy project and not in the calm one, or the other way round."""
    from labeling.models import Claim, Event, Project

    calm, storm = (Project.objects.get(name=name) for name in ("calm", "storm"))
    before, after = _labels(calm), _labels(storm)
    recorded = {"mc": 0, "judge": 0}
    for event in Event.objects.filter(project=storm, action="verdicts recorded"):
        kind = storm.labelers.get(uid=event.subject).kind
        recorded[kind] += event.details["count"]
    print(
        json.dumps(
            {
                "solutions": storm.solutions.count(),
                "labels": len(after),
                "different": [key for key in before.keys() | after.keys()
                              if before.get(key) != after.get(key)],
                "recorded": recorded,
                "claims": Claim.objects.count(),
            }
        )
    )  # fmt: skip


def _labels(project: Any) -> dict[str, Any]:
    """Return all that the machines said, by what it is about."""
    from labeling.models import Decision, Rollout, Verdict

    found: dict[str, Any] = {}
    for v in Verdict.objects.filter(labeler__project=project).select_related("labeler", "solution"):
        key = f"{v.labeler.kind} {v.solution.content_hash}"
        assert key not in found
        found[key] = [v.state, v.first_error, v.step_labels, v.mc_k, v.mc_n, v.critique, v.reason]
    for r in Rollout.objects.filter(labeler__project=project).select_related("solution"):
        key = f"rollout {r.solution.content_hash} {r.step} {r.sample}"
        assert key not in found
        found[key] = [r.text, r.answer, r.correct, r.finish_reason]
    for d in Decision.objects.filter(project=project).select_related("solution"):
        found[f"decision {d.solution.content_hash}"] = [d.state, d.first_error]
    return found


def _import_problems(owner: Any, project: Any) -> None:
    from demo.samples import write_samples
    from labeling.services import imports

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "problems.jsonl"
        write_samples(path, PROBLEMS, seed=5)
        imports.import_file(by=owner, project=project, path=path)


def _copy(calm: Any, storm: Any) -> None:
    """Give the stormy project the calm one's problems and solutions."""
    from labeling.models import Decision, Problem, Solution
    from labeling.models.fields import new_uid

    problems = {}
    for problem in list(Problem.objects.filter(project=calm).order_by("pk")):
        old, problem.pk, problem.uid, problem.project = problem.pk, None, new_uid(), storm
        problem.save(force_insert=True)
        problems[old] = problem
    for solution in list(Solution.objects.filter(project=calm).order_by("pk")):
        solution.pk, solution.uid, solution.project = None, new_uid(), storm
        solution.problem = problems[solution.problem_id]
        solution.save(force_insert=True)
        Decision.objects.create(
            solution=solution, project=storm, policy_version=storm.policy_version
        )


def _start(project: Any, kind: Any, config: dict[str, Any], engine: Any) -> Any:
    from labeling.domain.labels import LabelerKind
    from labeling.models.runs import RunKind
    from labeling.services import labelers, runs

    by, config = project.created_by, {**config, "model": engine.model}
    labeler = None
    if kind != RunKind.GENERATE:
        labeler = labelers.register(
            by=by, project=project, kind=LabelerKind(kind.value), name=kind, config=config
        )
    return runs.start(
        by=by, project=project, kind=kind, config=config, labeler=labeler, engine=engine
    )


def _carry_out(run: Any) -> None:
    from workers import tasks

    while run.state == "running":
        tasks.work(run.uid)
        run.refresh_from_db()
    assert run.state == "done", run.reason


if __name__ == "__main__":
    django.setup()
    command, *arguments = sys.argv[1:]
    globals()[command](*arguments)
