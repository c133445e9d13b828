"""`manage.py import`."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from labeling.models import Event, Problem, Solution, Verdict
from tests.format_rows import NATIVE, TRL

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(project, tmp_path, capsys):
    """Call the command on these lines; return its exit status and what it printed."""

    def call(*lines, project_name=project.name, arguments=()):
        path = tmp_path / "rows.jsonl"
        path.write_text("\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines))
        status = 0
        try:
            call_command("import", str(path), "--project", project_name, *arguments)
        except SystemExit as end:
            status = end.code
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return call


def test_it_shows_what_the_file_is_and_says_what_came_of_it(run):
    status, out, err = run(NATIVE)
    assert (status, err) == (0, "")
    assert "rows.jsonl: JSON Lines, Native (labels by people)" in out
    assert "2 + 2?, 2 steps" in out
    assert "1 rows; new: 1 problems, 1 solutions, 1 verdicts by people, 0 by machines" in out
    assert Event.objects.get(action="file imported").subject == "rows.jsonl"


def test_refused_rows_are_named_with_their_line_and_the_status_tells(run):
    status, out, err = run(NATIVE, "{", {**NATIVE, "label": 9})
    assert status == 3
    assert "rows.jsonl:2: not valid JSON" in err
    assert "rows.jsonl:3: label: first error 9 is outside the 2 steps" in err
    assert "refused: 2" in out
    assert Solution.objects.count() == 1


def test_a_dry_run_writes_nothing_and_counts_the_same(run):
    _, dry, _ = run(NATIVE, arguments=["--dry-run"])
    assert "would be new: 1 problems, 1 solutions" in dry
    assert not Problem.objects.exists()


def test_show_stops_before_anything_is_read_on(run):
    _, out, _ = run(NATIVE, arguments=["--show"])
    assert "rows;" not in out
    assert not Problem.objects.exists()


def test_json_is_one_line_for_machines(run):
    _, out, _ = run(NATIVE, {**NATIVE, "steps": []}, arguments=["--json"])
    report = json.loads(out)
    assert (report["rows"], report["solutions"], report["refused"]) == (2, 1, 1)
    assert report["errors"] == [[2, "steps: a list with at least one step is expected"]]


def test_labels_of_unknown_origin_are_asked_about(run):
    with pytest.raises(CommandError, match="does not say who or what made the labels"):
        run(TRL)
    run(TRL, arguments=["--labeler-kind", "mc", "--labeler-name", "MC of 8"])
    assert Verdict.objects.get().labeler.name == "MC of 8"


def test_columns_can_be_mapped(run):
    row = {"q": "2?", "a": "2"}
    run(row, arguments=["--map", "problem=q", "--map", "answer=a", "--licence", "MIT"])
    assert Problem.objects.get().licence == "MIT"
    with pytest.raises(CommandError, match="FIELD=COLUMN"):
        run(row, arguments=["--map", "problem"])


def test_the_project_is_found_by_uid_and_named_where_it_is_not(run, project):
    assert run(NATIVE, project_name=project.uid)[0] == 0
    with pytest.raises(CommandError, match=f"no project 'x'; there are: {project.name}"):
        run(NATIVE, project_name="x")


def test_only_who_may_manage_the_data_can_be_named(run, manager, viewer):
    run(NATIVE, arguments=["--as", manager.username])
    assert Event.objects.get(action="file imported").actor == manager
    with pytest.raises(CommandError, match="the role viewer may not"):
        run(NATIVE, arguments=["--as", viewer.username])
    with pytest.raises(CommandError, match="no user 'nobody'"):
        run(NATIVE, arguments=["--as", "nobody"])
