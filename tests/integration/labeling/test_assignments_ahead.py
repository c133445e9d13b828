"""The item leased ahead of the current one, leaving and coming back, taking a skip back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from labeling.domain.assignments import SkipReason
from labeling.models import Assignment, Decision, Event, Project, User
from labeling.services import assignments
from tests import factories

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
LATE = NOW + timedelta(minutes=21)  # policy: leases of 20 minutes
RIGHT = {"labels": [1, 1, 1]}


@pytest.fixture
def four(project):
    """Four disputed solutions of equal value, in the order in which they are served."""
    return [disputed(project) for _ in range(4)]


def disputed(project: Project):
    solution = factories.SolutionFactory(problem__project=project)
    Decision.objects.filter(solution=solution).update(state="disputed")
    return solution


def lease(user: User, project: Project, now: datetime = NOW) -> Assignment | None:
    return assignments.lease_next(by=user, project=project, now=now)


def ahead(user: User, item: Assignment, now: datetime = NOW) -> Assignment | None:
    return assignments.lease_ahead(by=user, project=item.project, uid=item.uid, now=now)


def submit(user: User, item: Assignment):
    return assignments.submit(
        by=user, uid=item.uid, key=uuid4(), draft=RIGHT, active_seconds=9, now=NOW
    )


def skip(user: User, item: Assignment):
    return assignments.skip(by=user, uid=item.uid, code=SkipReason.TOO_LONG, now=NOW)


def save(user: User, item: Assignment, now: datetime = NOW, version: int = 0):
    draft = {"labels": [1, None, None]}
    return assignments.save_draft(
        by=user, uid=item.uid, version=version, draft=draft, active_seconds=1, now=now
    )


def release(user: User, item: Assignment) -> None:
    assignments.release(by=user, project=item.project, uid=item.uid, now=NOW)


def test_one_item_is_leased_ahead_however_often_it_is_asked_for(four, project, annotator):
    current = lease(annotator, project)
    first, second = ahead(annotator, current), ahead(annotator, current)
    assert first == second
    assert [current.solution, first.solution] == four[:2]
    assert Assignment.objects.filter(user=annotator).count() == 2


def test_nothing_is_left_to_lease_ahead_of_the_last_item(project, annotator):
    disputed(project)
    assert ahead(annotator, lease(annotator, project)) is None


def test_nothing_is_leased_ahead_of_an_item_that_is_ahead(four, project, annotator):
    coming = ahead(annotator, lease(annotator, project))
    with pytest.raises(assignments.NotCurrent):
        ahead(annotator, coming)


@pytest.mark.parametrize("conclude", [submit, skip])
def test_the_item_ahead_becomes_current_once_the_one_before_is_done(
    four, project, annotator, conclude
):
    current = lease(annotator, project)
    coming = ahead(annotator, current)
    conclude(annotator, current)
    assert not Assignment.objects.get(pk=coming.pk).ahead
    assert lease(annotator, project) == coming


def test_asking_what_follows_a_submitted_item_gives_the_current_one(four, project, annotator):
    current = lease(annotator, project)
    submit(annotator, current)
    following = ahead(annotator, current)
    assert not following.ahead
    assert following == lease(annotator, project)


def test_an_item_ahead_may_be_submitted_before_the_current_one(four, project, annotator):
    current = lease(annotator, project)
    submit(annotator, ahead(annotator, current))
    assert lease(annotator, project) == current
    assert ahead(annotator, current).solution == four[2]


def test_the_item_ahead_is_nobody_elses(four, project, annotator, adjudicator):
    ahead(annotator, lease(annotator, project))
    assert lease(adjudicator, project).solution == four[2]


def test_saving_renews_both_leases(four, project, annotator):
    current = lease(annotator, project)
    coming = ahead(annotator, current)
    soon = NOW + timedelta(minutes=10)
    save(annotator, current, soon)
    ends = Assignment.objects.filter(pk__in=[current.pk, coming.pk]).values_list("expires_at")
    assert set(ends) == {(soon + timedelta(minutes=20),)}


def test_who_leaves_frees_both_items_and_finds_them_again(four, project, annotator, adjudicator):
    current = lease(annotator, project)
    coming = ahead(annotator, current)
    save(annotator, current)
    release(annotator, current)
    assert lease(annotator, project).draft["labels"] == [1, None, None]
    assert ahead(annotator, current) == coming


def test_others_may_take_what_somebody_left(four, project, annotator, adjudicator):
    current = lease(annotator, project)
    ahead(annotator, current)
    save(annotator, current)
    release(annotator, current)
    assert lease(adjudicator, project).solution == four[0]
    back = lease(annotator, project)
    assert (back.solution, back.ahead) == (four[1], False)
    # what they had labeled is kept, should they want it back
    assert Assignment.objects.get(pk=current.pk).draft["labels"] == [1, None, None]


def test_leaving_a_submitted_item_leaves_the_next_one_leased(four, project, annotator):
    current = lease(annotator, project)
    coming = ahead(annotator, current)
    submit(annotator, current)
    release(annotator, current)
    assert Assignment.objects.get(pk=coming.pk).expires_at > NOW


def test_a_draft_saved_too_late_is_kept_without_the_place(project, annotator, adjudicator):
    disputed(project)
    item = lease(annotator, project)
    taken = lease(adjudicator, project, LATE)
    saved = save(annotator, item, LATE)
    assert saved.expires_at < LATE < taken.expires_at
    assert Assignment.objects.get(pk=item.pk).draft["labels"] == [1, None, None]


def test_labels_submitted_too_late_count_all_the_same(project, annotator, adjudicator):
    solution = disputed(project)
    item = lease(annotator, project)
    lease(adjudicator, project, LATE)
    submit(annotator, item)
    assert solution.verdicts.get().labeler.user == annotator


def test_a_skipped_item_is_taken_back_before_the_current_one(four, project, annotator):
    skipped = lease(annotator, project)
    ahead(annotator, skipped)
    skip(annotator, skipped)
    current = lease(annotator, project)
    ahead(annotator, current)
    assignments.unskip(by=annotator, uid=skipped.uid, now=NOW)
    assert lease(annotator, project) == skipped
    assert ahead(annotator, skipped) == current
    assert Assignment.objects.filter(user=annotator).count() == 2


def test_a_skipped_item_that_others_have_is_not_taken_back(project, annotator, adjudicator):
    disputed(project)
    item = lease(annotator, project)
    skip(annotator, item)
    lease(adjudicator, project)
    with pytest.raises(assignments.Taken):
        assignments.unskip(by=annotator, uid=item.uid, now=NOW)


def test_taking_back_never_drops_an_item_that_is_begun(four, project, annotator):
    skipped = lease(annotator, project)
    skip(annotator, skipped)
    save(annotator, ahead(annotator, lease(annotator, project)))
    with pytest.raises(assignments.Closed):
        assignments.unskip(by=annotator, uid=skipped.uid, now=NOW)
    assert lease(annotator, project).solution == four[1]


def test_only_what_was_skipped_is_taken_back(four, project, annotator):
    with pytest.raises(assignments.NotSkipped):
        assignments.unskip(by=annotator, uid=lease(annotator, project).uid, now=NOW)


def test_leaving_and_coming_back_leave_their_events(four, project, annotator, adjudicator):
    item = lease(annotator, project)
    skip(annotator, item)
    assignments.unskip(by=annotator, uid=item.uid, now=NOW)
    release(annotator, item)
    lease(adjudicator, project)
    lease(annotator, project)
    actions = list(Event.objects.filter(actor=annotator).values_list("action", flat=True))
    assert actions == [
        "item leased", "item skipped", "item taken back", "items released", "lease lost",
        "item leased",
    ]  # fmt: skip
