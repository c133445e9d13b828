"""What an updated file changes, and imports side by side with each other and with other writers."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from labeling.domain.labels import VerdictState
from labeling.models import (
    Decision,
    Problem,
    ProjectTally,
    Solution,
    Verdict,
    VerdictTally,
)
from labeling.services import imports, labelers, samplings, verdicts
from labeling.services.importing import batches, reading
from labeling.services.importing.options import Options
from labeling.services.samplings import Drawn, NewSolution
from tests import factories

ROW = {"problem": "2 + 2?", "steps": ["2 + 2 = 4", "Answer: 4"], "labelled_by": "experts"}


@pytest.fixture
def import_rows(project, tmp_path):
    def run(*rows, **options):
        path = tmp_path / "rows.jsonl"
        path.write_text("\n".join(map(json.dumps, rows)))
        return imports.import_file(
            by=project.created_by, project=project, path=path, options=Options(**options)
        )

    return run


@pytest.mark.django_db
def test_what_was_empty_is_filled_and_what_was_there_stands(import_rows):
    import_rows({**ROW, "licence": "MIT", "generator": "m"})
    fuller = {
        **ROW, "answer": "4", "source": "S", "licence": "Apache-2.0", "problem_id": "p1",
        "solution_id": "s1", "generator": "other", "final_answer_correct": True,
    }  # fmt: skip
    report = import_rows(fuller)
    assert (report.problems, report.solutions, report.filled) == (0, 0, 2)
    problem, solution = Problem.objects.get(), Solution.objects.get()
    assert (problem.answer, problem.source, problem.licence) == ("4", "S", "MIT")
    assert (problem.external_id, solution.external_id) == ("p1", "s1")
    assert (solution.generator, solution.final_answer_correct) == ("m", True)
    assert import_rows(fuller).filled == 0
    other = import_rows({**fuller, "answer": "5"})
    assert (other.filled, other.notes[batches.OTHER_ANSWER].line) == (0, 1)
    assert Problem.objects.get().answer == "4"


@pytest.mark.django_db
def test_a_changed_label_replaces_the_labelers_own_and_the_decision_follows(import_rows):
    import_rows({**ROW, "label": -1})
    created = Verdict.objects.get()
    report = import_rows({**ROW, "label": 1})
    assert (report.relabeled, report.human_verdicts) == (1, 0)
    verdict = Verdict.objects.get()
    assert (verdict.pk, verdict.first_error, verdict.step_labels) == (created.pk, 1, [1, -1])
    assert verdict.updated_at > created.updated_at
    assert Decision.objects.get().first_error == 1


@pytest.mark.django_db
def test_the_last_of_a_labelers_labels_in_a_file_stands(import_rows, monkeypatch):
    rows = [{**ROW, "label": label} for label in (-1, 0, 1)]
    report = import_rows(*rows)
    assert (report.human_verdicts, report.notes[batches.OTHER_LABEL].count) == (1, 2)
    assert Verdict.objects.get().first_error == 1
    monkeypatch.setattr(batches, "SOLUTIONS", 1)
    import_rows(*rows)
    assert Verdict.objects.get().first_error == 1


@pytest.mark.django_db
def test_a_persons_own_verdict_is_not_touched(import_rows, project, annotator):
    import_rows({**ROW, "label": -1})
    solution = Solution.objects.get()
    own = labelers.person(by=annotator, project=project)
    verdicts.record(
        by=annotator, labeler=own,
        verdicts=[verdicts.NewVerdict(solution.pk, VerdictState.SCORED, 0)],
    )  # fmt: skip
    assert Decision.objects.get().state == "disputed"
    import_rows({**ROW, "label": 0})
    assert Decision.objects.get().first_error == 0
    assert Verdict.objects.filter(labeler=own).get().first_error == 0


@pytest.mark.django_db
def test_machine_verdicts_are_in_the_tallies(import_rows):
    rows = [{**ROW, "problem": f"{n}?", "label": -1, "labelled_by": ""} for n in range(3)]
    import_rows(*rows, labeler_kind="mc")
    assert VerdictTally.objects.get().verdicts == 3
    import_rows({**rows[0], "label": 1}, labeler_kind="mc")
    assert sum(VerdictTally.objects.values_list("verdicts", flat=True)) == 3


@pytest.mark.django_db
def test_problems_and_solutions_are_in_the_projects_tally(import_rows):
    import_rows(*({**ROW, "problem": f"{n // 2}?", "steps": [f"{n}"]} for n in range(6)))
    rows = ProjectTally.objects.values_list("problems", "solutions")
    assert [sum(column) for column in zip(*rows, strict=True)] == [3, 6]


@pytest.mark.django_db
def test_a_known_answer_moves_a_disputed_solution_in_the_queue(import_rows):
    rows = {kind: {**ROW, "labelled_by": "", "label": label} for kind, label in
            (("mc", -1), ("judge", 1))}  # fmt: skip
    for kind, row in rows.items():
        import_rows(row, labeler_kind=kind)
    before = Decision.objects.get()
    assert before.state == "disputed"
    import_rows({**rows["mc"], "final_answer_correct": True}, labeler_kind="mc")
    assert Decision.objects.get().priority > before.priority


def side_by_side(*jobs):
    def carry_out(job):
        try:
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(carry_out, jobs))


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_one_file_at_once_store_it_once(project, tmp_path, monkeypatch):
    monkeypatch.setattr(batches, "SOLUTIONS", 25)
    rows = [
        {**ROW, "problem": f"{n % 50}?", "steps": [f"{n}", "b"], "label": n % 3 - 1}
        for n in range(400)
    ]
    orders = rows, rows[::-1], rows[100:] + rows[:100]
    reports = []
    for name, order in enumerate(orders):
        path = tmp_path / f"{name}.jsonl"
        path.write_text("\n".join(map(json.dumps, order)))

    def job(name):
        path = tmp_path / f"{name}.jsonl"
        return lambda: imports.import_file(by=project.created_by, project=project, path=path)

    reports = side_by_side(*(job(name) for name in range(3)))
    assert sum(report.problems for report in reports) == Problem.objects.count() == 50
    assert sum(report.solutions for report in reports) == Solution.objects.count() == 400
    assert sum(report.human_verdicts for report in reports) == Verdict.objects.count() == 400
    assert sum(report.refused + report.relabeled for report in reports) == 0
    assert Decision.objects.filter(state="adjudicated").count() == 400


@pytest.mark.django_db(transaction=True)
def test_an_import_and_a_generating_run_that_write_the_same_solution_both_get_through(
    project, tmp_path
):
    """The run has stored the solution but not committed when the import comes to it."""
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps({**ROW, "steps": steps}) for steps in (["a"], ["b"])))

    def bring_in():
        return imports.import_file(by=project.created_by, project=project, path=path)

    bring_in()
    problem = Problem.objects.get()
    Solution.objects.all().delete()
    run = factories.RunFactory(labeler=None, project=project, kind="generate")
    drawn = Drawn(problem.pk, [NewSolution(["b"], (), None, None, {})])
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            samplings.record(by=project.created_by, run=run, drawn=[drawn])
            waiting = pool.submit(side_by_side, bring_in)
            wait_for_a_lock()
        (report,) = waiting.result(timeout=30)
    assert report.solutions == 1
    assert sorted(Solution.objects.values_list("steps", flat=True)) == [["a"], ["b"]]


def wait_for_a_lock():
    for _ in range(300):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"
            )
            if cursor.fetchone()[0]:
                return
            cursor.execute("SELECT pg_sleep(0.05)")
    raise AssertionError("nobody waits")


@pytest.mark.django_db
def test_hashes_are_looked_up_by_their_own_indexes(import_rows):
    """Not through the project, all of which each batch would read while it grows."""
    with CaptureQueriesContext(connection) as captured:
        import_rows(ROW)
    asked = [query["sql"] for query in captured if "given (hash)" in query["sql"]]
    assert len(asked) == 2
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for sql, table in zip(asked, ("problem", "solution"), strict=True):
            cursor.execute(f"EXPLAIN {sql}")
            assert f"Scan using {table}_unique_content_per_project" in str(cursor.fetchall())


@pytest.mark.django_db
def test_a_large_file_is_stored_once_and_its_bad_lines_are_named(import_rows, monkeypatch):
    monkeypatch.setattr(reading, "APART", 0)
    monkeypatch.setattr(batches, "SOLUTIONS", 2)
    rows = [{**ROW, "problem": f"{n} + 2?"} for n in range(5)]
    report = import_rows(*rows, {"problem": "no answer"})
    assert (report.rows, report.solutions, report.human_verdicts) == (6, 5, 0)
    assert [line for line, _ in report.errors] == [6]
    assert import_rows(*rows).solutions == 0
    assert Solution.objects.count() == Decision.objects.count() == 5


def _looked_up(queries) -> int:
    return sum("FROM labeling_solution WHERE content_hash" in query["sql"] for query in queries)


@pytest.mark.django_db
def test_new_solutions_are_looked_for_once_and_again_after_one_was_there(import_rows, monkeypatch):
    monkeypatch.setattr(batches, "SOLUTIONS", 1)
    rows = [{**ROW, "problem": f"{n}?", "label": -1} for n in range(12)]
    with CaptureQueriesContext(
        connection,
    ) as alone:
        import_rows(*rows[:4])
    assert _looked_up(alone) == 1  # the first batch was all new, and so, it turns out, is the rest
    changed = {**rows[2], "label": 1}
    with CaptureQueriesContext(connection) as mixed:
        # 4 is new; 5 is hoped to be and is; 2 is not, and costs a second try; then four new ones
        report = import_rows(rows[4], rows[5], changed, *rows[6:])
    assert (report.solutions, report.relabeled, report.human_verdicts) == (8, 1, 8)
    assert _looked_up(mixed) == 1 + 1 + 4
    assert Verdict.objects.get(solution__problem__statement="2?").first_error == 1
    assert Solution.objects.count() == Decision.objects.count() == 12
