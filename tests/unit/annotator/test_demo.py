"""What `make demo` passes on to the job, and what it refuses before it starts anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from annotator.management.commands import demo


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Record what would be started."""
    record: dict[str, object] = {}
    monkeypatch.setattr(demo.Command, "prepare", lambda _self: record.update(prepared=True))
    monkeypatch.setattr(
        demo, "call_command", lambda name, **options: record.update({name: options["data"]})
    )
    monkeypatch.setattr(
        demo.Command, "serve", lambda _self, port, job: record.update(port=port, job=job[2:])
    )
    return record


def test_the_job_gets_the_users_data_engine_and_backbone(
    started: dict[str, object], tmp_path: Path
) -> None:
    data = tmp_path / "my problems.jsonl"
    data.touch()
    call_command(
        "demo", data=data, engine="http://llm/v1", engine_model="m", backbone=tmp_path, port=9000
    )
    assert started["job"] == [
        *("pipeline", "--attach", "--data", str(data), "--backbone", str(tmp_path)),
        *("--engine", "http://llm/v1", "--engine-model", "m"),
    ]
    assert started["seed_demo"] == data  # the people join the project of these data
    assert started["port"] == 9000


def test_without_wishes_the_job_runs_on_what_the_project_brings(started: dict[str, object]) -> None:
    call_command("demo")
    assert started["job"] == ["pipeline", "--attach"]
    assert started["port"] == 8000


def test_a_missing_file_is_refused_before_anything_starts(started: dict[str, object]) -> None:
    with pytest.raises(CommandError, match="--data: /no/such/file does not exist"):
        call_command("demo", data=Path("/no/such/file"))
    assert started == {}
