"""Adjudication: the queue, its leases, deciding against what one saw, and taking it back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from django.db import connection
from django.urls import reverse

from labeling.domain.assignments import RejectReason
from labeling.domain.labels import LabelerKind, VerdictState
from labeling.domain.refusals import Invalid
from labeling.domain.roles import Role
from labeling.models import AdjudicationLease, Decision, Event, Verdict
from labeling.selectors import adjudication as reads
from labeling.selectors.adjudication import Wanted
from labeling.services import adjudication_leases, adjudications, decisions, labelers
from tests import factories

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def people_say(solution, *said):
    """Store people's verdicts: a first error, or a RejectReason."""
    for one in said:
        user = factories.MembershipFactory(project=solution.project).user
        labeler = labelers.person(by=user, project=solution.project)
        rejected = isinstance(one, RejectReason)
        factories.VerdictFactory(
            solution=solution,
            labeler=labeler,
            state="rejected" if rejected else "scored",
            first_error=None if rejected else one,
            reason="no" if rejected else "",
            reason_code=one if rejected else "",
        )
    decisions.refresh(project=solution.project, solutions=[solution])


def disputed(project, *said, **fields):
    solution = factories.SolutionFactory(problem__project=project, **fields)
    people_say(solution, *(said or (0, 1)))
    return solution


def second_adjudicator(project):
    return factories.MembershipFactory(project=project, role=Role.ADJUDICATOR).user


def following(by, project, now=NOW, after="", **wanted):
    return adjudication_leases.lease_next(
        by=by, project=project, wanted=Wanted(**wanted), now=now, after=after
    )


def decide(by, solution, first_error=0, **more):
    values = {"key": uuid4(), "first_error": first_error, **more}
    return adjudications.submit(by=by, solution=solution, **values)


def decision(solution):
    return Decision.objects.get(solution=solution)


class TestQueue:
    def test_reports_come_first_then_disagreements_then_what_was_given_up(
        self, project, adjudicator
    ):
        given_up = factories.SolutionFactory(problem__project=project)
        Decision.objects.filter(solution=given_up).update(gave_up=2)
        tired = factories.SolutionFactory(problem__project=project)
        Decision.objects.filter(solution=tired).update(gave_up=1)
        split = disputed(project)
        reported = disputed(project, RejectReason.WRONG_REFERENCE)
        disputed(project, 1, 1)
        found = reads.queue(project, adjudicator, Wanted(), NOW)
        assert [(row.uid, row.cause) for row in found.rows] == [
            (reported.uid, "reported"), (split.uid, "disagree"), (given_up.uid, "given_up"),
        ]  # fmt: skip
        assert found.total == 3
        assert dict(found.counts) == {"reported": 1, "disagree": 1, "given_up": 1}

    def test_filters_narrow_the_queue_and_not_its_counts(self, project, adjudicator):
        disputed(project, problem__source="a")
        kept = disputed(project, problem__source="b")
        disputed(project, RejectReason.BAD_STEPS, problem__source="b")
        found = reads.queue(project, adjudicator, Wanted(cause="disagree", source="b"), NOW)
        assert [row.uid for row in found.rows] == [kept.uid]
        assert dict(found.counts)["reported"] == 1
        assert found.sources == ("a", "b")
        only = reads.queue(project, adjudicator, Wanted(problem=kept.problem.uid), NOW)
        assert only.total == 1

    def test_what_one_has_labeled_comes_after_what_one_has_not(self, project, adjudicator):
        own = disputed(project)
        factories.VerdictFactory(
            solution=own, labeler=labelers.person(by=adjudicator, project=project), first_error=2
        )
        other = disputed(project)
        found = reads.queue(project, adjudicator, Wanted(), NOW)
        assert [(row.uid, row.own) for row in found.rows] == [(other.uid, False), (own.uid, True)]

    def test_what_one_is_labeling_is_left_out(self, project, adjudicator):
        solution = disputed(project)
        factories.AssignmentFactory(solution=solution, user=adjudicator)
        assert reads.queue(project, adjudicator, Wanted(), NOW).total == 0
        assert following(adjudicator, project) is None

    def test_other_projects_wait_elsewhere(self, project, adjudicator):
        disputed(factories.ProjectFactory())
        assert following(adjudicator, project) is None


