"""The main job as a user runs it: real servers, real workers, killed, resumed, recounted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import fmean

import psycopg
import pytest

from annotator.embedded import servers
from demo.world import truth

ROOT = Path(__file__).resolve().parents[3]
TABLES = ("solution", "verdict", "rollout", "snapshot", "trainingrun", "prm")
SMALL = ["--problems", "40", "--samples", "2", "--seeds", "1", "--iterations", "6"]


def pipeline(var: Path, *arguments: str) -> subprocess.Popen[str]:
    env = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}}
    return subprocess.Popen(
        [sys.executable, "manage.py", "pipeline", *arguments],
        cwd=ROOT,
        env={**env, "VAR_DIR": str(var)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finished(process: subprocess.Popen[str]) -> str:
    out, _ = process.communicate(timeout=400)
    assert process.returncode == 0, out
    return out


def rows(var: Path, sql: str) -> list[tuple]:
    url = servers.ensure(var).database_url
    with psycopg.connect(url) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """A job killed in the middle of its labeling, then run to its end, then run again."""
    var = tmp_path_factory.mktemp("job")
    first = pipeline(var, *SMALL)
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and first.poll() is None:
        try:
            if rows(var, "SELECT count(*) FROM labeling_verdict v JOIN labeling_labeler l "
                         "ON l.id = v.labeler_id WHERE l.kind = 'mc'")[0][0]:  # fmt: skip
                break
        except psycopg.Error:
            pass  # the tables are not made yet
        time.sleep(0.2)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    try:
        out = finished(pipeline(var, *SMALL))
        report = json.loads((var / "reports" / "pipeline.json").read_text())
        counts = {name: rows(var, f"SELECT count(*) FROM labeling_{name}")[0][0] for name in TABLES}
        again = finished(pipeline(var, *SMALL))
        yield {"var": var, "out": out, "again": again, "report": report, "counts": counts}
    finally:
        servers.release(var)


def test_a_killed_job_goes_on_and_every_solution_is_labeled(job):
    assert "done in" in job["out"]
    ((unlabeled,),) = rows(
        job["var"],
        """SELECT count(*) FROM labeling_solution s, labeling_labeler l
           WHERE l.kind IN ('mc', 'judge', 'gold', 'prm') AND NOT EXISTS (
             SELECT 1 FROM labeling_verdict v WHERE v.solution_id = s.id AND v.labeler_id = l.id)
        """,
    )
    assert unlabeled == 0
    assert job["report"]["notes"] == []


def test_a_second_run_repeats_nothing_and_doubles_nothing(job):
    for kind in ("generate", "mc", "judge", "score"):
        assert f"{kind}: nothing left to do" in job["again"]
    for name, count in job["counts"].items():
        assert rows(job["var"], f"SELECT count(*) FROM labeling_{name}") == [(count,)]
    again = json.loads((job["var"] / "reports" / "pipeline.json").read_text())
    for part in ("counts", "stages", "labelers", "retention", "prm"):
        assert again[part] == job["report"][part]


def test_the_report_equals_an_independent_count(job):
    data = rows(
        job["var"],
        """SELECT p.statement, s.steps, s.final_answer_correct, d.state, d.first_error,
             max(v.first_error) FILTER (WHERE l.kind = 'mc'),
             max(v.first_error) FILTER (WHERE l.kind = 'judge'),
             max(v.completions) FILTER (WHERE l.kind = 'mc')
           FROM labeling_solution s JOIN labeling_problem p ON p.id = s.problem_id
           JOIN labeling_decision d ON d.solution_id = s.id
           JOIN labeling_verdict v ON v.solution_id = s.id
           JOIN labeling_labeler l ON l.id = v.labeler_id
           GROUP BY s.id, p.id, d.solution_id""",
    )
    report, true = job["report"], [truth(row[0], row[1]).first_error for row in data]
    for name, column in (("mc", 5), ("judge", 6)):
        pairs = zip(data, true, strict=True)
        said = [(row[column], t) for row, t in pairs if row[column] is not None]
        assert report["labelers"][name]["n"] == len(said)
        assert report["labelers"][name]["exact"] == pytest.approx(fmean(a == b for a, b in said))
        wrong = [a for a, b in said if b != -1]
        assert report["labelers"][name]["wrong_called_right"] == pytest.approx(
            fmean(a == -1 for a in wrong)
        )
    kept = [(row[4], t) for row, t in zip(data, true, strict=True) if row[3] == "consensus"]
    both = [row for row in data if row[5] is not None and row[6] is not None]
    assert all(row[5] == row[6] for row in both if row[3] == "consensus")
    assert report["retention"]["kept"] == len(kept) == sum(row[5] == row[6] for row in both)
    assert report["labelers"]["consensus"]["exact"] == pytest.approx(fmean(a == b for a, b in kept))
    assert report["stages"]["mc"]["completions"] == sum(row[7] for row in data)
    exhaustive = sum(8 * (len(row[1]) - 1) for row in data)
    assert report["stages"]["mc"]["exhaustive_completions"] == exhaustive
    flawed = [t != -1 for row, t in zip(data, true, strict=True) if row[2]]
    assert report["labelers"]["right_answer_wrong_process"] == pytest.approx(fmean(flawed))


def test_the_prms_f1_follows_from_their_saved_predictions(job):
    for folder, metrics in rows(job["var"], "SELECT folder, metrics FROM labeling_prm"):
        lines = (job["var"] / "prms" / folder / "predictions.jsonl").read_text().splitlines()
        items = [json.loads(line) for line in lines]
        assert len(items) == metrics["n"]
        wrong = [i["label"] == i["prediction"] for i in items if i["label"] != -1]
        right = [i["label"] == i["prediction"] for i in items if i["label"] == -1]
        a, b = fmean(wrong), fmean(right)
        assert metrics["f1"] == pytest.approx(2 * a * b / (a + b) if a + b else 0)
