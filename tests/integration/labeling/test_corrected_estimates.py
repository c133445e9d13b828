"""A corrected reference answer: estimates told by a judge, audits, runs that go on, the report."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from labeling.models import Event
from labeling.selectors import answer_corrections as reads
from labeling.services import answer_corrections
from tests import factories
from tests.integration.labeling.test_answer_corrections import (
    NOW,
    asked,
    corrected,
    estimated,
    mc_of,
    problem,
    solved,
)
from workers import correcting

pytestmark = pytest.mark.django_db
__all__ = ["problem"]  # a fixture


@pytest.fixture
def refuting(problem):
    """A solution whose judge faults step 2; both samples from there reach 5, which was wrong."""
    solution = solved(problem, "5")
    judge = factories.LabelerFactory(project=problem.project, kind="judge")
    factories.VerdictFactory(solution=solution, labeler=judge, first_error=1)
    labeler = estimated(solution, [[], ["5", "5"]], mode="consensus", first_error=1)
    config = {**labeler.config, "judge": judge.uid}
    factories.RunFactory(labeler=labeler, state="done", finished_at=NOW, config=config)
    return solution


def test_a_judge_that_is_right_no_more_is_refuted(refuting, problem, adjudicator):
    made = corrected(problem, adjudicator)
    said = mc_of(refuting)
    assert (said.state, said.refuted_at) == ("refuted", 1)
    assert made.report["mc"]["withdrawn"] == []


def test_an_audited_solution_is_sampled_in_full(refuting, problem, adjudicator):
    run = mc_of(refuting).labeler.runs.get()
    run.config = {**run.config, "audit_share": 1.0}
    run.save()
    made = corrected(problem, adjudicator)
    # step 1 was never sampled: the run goes on and draws it
    assert [one["uid"] for one in made.report["mc"]["withdrawn"]] == [refuting.uid]
    run.refresh_from_db()
    assert (run.state, run.finished_at) == ("running", None)


def test_what_is_confirmed_cannot_be_dropped(problem, adjudicator):
    solved(problem, "4")
    made = asked(problem, adjudicator)
    answer_corrections.confirm(by=adjudicator, correction=made, now=NOW)
    with pytest.raises(answer_corrections.NotNow):
        answer_corrections.drop(by=adjudicator, correction=made)


def test_the_event_names_who_confirmed_not_the_worker(problem, adjudicator, manager):
    solved(problem, "4")
    made = asked(problem, adjudicator)
    answer_corrections.confirm(by=manager, correction=made, now=NOW)
    correcting.carry_out(by=adjudicator, uid=made.uid)
    assert Event.objects.get(action="answer corrected").actor == manager


def test_a_counted_one_is_open_and_says_how_many_answers_it_graded(problem, adjudicator):
    solved(problem, "4")
    solved(problem, "7")
    made = asked(problem, adjudicator)
    assert (made.total, made.grades) == (2, {"4": False, "7": False})
    assert reads.open_of(problem) == made


def test_the_history_begins_with_the_latest(problem, adjudicator):
    solved(problem, "4")
    corrected(problem, adjudicator, "5")
    problem.refresh_from_db()
    corrected(problem, adjudicator, "6")
    assert [one.new for one in reads.history_of(problem)] == ["6", "5"]


def test_a_void_estimate_is_shown(problem, adjudicator):
    solution = solved(problem, "4")
    imported = factories.LabelerFactory(project=problem.project, kind="mc", config={"file": 1})
    factories.VerdictFactory(solution=solution, labeler=imported)
    (change,) = reads.changes_of(corrected(problem, adjudicator))
    assert [one["how"] for one in change.mc] == ["void"]


def test_older_snapshots_are_those_frozen_before(problem, adjudicator):
    common = {"project": problem.project, "folder": "f"}
    older = factories.SnapshotFactory(frozen_at=NOW, content_hash="c", **common)
    factories.SnapshotFactory(
        frozen_at=datetime(2100, 1, 1, tzinfo=UTC), content_hash="d", **common
    )
    solved(problem, "4")
    assert reads.older_snapshots(corrected(problem, adjudicator)) == [older]


def test_what_is_confirmed_while_a_worker_grades_is_carried_out_by_it(
    problem, adjudicator, monkeypatch
):
    """Another worker counted meanwhile and somebody confirmed; both their bells were this one's."""
    solved(problem, "5")
    made = answer_corrections.propose(by=adjudicator, problem=problem, answer="5", reason="the sum")
    grade = answer_corrections.grade

    def meanwhile(**given):
        grade(**given)
        assert answer_corrections.count(by=adjudicator, correction=made)
        answer_corrections.confirm(by=adjudicator, correction=made, now=NOW)

    monkeypatch.setattr(answer_corrections, "grade", meanwhile)
    correcting.carry_out(by=adjudicator, uid=made.uid)
    made.refresh_from_db()
    problem.refresh_from_db()
    assert (made.state, problem.answer) == ("done", "5")