class TestLeases:
    def test_the_same_one_comes_until_it_is_decided(self, project, adjudicator):
        first, second = disputed(project), disputed(project)
        assert following(adjudicator, project) == first
        assert following(adjudicator, project) == first
        decide(adjudicator, first)
        assert following(adjudicator, project) == second
        decide(adjudicator, second)
        assert following(adjudicator, project) is None

    def test_others_get_another_one_until_the_lease_ends(self, project, adjudicator):
        first, second = disputed(project), disputed(project)
        other = second_adjudicator(project)
        assert following(adjudicator, project) == first
        assert following(other, project) == second
        third = second_adjudicator(project)
        assert following(third, project) is None
        late = NOW + adjudication_leases.LEASE + timedelta(seconds=1)
        assert following(third, project, now=late) == first

    def test_who_passes_gets_the_next_one_and_at_the_end_the_first(self, project, adjudicator):
        first, second = disputed(project), disputed(project)
        assert following(adjudicator, project) == first
        assert following(adjudicator, project, after=first.uid) == second
        assert following(adjudicator, project, after=second.uid) == first
        assert AdjudicationLease.objects.get().solution == first

    def test_holding_renews_and_names_who_else_holds(self, project, adjudicator):
        solution = disputed(project)
        other = second_adjudicator(project)
        assert adjudication_leases.hold(by=adjudicator, solution=solution, now=NOW) is None
        name = adjudication_leases.hold(by=other, solution=solution, now=NOW)
        assert name == adjudicator.username
        later = NOW + timedelta(minutes=4)
        adjudication_leases.hold(by=adjudicator, solution=solution, now=later)
        assert AdjudicationLease.objects.get().expires_at == later + adjudication_leases.LEASE
        adjudication_leases.release(by=other, solution=solution)
        assert AdjudicationLease.objects.exists()
        adjudication_leases.release(by=adjudicator, solution=solution)
        assert adjudication_leases.hold(by=other, solution=solution, now=NOW) is None


