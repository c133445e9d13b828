"""The exam: standing by attempt, results once over, another attempt with fresh items."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from labeling.domain.assignments import GoldUse, SkipReason
from labeling.domain.quality import Outcome
from labeling.domain.refusals import Invalid
from labeling.models import Assignment, Event
from labeling.selectors import exam_results, exams
from labeling.selectors.corrections import Settled, check_correctable
from labeling.services import assignments, gold, projects
from labeling.services import exams as service
from labeling.services.assignments import NotSkipped
from tests import factories
from tests.answers import answered, solution_of

pytestmark = pytest.mark.django_db
KEY = 2


@pytest.fixture
def examined(project, owner, manager):
    """An exam of two of five items, all of them right for a pass; each key is step 3."""
    projects.change_policy(by=owner, project=project, exam_items=2, exam_pass_share=1.0)
    project.refresh_from_db()
    for number in range(5):
        gold.add(
            by=manager, solution=solution_of(project, number), use=GoldUse.EXAM,
            explanation=f"Because of {number}.", first_error=KEY,
        )  # fmt: skip
    return project


def take(user, project, *said):
    """Answer the next items as the annotate page does; None: skip."""
    for first_error in said:
        now = timezone.now()
        item = assignments.lease_next(by=user, project=project, now=now)
        assert item.purpose == "exam"
        if first_error is None:
            assignments.skip(by=user, uid=item.uid, code=SkipReason.GIVE_UP, now=now)
            continue
        labels = [1] * first_error + [-1] + [None] * (3 - first_error)
        assignments.submit(
            by=user, uid=item.uid, key=uuid4(), draft={"labels": labels}, active_seconds=9, now=now
        )


def grant(manager, user, project, reason="read the guidelines again"):
    return service.grant(by=manager, project=project, user=user, reason=reason)


def test_until_the_end_no_key_is_there(examined, annotator):
    take(annotator, examined, KEY)
    (attempt,) = exam_results.attempts(annotator, examined)
    assert attempt.items == ()
    assert (attempt.standing.answered, attempt.standing.required) == (1, 2)


def test_after_the_end_each_answer_stands_beside_its_key(examined, annotator):
    take(annotator, examined, KEY, 3)
    (attempt,) = exam_results.attempts(annotator, examined)
    assert (attempt.standing.failed, attempt.standing.right) == (True, 1)
    right, late = attempt.items
    assert (right.right, right.outcome) == (True, Outcome.EXACT)
    assert (late.said, late.key, late.outcome) == (3, KEY, Outcome.LATE)
    assert late.said_step == late.steps[3]
    assert late.key_step == late.steps[KEY]
    assert late.explanation.startswith("Because of ")


def test_a_skipped_item_is_answered_and_not_right(examined, annotator):
    take(annotator, examined, KEY, None)
    (attempt,) = exam_results.attempts(annotator, examined)
    assert attempt.standing.failed
    assert (attempt.items[1].right, attempt.items[1].outcome) == (False, None)


def test_another_attempt_has_items_that_the_person_never_saw(examined, annotator, manager):
    take(annotator, examined, 3, 3)
    before = set(Assignment.objects.values_list("solution_id", flat=True))
    grant(manager, annotator, examined)
    assert exams.standing(annotator, examined).left == 2
    take(annotator, examined, KEY, KEY)
    assert exams.standing(annotator, examined).passed
    assert len(set(Assignment.objects.values_list("solution_id", flat=True)) - before) == 2
    second, first = exam_results.attempts(annotator, examined)
    assert (second.number, second.standing.passed) == (2, True)
    assert (first.number, first.standing.right) == (1, 0)
    assert [item.right for item in second.items] == [True, True]
    event = Event.objects.get(action="exam granted again")
    assert (event.actor, event.subject) == (manager, annotator.username)
    assert event.details["right"] == 0


@pytest.mark.parametrize("said", [(), (KEY,), (KEY, KEY)])
def test_only_who_failed_gets_another_attempt(examined, annotator, manager, said):
    take(annotator, examined, *said)
    with pytest.raises(service.NotFailed):
        grant(manager, annotator, examined)


def test_another_attempt_needs_fresh_items_and_a_reason(examined, annotator, manager):
    take(annotator, examined, 3, 3)
    with pytest.raises(Invalid, match="say why"):
        grant(manager, annotator, examined, reason=" ")
    grant(manager, annotator, examined)
    take(annotator, examined, 3, 3)
    with pytest.raises(service.TooFewFresh, match=r"only 1 exam items .* 2 are needed"):
        grant(manager, annotator, examined)


def test_a_second_grant_at_once_is_refused(examined, annotator, manager):
    take(annotator, examined, 3, 3)
    grant(manager, annotator, examined)
    with pytest.raises(service.NotFailed):
        grant(manager, annotator, examined)


def test_an_earlier_attempt_cannot_be_mended_with_its_keys(examined, annotator, manager):
    take(annotator, examined, 3, None)
    submitted = Assignment.objects.get(submitted_at__isnull=False)
    skipped = Assignment.objects.get(skipped_at__isnull=False)
    grant(manager, annotator, examined)
    assert not exams.standing(annotator, examined).over
    with pytest.raises(Settled):
        check_correctable(submitted)
    with pytest.raises(NotSkipped):
        assignments.unskip(by=annotator, uid=skipped.uid, now=timezone.now())


def test_a_seen_result_stands_even_if_the_exam_grows_later(examined, annotator, owner):
    take(annotator, examined, KEY, 3)
    item = Assignment.objects.order_by("id").first()
    service.see_result(by=annotator, project=examined, now=timezone.now())
    service.see_result(by=annotator, project=examined, now=timezone.now())
    projects.change_policy(by=owner, project=examined, exam_items=4)
    item.refresh_from_db()
    assert not exams.standing(annotator, item.project).over
    with pytest.raises(Settled):
        check_correctable(item)
    assert Event.objects.filter(action="exam result seen").count() == 1


def test_a_result_cannot_be_seen_before_the_end(examined, annotator):
    take(annotator, examined, KEY)
    service.see_result(by=annotator, project=examined, now=timezone.now())
    assert not Assignment.objects.filter(evidence_seen_at__isnull=False).exists()


def test_the_leads_table_tells_everybodys_standing_as_they_see_it(examined, annotator, manager):
    users = [annotator, *(factories.MembershipFactory(project=examined).user for _ in range(4))]
    takes = [(), (KEY,), (KEY, KEY), (3, KEY), (3, 3)]
    for user, said in zip(users, takes, strict=True):
        take(user, examined, *said)
    grant(manager, users[4], examined)
    take(users[4], examined, KEY)
    table = exam_results.examinees(examined)
    unbegun = exam_results.unbegun(examined)
    for user in users:
        told = table[user.pk].standing if user.pk in table else unbegun
        assert told == exams.standing(user, examined)
    assert table[users[4].pk].attempts == 2
    assert users[0].pk not in table


def test_the_leads_table_knows_who_may_run_out_of_items(examined, annotator):
    """Somebody who labeled exam items before they were gold has fewer left."""
    for item in examined.gold_items.all()[:4]:
        answered(annotator, item.solution, KEY, at=timezone.now() - timedelta(days=1))
    take(annotator, examined, KEY)
    found = exam_results.examinees(examined)[annotator.pk].standing
    assert found == exams.standing(annotator, examined)
    assert (found.required, found.passed) == (1, True)


def test_the_leads_table_costs_the_same_for_many(examined, annotator, django_assert_num_queries):
    take(annotator, examined, KEY)
    with django_assert_num_queries(2):
        exam_results.examinees(examined)


def test_without_an_exam_nobody_is_examined(project):
    assert exam_results.examinees(project) == {}
