"""Leases, drafts and submissions of people, against the real database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from labeling.domain.assignments import RejectReason, SkipReason
from labeling.domain.labels import LabelerKind, VerdictState
from labeling.domain.refusals import Invalid, NotFound
from labeling.models import Assignment, Decision, Event, Project, Solution, User, Verdict
from labeling.services import adjudications, assignments, labelers, projects, verdicts
from tests import factories

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
RIGHT = {"labels": [1, 1, 1]}


def dispute(project: Project, mc: int = -1, judge: int = 1) -> Solution:
    solution = factories.SolutionFactory(problem__project=project)
    for kind, first_error in ((LabelerKind.MC, mc), (LabelerKind.JUDGE, judge)):
        labeler = labelers.register(
            by=project.created_by, project=project, kind=kind, name=kind, config={"kind": kind}
        )
        new = verdicts.NewVerdict(solution.pk, VerdictState.SCORED, first_error)
        verdicts.record(by=project.created_by, labeler=labeler, verdicts=[new])
    return solution


def lease(user: User, project: Project, now: datetime = NOW) -> Assignment | None:
    return assignments.lease_next(by=user, project=project, now=now)


def submit(user: User, assignment: Assignment, key=None, draft=RIGHT) -> Verdict:
    return assignments.submit(
        by=user, uid=assignment.uid, key=key or uuid4(), draft=draft, active_seconds=9, now=NOW
    )


def test_a_submitted_verdict_decides_the_disputed_solution(project, annotator):
    solution = dispute(project)
    assert Decision.objects.get(solution=solution).state == "disputed"
    verdict = submit(annotator, lease(annotator, project), draft={"labels": [1, -1, None]})
    decision = Decision.objects.get(solution=solution)
    assert (decision.state, decision.first_error) == ("adjudicated", 1)
    assert decision.follows_from == [verdict.pk]
    assert lease(annotator, project) is None


def test_the_same_key_submits_once(project, annotator):
    dispute(project)
    assignment, key = lease(annotator, project), uuid4()
    assert submit(annotator, assignment, key) == submit(annotator, assignment, key)
    assert Verdict.objects.filter(labeler__kind="human").count() == 1
    with pytest.raises(assignments.Closed):
        submit(annotator, assignment, uuid4())


def test_the_most_valuable_dispute_is_served_first(project, annotator):
    dispute(project, mc=0, judge=-1)  # an error that MC alone claims: 20
    best = dispute(project, mc=-1, judge=1)  # right answer, the judge alone sees an error: 40
    assert lease(annotator, project).solution_id == best.pk


def test_what_the_machines_left_open_waits_for_people_once_no_run_is_under_way(project, annotator):
    solution = factories.SolutionFactory(problem__project=project)
    run = factories.RunFactory(labeler__project=project)
    assert lease(annotator, project) is None
    type(run).objects.filter(pk=run.pk).update(state="done")
    assert lease(annotator, project).solution_id == solution.pk


def test_imported_labels_are_checked_by_people_where_the_policy_says_so(project, annotator):
    solution = factories.SolutionFactory(problem__project=project)
    labeler = labelers.register(
        by=project.created_by, project=project, kind=LabelerKind.HUMAN, name="file", config={}
    )
    new = verdicts.NewVerdict(solution.pk, VerdictState.SCORED, 1)
    verdicts.record(by=project.created_by, labeler=labeler, verdicts=[new])
    assert lease(annotator, project) is None
    projects.change_policy(by=project.created_by, project=project, check_imported=True)
    project.refresh_from_db()
    submit(annotator, lease(annotator, project), draft={"labels": [1, -1, None]})
    decision = Decision.objects.get(solution=solution)
    assert (decision.state, decision.first_error) == ("adjudicated", 1)
    assert lease(annotator, project) is None


def test_an_open_item_is_given_again_and_nobody_else_gets_it(project, annotator, adjudicator):
    dispute(project)
    first = lease(annotator, project)
    assert lease(annotator, project) == first
    assert lease(adjudicator, project) is None


def test_an_expired_lease_goes_to_the_next_person(project, annotator, adjudicator):
    dispute(project)
    lease(annotator, project)
    late = NOW + timedelta(minutes=21)  # policy: 20 minutes
    taken = lease(adjudicator, project, late)
    assert taken is not None
    assert lease(annotator, project, late) is None


def test_a_stale_draft_is_refused_and_the_newer_one_kept(project, annotator):
    dispute(project)
    uid = lease(annotator, project).uid
    save = {"by": annotator, "uid": uid, "active_seconds": 1, "now": NOW}
    assignments.save_draft(version=0, draft={"labels": [1, None, None]}, **save)
    with pytest.raises(assignments.StaleDraft):
        assignments.save_draft(version=0, draft={"labels": [-1, None, None]}, **save)
    assert Assignment.objects.get(uid=uid).draft["labels"] == [1, None, None]


def test_labels_that_leave_the_first_error_open_are_not_a_verdict(project, annotator):
    dispute(project)
    with pytest.raises(assignments.Incomplete):
        submit(annotator, lease(annotator, project), draft={"labels": [1, None, -1]})


def test_another_persons_item_cannot_be_touched(project, annotator, adjudicator):
    dispute(project)
    assignment = lease(annotator, project)
    with pytest.raises(NotFound):
        submit(adjudicator, assignment)


def test_a_skipped_item_returns_to_the_others_only(project, annotator, adjudicator):
    dispute(project)
    assignment = lease(annotator, project)
    with pytest.raises(Invalid):
        assignments.skip(
            by=annotator, uid=assignment.uid, code=SkipReason.OTHER, words=" ", now=NOW
        )
    assignments.skip(by=annotator, uid=assignment.uid, code=SkipReason.TOO_LONG, now=NOW)
    assert lease(annotator, project) is None
    assert lease(adjudicator, project) is not None


def test_a_rejected_item_is_discarded_with_its_reason(project, annotator):
    solution = dispute(project)
    uid, code = lease(annotator, project).uid, RejectReason.BAD_PROBLEM
    assignments.reject(by=annotator, uid=uid, code=code, words="two questions", now=NOW)
    assert Decision.objects.get(solution=solution).state == "discarded"
    assert Verdict.objects.get(labeler__kind="human").reason == "two questions"


def test_an_adjudicator_outranks_the_annotator(project, annotator, adjudicator):
    solution = dispute(project)
    submit(annotator, lease(annotator, project))
    adjudications.submit(
        by=adjudicator, solution=solution, key=uuid4(), first_error=2, reason="2 + 2 is not 5"
    )
    decision = Decision.objects.get(solution=solution)
    assert (decision.state, decision.first_error) == ("adjudicated", 2)


def test_every_write_leaves_its_audit_event(project, annotator):
    dispute(project)
    submit(annotator, lease(annotator, project))
    actions = set(Event.objects.filter(actor=annotator).values_list("action", flat=True))
    assert actions == {"item leased", "labeler registered", "verdict submitted"}