@pytest.mark.django_db(transaction=True)
def test_no_two_adjudicators_get_the_same_dispute_at_once(project):
    for _ in range(8):
        disputed(project)
    people = [second_adjudicator(project) for _ in range(8)]
    got, start = [], Barrier(len(people))

    def ask(user):
        start.wait()
        got.append(following(user, project).pk)
        connection.close()

    threads = [Thread(target=ask, args=[user]) for user in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == len(set(got)) == 8


class TestDeciding:
    def test_taking_a_side_needs_no_reason(self, project, adjudicator):
        solution = disputed(project, 0, 1)
        decide(adjudicator, solution, 1)
        assert (decision(solution).state, decision(solution).first_error) == ("adjudicated", 1)
        assert decision(solution).cause == ""

    @pytest.mark.parametrize("first_error", [2, -1])
    def test_what_nobody_said_needs_a_reason(self, first_error, project, adjudicator):
        solution = disputed(project, 0, 1)
        with pytest.raises(Invalid, match="needs a reason"):
            decide(adjudicator, solution, first_error)
        assert decision(solution).state == "disputed"
        decide(adjudicator, solution, first_error, reason="the sum is wrong")
        assert decision(solution).first_error == first_error

    def test_the_key_of_a_gold_item_is_no_side(self, project, adjudicator):
        solution = disputed(project, 0, 1)
        gold = factories.LabelerFactory(project=project, kind="gold")
        factories.VerdictFactory(solution=solution, labeler=gold, first_error=2)
        with pytest.raises(Invalid, match="needs a reason"):
            decide(adjudicator, solution, 2)

    def test_discarding_takes_a_reason_by_its_code_or_in_words(self, project, adjudicator):
        solution = disputed(project)
        with pytest.raises(Invalid, match="say why"):
            adjudications.discard(by=adjudicator, solution=solution, key=uuid4())
        adjudications.discard(
            by=adjudicator, solution=solution, key=uuid4(), code=RejectReason.BAD_STEPS
        )
        verdict = Verdict.objects.get(labeler__kind="adjudicator")
        assert (verdict.reason, verdict.reason_code) == ("the steps are cut badly", "bad_steps")
        assert decision(solution).state == "discarded"

    def test_one_key_is_one_verdict(self, project, adjudicator):
        solution, key = disputed(project), uuid4()
        first = decide(adjudicator, solution, 1, key=key)
        assert decide(adjudicator, solution, 0, key=key) == first
        assert Event.objects.filter(action="solution adjudicated").count() == 1

    def test_a_verdict_that_came_in_meanwhile_is_shown_first(self, project, adjudicator):
        solution = disputed(project, 0, 1)
        seen = reads.seen(solution)
        people_say(solution, 2)
        with pytest.raises(adjudications.NewVerdicts):
            decide(adjudicator, solution, 1, seen=seen)
        assert decision(solution).state == "disputed"
        decide(adjudicator, solution, 1, seen=reads.seen(solution))

    def test_a_corrected_reference_answer_is_news_as_well(self, project, adjudicator):
        solution = disputed(project)
        seen = reads.seen(solution)
        solution.problem.answer = "5"
        solution.problem.save()
        with pytest.raises(adjudications.NewVerdicts):
            decide(adjudicator, solution, 1, seen=seen)

    def test_the_latest_of_two_adjudicators_decides_also_when_one_changes_their_mind(
        self, project, adjudicator
    ):
        solution, other = disputed(project, 0, 1), second_adjudicator(project)
        decide(adjudicator, solution, 0)
        decide(other, solution, 1)
        decide(adjudicator, solution, 0)
        assert decision(solution).first_error == 0

    def test_nobody_adjudicates_what_they_are_labeling(self, project, adjudicator):
        solution = disputed(project)
        item = factories.AssignmentFactory(solution=solution, user=adjudicator)
        with pytest.raises(adjudications.OwnLabelFirst):
            decide(adjudicator, solution, 1)
        item.submitted_at = NOW
        item.save()
        decide(adjudicator, solution, 1)


class TestTakingBack:
    def test_the_solution_is_open_again_and_the_event_kept(self, project, adjudicator):
        solution = disputed(project, 0, 1)
        decide(adjudicator, solution, 2, reason="neither")
        adjudications.reopen(by=adjudicator, solution=solution)
        assert (decision(solution).state, decision(solution).cause) == ("disputed", "disagree")
        event = Event.objects.get(action="adjudication taken back")
        assert (event.details["first_error"], event.details["reason"]) == (2, "neither")
        with pytest.raises(adjudications.NotAdjudicated):
            adjudications.reopen(by=adjudicator, solution=solution)

    def test_anothers_verdict_is_taken_back_by_who_manages_only(
        self, project, adjudicator, manager, client
    ):
        solution, other = disputed(project), second_adjudicator(project)
        decide(other, solution, 1)
        address = reverse("reopen", args=[project.uid, solution.uid])
        client.force_login(adjudicator)
        assert client.post(address).status_code == 409
        client.force_login(manager)
        assert client.post(address).status_code == 302
        assert not Verdict.objects.filter(labeler__kind="adjudicator").exists()

    def test_the_key_of_a_gold_item_stays(self, project, adjudicator):
        solution = disputed(project)
        decide(adjudicator, solution, 1)
        factories.GoldItemFactory(solution=solution)
        with pytest.raises(adjudications.TestsPeople):
            adjudications.reopen(by=adjudicator, solution=solution)


class TestPages:
    def test_a_new_verdict_is_answered_on_the_page_and_marked(self, project, adjudicator, client):
        solution = disputed(project, 0, 1)
        client.force_login(adjudicator)
        shown = client.get(reverse("solution", args=[project.uid, solution.uid]))
        people_say(solution, 2)
        data = {
            "key": str(uuid4()), "seen": shown.context["seen"],
            "first_error": "1", "reason": "as typed",
        }  # fmt: skip
        address = reverse("adjudicate", args=[project.uid, solution.uid])
        answer = client.post(address, data)
        assert answer.status_code == 409
        assert len(answer.context["fresh"]) == 1
        assert b"as typed</textarea>" in answer.content
        assert client.post(address, data | {"seen": answer.context["seen"]}).status_code == 302

    def test_next_leads_through_the_queue_with_its_filters(self, project, adjudicator, client):
        solution = disputed(project)
        client.force_login(adjudicator)
        address = reverse("adjudication_next", args=[project.uid])
        answer = client.get(address, {"cause": "disagree"})
        assert answer.headers["Location"] == (
            reverse("solution", args=[project.uid, solution.uid]) + "?cause=disagree"
        )
        none = client.get(address, {"cause": "reported"})
        assert none.headers["Location"].startswith(reverse("adjudication", args=[project.uid]))

    def test_who_labels_the_solution_sees_nothing_of_it_also_when_refused(
        self, project, adjudicator, client
    ):
        solution = disputed(project, steps=["a", "b", "c"])
        mc = factories.LabelerFactory(project=project, kind=LabelerKind.MC, name="hidden-mc")
        factories.VerdictFactory(solution=solution, labeler=mc, state=VerdictState.SCORED)
        factories.AssignmentFactory(solution=solution, user=adjudicator)
        client.force_login(adjudicator)
        address = reverse("adjudicate", args=[project.uid, solution.uid])
        answer = client.post(address, {"key": str(uuid4()), "first_error": "1"})
        assert answer.status_code == 409
        assert b"submit your own label first" in answer.content
        assert b"hidden-mc" not in answer.content
        assert "seen" not in answer.context

    def test_the_list_and_the_holder_are_shown(self, project, adjudicator, client):
        solution, other = disputed(project), second_adjudicator(project)
        client.force_login(adjudicator)
        hold = reverse("hold", args=[project.uid, solution.uid])
        assert client.post(hold).json() == {"held_by": None}
        client.force_login(other)
        assert client.post(hold).json() == {"held_by": adjudicator.username}
        listed = client.get(reverse("adjudication", args=[project.uid])).content.decode()
        assert adjudicator.username in listed
        shown = client.get(reverse("solution", args=[project.uid, solution.uid])).content.decode()
        assert f"{adjudicator.username} decides this solution just now" in shown
        client.force_login(adjudicator)
        client.post(hold, {"release": "1"})
        assert not AdjudicationLease.objects.exists()
