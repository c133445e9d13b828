"""Estimates from the project's rows: what waits, how long it is, what was measured before."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling.domain.costs import Range
from labeling.domain.run_settings import (
    GenerateSettings,
    JudgeSettings,
    McSettings,
    ScoreSettings,
)
from labeling.domain.workloads import USUAL_CHARACTERS
from labeling.models import Run
from labeling.selectors import measurements
from labeling.selectors.estimates import estimate_of
from tests import factories

pytestmark = pytest.mark.django_db

MODEL = "factory/model-7b"
STEPS = ["x" * 40, "y" * 40, "z" * 80]


@pytest.fixture
def engine():
    return factories.EngineFactory(model=MODEL, prompt_price=1, completion_price=4, hour_price=0)


@pytest.fixture
def solutions(project):
    return [
        factories.SolutionFactory(
            problem__project=project, problem__statement=f"{i}".rjust(100, "s"), steps=STEPS,
            content_hash=f"{i:032x}",
        )
        for i in range(60)
    ]  # fmt: skip


def labeler(project, kind, settings, **fields):
    return factories.LabelerFactory(
        project=project, kind=kind, name=settings.name, config=settings.config(), **fields
    )


def said(who, solutions, **fields):
    for solution in solutions:
        factories.VerdictFactory(solution=solution, labeler=who, **fields)


def test_only_what_the_labeler_has_not_said_is_estimated(project, engine, solutions):
    settings = McSettings(model=MODEL, mode="exhaustive")
    assert estimate_of(project, engine, settings).work.completions == Range.exactly(60 * 16)
    said(labeler(project, "mc", settings), solutions[:20])
    found = estimate_of(project, engine, settings)
    assert found.work.items == 40
    assert found.work.completions == Range.exactly(40 * 16)


def test_solutions_without_a_reference_answer_take_no_completions(project, engine, solutions):
    for solution in solutions[:30]:
        solution.problem.answer = ""
        solution.problem.save()
    found = estimate_of(project, engine, McSettings(model=MODEL, mode="exhaustive"))
    assert found.work.completions == Range.exactly(30 * 16)


def test_fifty_verdicts_of_a_like_labeler_are_a_measurement_and_fewer_are_not(
    project, engine, solutions
):
    other = McSettings(model=MODEL, temperature=0.5)
    asked = McSettings(model=MODEL)
    fields = {
        "completions": 4, "exhaustive_completions": 16, "prompt_tokens": 400,
        "completion_tokens": 120,
    }  # fmt: skip
    who = labeler(project, "mc", other)
    said(who, solutions[:49], **fields)
    assert "simulated" in " ".join(estimate_of(project, engine, asked).assumptions)
    said(who, solutions[49:50], **fields)
    found = estimate_of(project, engine, asked)
    assert "measured on 50 verdicts of MC of 8 · model-7b" in " ".join(found.assumptions)
    # 60 solutions at a quarter of 16, ± 2 / sqrt(50) = 28.3 %
    assert found.work.completions.low == pytest.approx(240 * (1 - 0.2828), rel=1e-3)
    # 100 and 30 tokens a completion at 1 and 4 per million
    assert found.money.high == pytest.approx(240 * 1.2828 * (100 + 120) / 1e6, rel=1e-3)


def test_another_modes_or_projects_verdicts_measure_nothing(project, engine, solutions):
    said(labeler(project, "mc", McSettings(model=MODEL, mode="soft")), solutions, completions=4)
    assert measurements.like_mc(project, McSettings(model=MODEL)) is None
    assert measurements.like_mc(factories.ProjectFactory(), McSettings(model=MODEL)) is None
    assert measurements.like_mc(project, McSettings(model=MODEL, mode="soft")) is not None


def test_characters_per_token_are_measured_on_the_models_texts(project, solutions):
    assert measurements.characters_of(project, MODEL).per_token == USUAL_CHARACTERS
    judge = labeler(project, "judge", JudgeSettings(model=MODEL))
    said(judge, solutions, critique="w" * 500, completion_tokens=200)
    found = measurements.characters_of(project, MODEL)
    assert (found.per_token.low, found.texts) == (pytest.approx(2.25), 60)
    assert measurements.characters_of(project, "another").texts == 0


def test_texts_that_do_not_belong_to_their_tokens_measure_nothing(project, solutions):
    judge = labeler(project, "judge", JudgeSettings(model=MODEL))
    said(judge, solutions, critique="", completion_tokens=200)
    assert measurements.characters_of(project, MODEL).texts == 0


def test_rollouts_measure_a_completer(project, solutions):
    mc = labeler(project, "mc", McSettings(model=MODEL))
    said(mc, solutions, completion_tokens=100)
    for solution in solutions:
        for sample in range(2):
            factories.RolloutFactory(
                labeler=mc, solution=solution, step=0, sample=sample, text="t" * 150
            )
    assert measurements.characters_of(project, MODEL).per_token.high == pytest.approx(3.3)


def test_the_time_comes_from_the_engines_newest_runs_of_the_kind(project, engine, solutions):
    judge = labeler(project, "judge", JudgeSettings(model=MODEL))
    run = factories.RunFactory(labeler=judge, kind="judge", engine=engine)
    assert estimate_of(project, engine, JudgeSettings(model=MODEL, votes=1)).seconds is None
    said(judge, solutions[:30], completion_tokens=100, completions=1)
    Run.objects.filter(pk=run.pk).update(seconds=60.0)
    # 30 verdicts and 3,000 tokens in 60 s
    speed = measurements.speed_of(project, engine, "judge")
    assert (speed.items, speed.completion_tokens) == (0.5, 50.0)
    other = factories.EngineFactory()
    assert measurements.speed_of(project, other, "judge") is None
    assert measurements.speed_of(project, engine, "mc") is None


def test_generation_estimates_the_problems_that_wait(project, engine, solutions):
    settings = GenerateSettings(model=MODEL, samples=2)
    found = estimate_of(project, engine, settings)
    assert (found.work.items, found.work.completions) == (60, Range.exactly(120))
    bare = [factories.ProblemFactory(project=project) for _ in range(5)]
    picky = GenerateSettings(model=MODEL, samples=2, unsolved_only=True)
    assert estimate_of(project, engine, picky).work.items == 5
    run = factories.RunFactory(
        labeler=None, project=project, kind="generate", config=picky.config()
    )
    factories.SamplingFactory(problem=bare[0], config_hash=run.config_hash)
    assert estimate_of(project, engine, picky).work.items == 4


def test_scoring_by_a_prm_of_the_project_costs_no_completions(project, solutions):
    found = estimate_of(project, None, ScoreSettings(prm="some"))
    assert found.work.items == 60
    assert found.work.completion_tokens == Range.exactly(0)
    assert found.money == Range.exactly(0)


def test_an_empty_project_estimates_nothing(project, engine):
    for settings in (
        McSettings(model=MODEL),
        JudgeSettings(model=MODEL),
        GenerateSettings(model=MODEL),
    ):
        assert estimate_of(project, engine, settings).money == Range.exactly(0)


@pytest.mark.parametrize("asked", [McSettings(model=MODEL), JudgeSettings(model=MODEL)])
def test_an_estimate_takes_the_same_number_of_queries_whatever_the_size(
    project, engine, solutions, asked
):
    who = labeler(project, asked.kind, asked)
    factories.RunFactory(labeler=who, kind=asked.kind, engine=engine, seconds=1.0)
    said(who, solutions[:1], completion_tokens=10)
    before = queries(project, engine, asked)
    assert before <= 12
    for _ in range(3):
        other = factories.LabelerFactory(project=project, kind=asked.kind)
        run = factories.RunFactory(labeler=other, kind=asked.kind, engine=engine, seconds=1.0)
        said(run.labeler, solutions, completion_tokens=10)
    assert queries(project, engine, asked) == before


def queries(project, engine, asked):
    with CaptureQueriesContext(connection) as captured:
        estimate_of(project, engine, asked)
    return len(captured)
