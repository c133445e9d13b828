"""People who work at the same moment, with real concurrent transactions."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier, Event, local
from time import sleep
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.models import Count

from labeling.domain.policy import Policy
from labeling.domain.refusals import Refusal
from labeling.models import Assignment, Decision, Verdict
from labeling.services import assignments, labelers, projects
from labeling.services.assignments import candidates
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
LATE = NOW + timedelta(minutes=21)  # policy: leases of 20 minutes
RIGHT = {"labels": [1, 1, 1]}
PATIENCE = 240
"""Seconds until a thread counts as stuck, on a busy machine."""


def together(*works):
    """Run the functions at the same moment, each in a thread; return results and refusals."""
    barrier = Barrier(len(works))

    def one(work):
        barrier.wait()
        return request(work)

    with ThreadPoolExecutor(len(works)) as pool:
        return [done.result(PATIENCE) for done in [pool.submit(one, work) for work in works]]


def request(work, *args, **values):
    """Give the connection back afterwards, as the end of a request does."""
    try:
        return work(*args, **values)
    except Refusal as refusal:
        return refusal
    finally:
        connection.close()


def campaign(solutions, people, overlap=1):
    project = factories.ProjectFactory(policy_values=Policy(human_overlap=overlap).to_dict())
    for _ in range(solutions):
        solution = factories.SolutionFactory(problem__project=project)
        Decision.objects.filter(solution=solution).update(state="disputed", places=overlap)
    members = [factories.MembershipFactory(project=project).user for _ in range(people)]
    return project, members


def lease(user, project, now=NOW):
    return assignments.lease_next(by=user, project=project, now=now)


def ahead(user, item):
    return assignments.lease_ahead(by=user, project=item.project, uid=item.uid, now=NOW)


def save(user, item, version=0, now=NOW):
    return assignments.save_draft(
        by=user, uid=item.uid, version=version, draft=RIGHT, active_seconds=1, now=now
    )


def submit(user, item):
    return assignments.submit(
        by=user, uid=item.uid, key=uuid4(), draft=RIGHT, active_seconds=2, now=NOW
    )


def test_32_annotators_share_the_queue_without_duplicates_or_leftovers():
    project, people = campaign(solutions=40, people=32, overlap=2)
    begun = Barrier(len(people))

    def work(user):
        begun.wait()
        done = 0
        while (item := request(lease, user, project)) is not None:
            request(ahead, user, item)
            request(save, user, item)
            request(submit, user, item)
            done += 1
        return done

    with ThreadPoolExecutor(len(people)) as pool:
        done = [result.result(PATIENCE) for result in [pool.submit(work, one) for one in people]]
    assert sum(done) == 80
    assert min(done) >= 1
    had = Assignment.objects.values("solution").annotate(people=Count("user", distinct=True))
    assert Counter(had.values_list("people", flat=True)) == {2: 40}
    said = Verdict.objects.values("solution").annotate(people=Count("labeler", distinct=True))
    assert Counter(said.values_list("people", flat=True)) == {2: 40}
    assert Decision.objects.filter(state="adjudicated", places=0).count() == 40


def test_two_tabs_lease_one_item_between_them():
    project, [person] = campaign(solutions=8, people=1)
    got = together(*[lambda: lease(person, project)] * 6)
    assert len({item.pk for item in got}) == 1
    assert Assignment.objects.count() == 1


def test_two_tabs_fetch_one_item_ahead_between_them():
    project, [person] = campaign(solutions=8, people=1)
    current = lease(person, project)
    got = together(*[lambda: ahead(person, current)] * 6)
    assert len({item.pk for item in got}) == 1
    assert Assignment.objects.count() == 2


def test_two_tabs_submit_one_verdict():
    project, [person] = campaign(solutions=1, people=1)
    item = lease(person, project)
    got = together(*[lambda: submit(person, item)] * 4)
    assert Counter(type(result).__name__ for result in got) == {"Verdict": 1, "Closed": 3}
    assert Verdict.objects.count() == 1


def test_two_tabs_save_in_turns():
    project, [person] = campaign(solutions=1, people=1)
    item = lease(person, project)
    got = together(*[lambda: save(person, item)] * 4)
    assert Counter(type(result).__name__ for result in got) == {"Assignment": 1, "StaleDraft": 3}


def test_of_two_corrections_at_once_the_second_is_shown_the_first():
    project, [person] = campaign(solutions=1, people=1)
    item = lease(person, project)
    submit(person, item)

    def correct():
        return assignments.correct(
            by=person, uid=item.uid, key=uuid4(), version=1, draft=RIGHT, active_seconds=3
        )

    got = together(*[correct] * 4)
    assert Counter(type(result).__name__ for result in got) == {"Verdict": 1, "StaleDraft": 3}


@pytest.mark.parametrize("round_", range(4))
def test_asking_ahead_while_submitting_leaves_one_current_item(round_):
    project, [person] = campaign(solutions=6, people=1)
    current = lease(person, project)
    if round_ % 2:
        ahead(person, current)
    together(lambda: submit(person, current), *[lambda: ahead(person, current)] * 3)
    mine = Assignment.objects.filter(user=person, submitted_at=None)
    kinds = Counter(mine.values_list("ahead", flat=True))
    assert kinds[False] == 1
    assert lease(person, project) == mine.get(ahead=False)


@pytest.mark.parametrize("_round", range(3))
def test_who_comes_back_and_who_comes_new_do_not_both_get_an_expired_item(_round):
    project, [first, *others] = campaign(solutions=1, people=5)
    item = lease(first, project)
    got = together(
        lambda: save(first, item, now=LATE),
        *[lambda one=one: lease(one, project, LATE) for one in others],
    )
    holders = Assignment.objects.filter(expires_at__gt=LATE)
    assert holders.count() == 1
    assert sum(result is not None for result in got[1:]) == (holders.get().user != first)
    # whoever holds it: what the first one labeled is there
    assert Assignment.objects.get(pk=item.pk).draft["labels"] == [1, 1, 1]


@pytest.mark.parametrize("_round", range(3))
def test_submitting_while_the_lease_runs_out_loses_no_label(_round):
    project, [first, other] = campaign(solutions=1, people=2)
    item = lease(first, project)
    together(lambda: submit(first, item), lambda: lease(other, project, LATE))
    assert Verdict.objects.get().labeler.user == first
    submitted = Assignment.objects.get(user=first)
    assert submitted.submitted_at == NOW


def test_leaving_while_submitting_does_not_end_the_next_lease():
    project, [person] = campaign(solutions=3, people=1)
    current = lease(person, project)
    coming = ahead(person, current)
    submit(person, current)
    together(
        lambda: assignments.release(by=person, project=project, uid=current.uid, now=LATE),
        lambda: lease(person, project),
    )
    assert Assignment.objects.get(pk=coming.pk).expires_at == NOW + timedelta(minutes=20)


def test_a_solution_that_was_given_away_since_the_query_began_is_passed_by(monkeypatch):
    """The other's lease commits after our snapshot was taken and before we reach its row."""
    project, [person, other] = campaign(solutions=2, people=2)
    taken = lease(other, project).solution_id
    left = Decision.objects.exclude(solution=taken).get().solution_id
    monkeypatch.setattr(candidates, "most_valuable", lambda *_: iter([taken, left]))
    assert lease(person, project).solution_id == left


