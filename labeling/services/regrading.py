"""What follows from another reference answer: grades, estimates, decisions. One transaction.

The caller has locked the problem; the grades of all answers are known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labeling.domain.answers import final_answer
from labeling.domain.labels import LabelerKind, VerdictState
from labeling.domain.monte_carlo import Estimate, McMode
from labeling.domain.regrading import Outcomes, replay
from labeling.domain.seeds import completer_hash, is_audited
from labeling.models import Decision, Labeler, Problem, Rollout, Run, Solution, Verdict
from labeling.models.runs import RunKind, RunState
from labeling.services import decisions, runs

VOID = "counted against an earlier reference answer"
"""Why an imported estimate, which no run can repeat, is unscored."""

Grades = Mapping[str, bool]
Report = dict[str, Any]


def stated(solution: Solution) -> str | None:
    """Return the final answer that a solution states."""
    return solution.final_answer or final_answer("\n".join(solution.steps))


def carry_out(*, problem: Problem, solutions: Sequence[Solution], grades: Grades) -> Report:
    """Regrade everything of the problem's (locked) solutions; return what has changed, JSON-ready.

    Estimates are made anew from their regraded completions. Where these do not suffice, under an
    early stop for example, the verdict is withdrawn, its completions stay, and its labeler's run
    goes on: it draws only what is missing.
    """
    before = _states(solutions)
    report: Report = {
        "solutions": _solutions(solutions, grades),
        "rollouts": _rollouts(solutions, grades),
        "mc": _estimates(solutions),
    }
    decisions.refresh(project=problem.project, solutions=solutions)
    after = _states(solutions)
    report["decisions"] = [
        {"uid": s.uid, "before": before.get(s.pk), "after": after[s.pk]}
        for s in solutions
        if before.get(s.pk) != after[s.pk]
    ]
    return report


def _states(solutions: Sequence[Solution]) -> dict[int, list[Any]]:
    rows = Decision.objects.filter(solution__in=[s.pk for s in solutions])
    return {
        pk: [state, first] for pk, state, first in rows.values_list("pk", "state", "first_error")
    }


def _solutions(solutions: Sequence[Solution], grades: Grades) -> Report:
    changed = []
    for solution in solutions:
        answer, before = stated(solution), solution.final_answer_correct
        solution.final_answer_correct = answer is not None and grades[answer]
        if solution.final_answer_correct is not before:
            changed.append(
                {"uid": solution.uid, "before": before, "after": solution.final_answer_correct}
            )
    Solution.objects.bulk_update(solutions, ["final_answer_correct"])
    return {"total": len(solutions), "changed": changed}


def _rollouts(solutions: Sequence[Solution], grades: Grades) -> Report:
    rows = Rollout.objects.filter(solution__in=[s.pk for s in solutions])
    right = [answer for answer, correct in grades.items() if correct]
    changed = rows.filter(correct=False, answer__in=right).update(correct=True)
    changed += rows.filter(correct=True).exclude(answer__in=right).update(correct=False)
    return {"total": rows.count(), "changed": changed}


def _estimates(solutions: Sequence[Solution]) -> Report:
    by_id = {s.pk: s for s in solutions}
    report: Report = {"kept": 0, "revised": [], "withdrawn": [], "void": []}
    rows = Verdict.objects.filter(solution__in=by_id, labeler__kind=LabelerKind.MC).select_related(
        "labeler"
    )
    settings = {labeler: _settings(labeler) for labeler in {row.labeler for row in rows}}
    withdrawn: set[Labeler] = set()
    for row in rows:
        solution, how = by_id[row.solution_id], settings[row.labeler]
        said = {"uid": solution.uid, "labeler": row.labeler.name, "before": row.first_error}
        if how is None:
            _void(row)
            report["void"].append(said)
            continue
        found = _replayed(row, solution, how)
        if found is None:
            row.delete()
            withdrawn.add(row.labeler)
            report["withdrawn"].append(said)
        elif _revise(row, found):
            report["revised"].append({**said, "after": row.first_error})
        else:
            report["kept"] += 1
    report["runs"] = _go_on(withdrawn)
    return report


def _settings(labeler: Labeler) -> dict[str, Any] | None:
    """Return how the labeler estimates; None for one whose verdicts came with a data set."""
    if "mode" not in labeler.config or "n" not in labeler.config:
        return None
    latest = Run.objects.filter(labeler=labeler).order_by("-pk").first()
    return {**labeler.config, **(latest.config if latest else {})}


def _replayed(row: Verdict, solution: Solution, how: Mapping[str, Any]) -> Estimate | None:
    drawn = Rollout.objects.filter(solution=solution, labeler=row.labeler_id)
    outcomes: Outcomes = {
        (step, sample): correct
        for step, sample, correct in drawn.values_list("step", "sample", "correct")
    }
    judged = None
    if how.get("judge"):
        said = Verdict.objects.filter(labeler__uid=how["judge"], solution=solution)
        judged = said.values_list("first_error", flat=True).first()
    return replay(
        len(solution.steps),
        how["n"],
        McMode(how["mode"]),
        bool(solution.final_answer_correct),
        outcomes,
        judged=judged,
        audited=is_audited(
            solution.content_hash, completer_hash(row.labeler.config), how.get("audit_share") or 0.0
        ),
    )


def _revise(row: Verdict, found: Estimate) -> bool:
    """Make the verdict say what was found; say whether that is something else."""
    refuted = found.refuted_at
    values = {
        "state": VerdictState.SCORED if refuted is None else VerdictState.REFUTED,
        "first_error": found.first_error,
        "step_labels": list(found.step_labels),
        "mc_k": list(found.k),
        "mc_n": list(found.n),
        "refuted_at": refuted,
        "reason": "" if refuted is None else f"refutes the judge at step {refuted + 1}",
    }
    if all(getattr(row, name) == value for name, value in values.items()):
        return False
    for name, value in values.items():
        setattr(row, name, value)
    row.save()
    return True


def _void(row: Verdict) -> None:
    row.state, row.first_error, row.refuted_at = VerdictState.UNSCORED, None, None
    row.step_labels, row.mc_k, row.mc_n, row.reason = [], [], [], VOID
    row.save()


def _go_on(labelers: set[Labeler]) -> list[str]:
    """Let the latest run of each labeler label what was withdrawn; return their uids."""
    going = []
    for labeler in sorted(labelers, key=lambda one: one.pk):
        # A worker that settles the run meanwhile waits for these rows, or has just made it done.
        of_it = Run.objects.filter(labeler=labeler, kind=RunKind.MC).order_by("-pk")
        all_runs = list(of_it.select_for_update())
        run = next((r for r in all_runs if r.state in (RunState.RUNNING, RunState.PAUSED)), None)
        if run is None and all_runs and all_runs[0].state == RunState.DONE:
            run = all_runs[0]
            Run.objects.filter(pk=run.pk).update(state=RunState.RUNNING, finished_at=None)
        if run is not None:
            runs.ring(run=run)
            going.append(run.uid)
    return going
