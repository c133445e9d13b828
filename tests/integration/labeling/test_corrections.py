"""Correcting a submitted item, and what the person knew by then."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from labeling.domain.refusals import NotFound
from labeling.models import Assignment, Decision, Event, Verdict
from labeling.selectors.corrections import Settled
from labeling.services import adjudications, assignments
from tests import factories

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


@pytest.fixture
def solution(project):
    made = factories.SolutionFactory(problem__project=project)
    Decision.objects.filter(solution=made).update(state="disputed")
    return made


@pytest.fixture
def item(solution, project, annotator):
    leased = assignments.lease_next(by=annotator, project=project, now=NOW)
    assignments.submit(
        by=annotator, uid=leased.uid, key=uuid4(), draft={"labels": [1, -1, None]},
        active_seconds=9, now=NOW,
    )  # fmt: skip
    return Assignment.objects.get(pk=leased.pk)


def correct(item, labels=(1, 1, 1), **values):
    given = {
        "by": item.user, "key": uuid4(), "version": item.draft_version, "active_seconds": 12,
        **values,
    }  # fmt: skip
    return assignments.correct(uid=item.uid, draft={"labels": list(labels)}, **given)


def test_a_correction_changes_the_verdict_and_the_decision(item, solution):
    verdict = correct(item)
    assert (verdict.first_error, verdict.seconds, verdict.informed) == (-1, 12, False)
    decision = Decision.objects.get(solution=solution)
    assert (decision.state, decision.first_error) == ("adjudicated", -1)
    assert Verdict.objects.count() == 1
    assert Assignment.objects.get(pk=item.pk).submitted_at == NOW


def test_the_labels_before_a_correction_stay_in_the_audit_trail(item):
    correct(item)
    before = Event.objects.get(action="verdict corrected").details["before"]
    assert (before["first_error"], before["step_labels"]) == (1, [1, -1, None])


def test_a_correction_after_the_evidence_is_informed(item):
    for _ in range(2):
        assignments.see_evidence(by=item.user, within=item.project, uid=item.uid, now=NOW)
    assert correct(item).informed
    assert Event.objects.filter(action="evidence opened").count() == 1


def submit_and_show(solution, annotator, **changes):
    leased = assignments.lease_next(by=annotator, project=solution.project, now=NOW)
    Assignment.objects.filter(pk=leased.pk).update(**changes)
    given = {"uid": leased.uid, "key": uuid4(), "draft": {"labels": [1, -1, None]}}
    for _ in range(2):  # the answer got lost: the browser asks again
        assignments.submit(by=annotator, active_seconds=9, now=NOW, show=True, **given)
    return Assignment.objects.get(pk=leased.pk)


def test_evidence_that_comes_with_the_answer_is_noted_once(solution, annotator):
    item = submit_and_show(solution, annotator, purpose="label")
    assert item.evidence_seen_at == NOW
    assert Event.objects.filter(action="evidence opened", subject=item.uid).count() == 1
    assert correct(item).informed


def test_nothing_is_noted_where_no_evidence_is_shown(solution, annotator):
    item = submit_and_show(solution, annotator, purpose="exam")
    assert item.evidence_seen_at is None
    assert not Event.objects.filter(action="evidence opened").exists()


def test_a_correction_of_older_labels_is_refused_with_the_newer_ones(item):
    correct(item, (-1, None, None))
    with pytest.raises(assignments.StaleDraft) as refusal:
        correct(item)
    assert refusal.value.details["draft"]["labels"] == [-1, None, None]
    assert refusal.value.details["version"] == item.draft_version + 1


def test_the_same_correction_twice_is_one(item):
    key = uuid4()
    assert correct(item, key=key) == correct(item, key=key)
    assert Event.objects.filter(action="verdict corrected").count() == 1


def test_what_an_adjudicator_decided_is_not_corrected(item, solution, adjudicator):
    adjudicate(adjudicator, solution)
    with pytest.raises(Settled):
        correct(item)


def test_a_gold_item_is_corrected_like_any_other(item, solution, adjudicator):
    Assignment.objects.filter(pk=item.pk).update(purpose="gold")
    adjudicate(adjudicator, solution)
    assert correct(item).first_error == -1
    assert Decision.objects.get(solution=solution).first_error == 2


def test_ones_own_adjudication_is_no_obstacle(project, solution, adjudicator):
    leased = assignments.lease_next(by=adjudicator, project=project, now=NOW)
    assignments.submit(
        by=adjudicator, uid=leased.uid, key=uuid4(), draft={"labels": [1, 1, 1]},
        active_seconds=9, now=NOW,
    )  # fmt: skip
    adjudicate(adjudicator, solution)
    assert correct(Assignment.objects.get(pk=leased.pk), (-1, None, None)).first_error == 0


def test_an_open_item_has_nothing_to_correct(project, solution, annotator):
    leased = assignments.lease_next(by=annotator, project=project, now=NOW)
    with pytest.raises(Settled):
        correct(leased)


def test_another_persons_verdict_is_not_corrected(item, adjudicator):
    with pytest.raises(NotFound):
        correct(item, by=adjudicator)


def test_correcting_leaves_the_open_items_as_they_are(item, project):
    for _ in range(2):
        other = factories.SolutionFactory(problem__project=project)
        Decision.objects.filter(solution=other).update(state="disputed")
    current = assignments.lease_next(by=item.user, project=project, now=NOW)
    coming = assignments.lease_ahead(by=item.user, project=project, uid=current.uid, now=NOW)
    correct(item)
    assert Assignment.objects.get(pk=coming.pk).ahead
    assert not Assignment.objects.get(pk=current.pk).ahead


def adjudicate(by, solution):
    adjudications.submit(by=by, solution=solution, key=uuid4(), first_error=2, reason="see step 3")
