"""The stages of the main job, in order. Each finds what is done already and does the rest."""

from __future__ import annotations

import tempfile
from pathlib import Path

from demo.samples import write_samples
from demo.world import truth
from labeling.domain.labels import LabelerKind, VerdictState
from labeling.domain.refusals import Refusal
from labeling.domain.run_settings import GenerateSettings, JudgeSettings, McSettings
from labeling.models import Decision, Problem, Sampling, Solution
from labeling.services import imports, labelers, verdicts
from labeling.services.verdicts import NewVerdict
from workers.pipeline.context import Context, StageFailed
from workers.pipeline.running import carry_out, start_or_resume

MC_SAMPLES = 8
"""Completions per step, as in arXiv 2501.07301 §2.1."""

ERRORS_SHOWN = 10


def import_data(context: Context) -> None:
    """Import the user's file, or the sample world's problems."""
    if context.options.data is None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "problems.jsonl"
            write_samples(path, context.options.problems, context.options.seed)
            _import(context, path)
    else:
        _import(context, context.options.data)


def _import(context: Context, path: Path) -> None:
    with context.terminal.bars("import") as (bar,):
        try:
            report = imports.import_file(
                by=context.by,
                project=context.project,
                path=path,
                on_progress=lambda seen: bar.show(seen.rows, seen.rows),
            )
        except Refusal as error:
            raise StageFailed(str(error)) from error
    context.terminal.say(
        f"  {report.rows} rows: {report.problems} new problems, {report.solutions} new solutions, "
        f"{report.human_verdicts} new human verdicts, {report.refused} refused"
    )
    for line, reason in report.errors[:ERRORS_SHOWN]:
        context.terminal.warn(f"{path.name}:{line}: {reason}")
    if report.refused > ERRORS_SHOWN:
        context.terminal.warn(f"… and {report.refused - ERRORS_SHOWN} more refused rows")
    if not Problem.objects.filter(project=context.project).exists():
        raise StageFailed(f"{path.name}: no row could be imported")


def generate(context: Context) -> None:
    """Let the policy model write solutions to the problems that have none."""
    models, options = context.models, context.options
    settings = GenerateSettings(
        model=models.model,
        weights=models.weights,
        template=models.template,
        samples=options.samples,
        temperature=models.temperature,
        max_tokens=models.max_tokens,
        unsolved_only=options.data is not None,
    )
    carry_out(context, [start_or_resume(context, settings)])
    useless = Sampling.objects.filter(problem__project=context.project).exclude(reason="")
    if count := useless.count():
        reason = useless.order_by("-pk").values_list("reason", flat=True)[0]
        context.terminal.warn(f"{count} problems got fewer solutions than asked for: {reason}")
    if not Solution.objects.filter(project=context.project).exists():
        raise StageFailed("there is no solution to label")


def know_the_truth(context: Context) -> None:
    """Write the sample world's known truth as a gold key; it never decides anything."""
    gold = labelers.register(
        by=context.by,
        project=context.project,
        kind=LabelerKind.GOLD,
        name="known truth of the sample world",
        config={"world": "chain arithmetic modulo 10", "version": 1},
    )
    context.labelers["truth"] = gold
    missing = Solution.objects.filter(project=context.project).exclude(verdicts__labeler=gold)
    rows = list(missing.select_related("problem"))
    new = []
    for solution in rows:
        known = truth(solution.problem.statement, solution.steps)
        new.append(
            NewVerdict(solution.pk, VerdictState.SCORED, known.first_error, known.step_labels)
        )
    for start in range(0, len(new), 1000):
        verdicts.record(by=context.by, labeler=gold, verdicts=new[start : start + 1000])


def label(context: Context) -> None:
    """Let Monte-Carlo estimation and the judge label every solution, side by side."""
    models = context.models
    mc = McSettings(
        model=models.model,
        weights=models.weights,
        template=models.template,
        n=MC_SAMPLES,
        temperature=models.temperature,
        max_tokens=models.max_tokens,
    )
    judge = JudgeSettings(
        model=models.model,
        weights=models.weights,
        template=models.judge_template,
        max_tokens=models.judge_max_tokens,
    )
    runs = {"mc": start_or_resume(context, mc), "judge": start_or_resume(context, judge)}
    for kind, run in runs.items():
        if run.labeler is not None:
            context.labelers[kind] = run.labeler
    carry_out(context, list(runs.values()))


def settle(context: Context) -> None:
    """Say how the solutions were decided; the decisions were kept up with every verdict."""
    states = Decision.objects.filter(project=context.project).values_list("state", flat=True)
    tally: dict[str, int] = {}
    for state in states:
        tally[state] = tally.get(state, 0) + 1
    said = ", ".join(f"{count} {state}" for state, count in sorted(tally.items()))
    context.terminal.say(f"  {said or 'no solutions'}")
