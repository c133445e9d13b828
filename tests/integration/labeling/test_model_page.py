"""The page of a trained model: the command, the request and the answer that its files call for."""

from __future__ import annotations

import json
from html import unescape
from pathlib import Path

import pytest
from django.urls import reverse

from tests import factories as f
from tests.tiny_models import make_tiny_qwen
from trainer import checkpoints
from trainer.cli import main
from trainer.encoding import EncoderSpec, write_spec

pytestmark = pytest.mark.django_db


@pytest.fixture
def prm(project, settings, tmp_path):
    settings.VAR_DIR = tmp_path
    training = f.TrainingRunFactory(snapshot__project=project, project=project, name="<b>seven</b>")
    return f.PRMFactory(training_run=training, project=project, folder="trn_1",
                        metrics={"f1": 0.625})  # fmt: skip


@pytest.fixture
def directory(prm, tmp_path) -> Path:
    base = make_tiny_qwen(tmp_path / "base")
    write_spec(base, EncoderSpec(template="plain", max_length=200))
    checkpoints.save(*checkpoints.start(base), tmp_path / "prms" / "trn_1" / "model")
    return tmp_path / "prms" / "trn_1" / "model"


@pytest.fixture
def look(client, owner, project, prm):
    client.force_login(owner)
    return lambda: client.get(reverse("model", args=[project.uid, prm.uid])).content.decode()


def test_the_page_prints_the_command_that_the_trainer_prints(look, directory, capsys):
    assert main(["serve", "--model", str(directory)]) == 0
    command = capsys.readouterr().out.strip()
    assert command.startswith(f"vllm serve {directory} --runner pooling")
    page = look()
    assert command in unescape(page)
    assert f"trainer score --model {directory} --server" in page
    assert "<b>seven</b>" not in page
    assert "62.5 %" in page


def test_the_request_has_a_step_token_and_the_answer_a_row_per_step(look, directory):
    page = unescape(look())
    step_id = json.loads((directory / "config.json").read_text())["step_token_id"]
    tokens = page.split('"input": [')[1].split("]")[0]
    assert tokens.count(str(step_id)) == 3
    rows = json.loads(page.split('"index": 0, "data": ')[1].split("}]")[0])
    assert len(rows) == 3
    assert all(sum(row) == pytest.approx(1) for row in rows)


@pytest.mark.parametrize("text", [None, "", "[]", '{"architectures": []}', '{"step_token_id": 4}'])
def test_files_that_are_missing_or_broken_are_said_to_be(look, directory, text):
    config = directory / "config.json"
    config.unlink() if text is None else config.write_text(text)
    page = look()
    assert "The files of this model are not here." in page
    assert "vllm serve" not in page


def test_the_tables_lead_to_the_page(client, owner, project, prm):
    client.force_login(owner)
    page = client.get(reverse("data", args=[project.uid])).content.decode()
    assert f'href="{reverse("model", args=[project.uid, prm.uid])}"' in page


def test_a_model_of_another_project_is_not_found(client, owner, project, prm):
    client.force_login(owner)
    other = f.PRMFactory()
    assert client.get(reverse("model", args=[project.uid, other.uid])).status_code == 404