def test_two_devices_submit_the_first_two_items_of_one_person(monkeypatch):
    """The first makes the person's labeler and promotes the item that the second submits."""
    project, [person] = campaign(solutions=4, people=1)
    current = lease(person, project)
    following = ahead(person, current)
    real, made, device = labelers.person, Event(), local()

    def slow(**values):
        if device.name == "second":
            made.wait(1)  # its item's row is locked by now
        found = real(**values)
        if device.name == "first":
            made.set()
            sleep(0.5)  # the second comes to the labeler's row
        return found

    def on(name, item):
        device.name = name
        return submit(person, item)

    monkeypatch.setattr(labelers, "person", slow)
    got = together(lambda: on("first", current), lambda: on("second", following))
    assert {type(one) for one in got} == {Verdict}
    assert Verdict.objects.count() == 2


@pytest.mark.parametrize("_round", range(3))
def test_a_late_submission_and_the_new_holders_both_count(_round):
    """One label more than the overlap, none lost, and nobody else is given the solution."""
    project, [late, holder, third] = campaign(solutions=1, people=3)
    first = lease(late, project)
    second = lease(holder, project, LATE)
    assert second.solution == first.solution
    got = together(lambda: submit(late, first), lambda: submit(holder, second))
    assert {type(one) for one in got} == {Verdict}
    decision = Decision.objects.get()
    assert (decision.state, decision.first_error, decision.places) == ("adjudicated", -1, 0)
    assert len(decision.follows_from) == 2
    assert lease(third, project, LATE) is None


def test_raising_the_overlap_waits_for_nobody_who_is_at_a_decision():
    """A row that a lease holds is passed by: waiting for it could be a deadlock."""
    project, [person, other] = campaign(solutions=2, people=2)
    submit(person, lease(person, project))
    held = lease(other, project)
    reached, go_on = Event(), Event()

    def holds_the_row():
        with transaction.atomic():
            Decision.objects.select_for_update().get(solution=held.solution_id)
            reached.set()
            assert go_on.wait(PATIENCE)
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(holds_the_row)
        assert reached.wait(PATIENCE)
        projects.change_policy(by=project.created_by, project=project, human_overlap=2)
        go_on.set()
        waiting.result(PATIENCE)
    places = Decision.objects.values_list("solution", "places")
    assert dict(places)[held.solution_id] == 1  # until decisions.catch_up comes
    assert sorted(dict(places).values()) == [1, 1]
