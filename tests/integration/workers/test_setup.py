"""Which models the main job takes for which data, and what it says where none fits."""

from __future__ import annotations

from pathlib import Path

import pytest

from labeling.domain.labels import LabelerKind
from labeling.models import Problem, Solution, Verdict
from tests import factories
from workers.pipeline import job
from workers.pipeline.context import Context, StageFailed
from workers.pipeline.options import Models, Options
from workers.pipeline.progress import Terminal
from workers.pipeline.setup import models_for, project_for

pytestmark = pytest.mark.django_db
OWN = Options(data=Path("own.jsonl"))


def test_the_sample_world_is_labeled_by_the_bundled_model(project):
    assert models_for(Options(), project).kind == "transformers"


def test_the_users_own_problems_of_the_sample_world_are_too(project):
    factories.ProblemFactory(project=project, statement="9 + 4 * 5?")
    assert models_for(OWN, project).template == "plain-v1"


def test_natural_language_without_an_engine_is_refused_with_the_setting_to_give(project):
    factories.ProblemFactory(project=project, statement="Sue has 3 eggs. How many has she?")
    with pytest.raises(StageFailed, match="ENGINE=URL"):
        models_for(OWN, project)


def test_a_dead_engine_is_named_with_its_address(project):
    options = Options(data=Path("own.jsonl"), engine_url="http://127.0.0.1:9/v1")
    with pytest.raises(StageFailed, match=r"http://127\.0\.0\.1:9/v1/models does not answer"):
        models_for(options, project)


def test_the_project_is_made_once_and_checks_imported_labels(owner):
    first = project_for(by=owner, options=OWN)
    assert project_for(by=owner, options=OWN) == first
    assert first.policy.check_imported


def test_without_an_engine_the_stages_say_so_and_the_rest_goes_on(
    owner, settings, tmp_path, monkeypatch, shared_data
):
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr("labeling.dispatch.ring", lambda *args, **kwargs: None)
    monkeypatch.setattr("workers.pipeline.rewarding.wait_for_trainings", lambda *args: [])
    data = shared_data / "processbench_like" / "processbench_gsm8k.jsonl"
    options = Options(data=data)
    context = Context(
        project_for(by=owner, options=options),
        owner,
        options,
        Models(),
        Terminal(quiet=True),
        lambda: None,
    )
    assert not job.run(context)
    assert Verdict.objects.filter(labeler__kind=LabelerKind.HUMAN).count() == 132
    assert Solution.objects.count() == 132
    assert Problem.objects.exclude(answer="").exists()
    (missing, *left_out) = context.notes[:3]
    assert "ENGINE=URL" in missing
    assert all("there is no engine" in note for note in left_out)
    assert list((tmp_path / "snapshots").glob("*/train.jsonl"))
