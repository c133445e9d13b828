"""A corrected reference answer: what is counted before, what changes after, and who may race."""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Event as Signal
from threading import Thread

import pytest
from django.db import connection, transaction
from django.urls import reverse

from labeling.domain.labels import VerdictState
from labeling.domain.refusals import Invalid
from labeling.models import Decision, Event, Problem, Rollout, Sampling, Solution, Verdict
from labeling.services import (
    answer_corrections,
    decisions,
    labelers,
    regrading,
    samplings,
    verdicts,
)
from labeling.services.verdicts import NewRollout, NewVerdict
from tests import factories
from workers import correcting

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
MC = {"model": "m", "template": "t", "temperature": 0.7, "max_tokens": 64, "n": 2}

pytestmark = pytest.mark.django_db


@pytest.fixture
def problem(project):
    """Its reference answer says 4; the right one is 5."""
    return factories.ProblemFactory(project=project, answer="4")


def solved(problem, answer):
    return factories.SolutionFactory(
        problem=problem,
        steps=["a", "b", f"Answer: {answer}"],
        final_answer=answer,
        final_answer_correct=answer == problem.answer,
    )


def estimated(solution, answers, mode="soft", **fields):
    """Store the verdict of an MC labeler whose samples after each step reach these answers."""
    project = solution.project
    labeler = labelers.register(
        by=project.created_by, project=project, kind="mc", name=f"mc-{mode}",
        config={**MC, "mode": mode},
    )  # fmt: skip
    rollouts = [
        NewRollout(step, sample, f"Answer: {answer}", answer, answer == "4", "stop")
        for step, row in enumerate(answers)
        for sample, answer in enumerate(row)
    ]
    values = {"first_error": -1, **fields}
    row = NewVerdict(solution.pk, VerdictState.SCORED, rollouts=rollouts, against="4", **values)
    verdicts.record(by=project.created_by, labeler=labeler, verdicts=[row])
    return labeler


def asked(problem, by, answer="5"):
    made = answer_corrections.propose(by=by, problem=problem, answer=answer, reason="2 + 3 is 5")
    correcting.carry_out(by=by, uid=made.uid)
    made.refresh_from_db()
    return made


def corrected(problem, by, answer="5"):
    made = asked(problem, by, answer)
    answer_corrections.confirm(by=by, correction=made, now=NOW)
    correcting.carry_out(by=by, uid=made.uid)
    made.refresh_from_db()
    return made


def mc_of(solution):
    return Verdict.objects.filter(solution=solution, labeler__kind="mc").first()


class TestWhatChanges:
    def test_counting_shows_it_and_changes_nothing(self, problem, adjudicator):
        old, new = solved(problem, "4"), solved(problem, "5")
        estimated(old, [["4", "4"], ["4", "5"]])
        made = asked(problem, adjudicator)
        assert made.state == "counted"
        assert made.grades == {"4": False, "5": True}
        problem.refresh_from_db()
        old.refresh_from_db()
        assert (problem.answer, old.final_answer_correct) == ("4", True)
        assert mc_of(old).first_error == -1
        assert Rollout.objects.filter(correct=True).count() == 3
        # after step 1 no sample reaches 5
        assert made.report["solutions"]["changed"] == [
            {"uid": old.uid, "before": True, "after": False},
            {"uid": new.uid, "before": False, "after": True},
        ]
        assert made.report["rollouts"] == {"total": 4, "changed": 4}
        revised = made.report["mc"]["revised"]
        assert [(one["uid"], one["before"], one["after"]) for one in revised] == [(old.uid, -1, 0)]

    def test_confirmed_it_is_as_counted(self, problem, adjudicator):
        old, new = solved(problem, "4"), solved(problem, "5")
        estimated(old, [["4", "4"], ["4", "5"]])
        counted = asked(problem, adjudicator).report
        made = answer_corrections.confirm(
            by=adjudicator, correction=problem.corrections.get(), now=NOW
        )
        correcting.carry_out(by=adjudicator, uid=made.uid)
        made.refresh_from_db()
        assert (made.state, made.report) == ("done", counted)
        problem.refresh_from_db()
        assert problem.answer == "5"
        right = Solution.objects.filter(final_answer_correct=True)
        assert [s.pk for s in right] == [new.pk]
        said = mc_of(old)
        assert (said.first_error, said.mc_k, said.mc_n) == (0, [0, None, None], [2, None, None])
        event = Event.objects.get(action="answer corrected")
        assert (event.actor, event.details["old"], event.details["new"]) == (adjudicator, "4", "5")

    def test_equality_is_the_projects_own(self, problem, adjudicator):
        solved(problem, "10/2")
        corrected(problem, adjudicator)
        assert Solution.objects.get().final_answer_correct is True

    def test_an_early_stop_that_no_longer_holds_is_withdrawn_and_its_run_goes_on(
        self, problem, adjudicator
    ):
        solution = solved(problem, "5")
        labeler = estimated(solution, [["4"], ["4"]], mode="hard", first_error=2)
        run = factories.RunFactory(labeler=labeler, state="done", config=labeler.config)
        made = corrected(problem, adjudicator)
        assert [one["uid"] for one in made.report["mc"]["withdrawn"]] == [solution.uid]
        assert mc_of(solution) is None
        assert Rollout.objects.count() == 2  # the next estimate draws only what is missing
        run.refresh_from_db()
        assert run.state == "running"
        # the run delivers: the completions that are there are counted anew, not doubled
        again = [
            NewRollout(step, sample, "Answer: 5", "5", True, "stop")
            for step in (0, 1)
            for sample in (0, 1)
        ]
        row = NewVerdict(solution.pk, VerdictState.SCORED, -1, rollouts=again, against="5")
        assert verdicts.record(by=adjudicator, labeler=labeler, verdicts=[row]) == 1
        assert Rollout.objects.filter(correct=True).count() == 4

    def test_an_imported_estimate_is_void(self, problem, adjudicator):
        solution = solved(problem, "5")
        imported = factories.LabelerFactory(project=problem.project, kind="mc", config={"file": 1})
        factories.VerdictFactory(
            solution=solution, labeler=imported, mc_k=[1, 1, 1], mc_n=[2, 2, 2]
        )
        made = corrected(problem, adjudicator)
        assert [one["labeler"] for one in made.report["mc"]["void"]] == [imported.name]
        said = mc_of(solution)
        assert (said.state, said.mc_k, said.reason) == ("unscored", [], regrading.VOID)

    def test_decisions_follow_and_other_verdicts_stay(self, problem, adjudicator):
        solution = solved(problem, "4")
        estimated(solution, [["4", "4"], ["4", "4"]])
        judge = factories.LabelerFactory(project=problem.project, kind="judge")
        factories.VerdictFactory(solution=solution, labeler=judge, first_error=-1)
        decisions.refresh(project=problem.project, solutions=[solution])
        assert Decision.objects.get(solution=solution).state == "consensus"
        made = corrected(problem, adjudicator)
        assert Decision.objects.get(solution=solution).state == "disputed"
        (one,) = made.report["decisions"]
        assert (one["before"], one["after"]) == (["consensus", -1], ["disputed", None])
        assert Verdict.objects.get(labeler=judge).first_error == -1

    def test_other_problems_are_not_touched(self, project, problem, adjudicator):
        other = solved(factories.ProblemFactory(project=project, answer="4"), "4")
        solved(problem, "4")
        corrected(problem, adjudicator)
        other.refresh_from_db()
        assert other.final_answer_correct is True

    def test_older_snapshots_say_so(self, problem, adjudicator, client):
        factories.SnapshotFactory(
            project=problem.project, frozen_at=NOW, content_hash="c", folder="f"
        )
        solved(problem, "4")
        made = asked(problem, adjudicator)
        answer_corrections.confirm(by=adjudicator, correction=made, now=NOW)
        correcting.carry_out(by=adjudicator, uid=made.uid)  # by the clock: later
        client.force_login(adjudicator)
        page = client.get(reverse("data", args=[problem.project.uid])).content.decode()
        assert "older than 1 corrected answer" in page


class TestAsking:
    @pytest.mark.parametrize(
        ("answer", "reason", "words"),
        [(" ", "r", "right answer"), ("5", " ", "say why"), ("4", "r", "already")],
    )
    def test_it_needs_another_answer_and_a_reason(
        self, answer, reason, words, problem, adjudicator
    ):
        with pytest.raises(Invalid, match=words):
            answer_corrections.propose(
                by=adjudicator, problem=problem, answer=answer, reason=reason
            )

    def test_one_at_a_time(self, problem, adjudicator, manager):
        made = asked(problem, adjudicator)
        with pytest.raises(answer_corrections.NotNow, match="under way"):
            asked(problem, manager, "6")
        answer_corrections.drop(by=adjudicator, correction=made)
        assert asked(problem, manager, "6").state == "counted"

    def test_what_is_not_counted_cannot_be_confirmed_and_what_is_done_not_dropped(
        self, problem, adjudicator
    ):
        made = answer_corrections.propose(by=adjudicator, problem=problem, answer="5", reason="sum")
        with pytest.raises(answer_corrections.NotNow):
            answer_corrections.confirm(by=adjudicator, correction=made, now=NOW)
        correcting.carry_out(by=adjudicator, uid=made.uid)
        answer_corrections.confirm(by=adjudicator, correction=made, now=NOW)
        correcting.carry_out(by=adjudicator, uid=made.uid)
        with pytest.raises(answer_corrections.NotNow):
            answer_corrections.drop(by=adjudicator, correction=made)

    def test_answers_that_come_in_after_the_count_are_graded_too(self, problem, adjudicator):
        made = asked(problem, adjudicator)
        late = solved(problem, "5.0")
        answer_corrections.confirm(by=adjudicator, correction=made, now=NOW)
        assert answer_corrections.apply(by=adjudicator, correction=made, now=NOW) is False
        correcting.carry_out(by=adjudicator, uid=made.uid)
        late.refresh_from_db()
        assert late.final_answer_correct is True

    def test_a_worker_killed_in_the_middle_leaves_nothing_half_done(
        self, problem, adjudicator, monkeypatch
    ):
        solution = solved(problem, "4")
        estimated(solution, [["4", "4"], ["4", "4"]])
        made = asked(problem, adjudicator)
        answer_corrections.confirm(by=adjudicator, correction=made, now=NOW)

        class Killed(BaseException):
            pass

        def die(**_):
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(decisions, "refresh", die)
            with pytest.raises(Killed):
                correcting.carry_out(by=adjudicator, uid=made.uid)
        problem.refresh_from_db()
        solution.refresh_from_db()
        assert (problem.answer, solution.final_answer_correct) == ("4", True)
        assert mc_of(solution).first_error == -1
        correcting.carry_out(by=adjudicator, uid=made.uid)  # the sweeper rang again
        problem.refresh_from_db()
        assert problem.answer == "5"

    def test_a_second_bell_changes_nothing_more(self, problem, adjudicator):
        solved(problem, "4")
        made = corrected(problem, adjudicator)
        correcting.carry_out(by=adjudicator, uid=made.uid)
        assert Event.objects.filter(action="answer corrected").count() == 1


class TestRaces:
    def test_an_estimate_against_the_old_answer_that_comes_late_is_dropped(
        self, problem, adjudicator
    ):
        solution = solved(problem, "5")
        corrected(problem, adjudicator)
        labeler = estimated(solution, [["4", "4"], ["4", "4"]])
        assert mc_of(solution) is None
        row = NewVerdict(solution.pk, VerdictState.SCORED, -1, against="5")
        assert verdicts.record(by=adjudicator, labeler=labeler, verdicts=[row]) == 1

    def test_solutions_graded_by_the_old_answer_that_come_late_are_dropped(
        self, problem, adjudicator
    ):
        corrected(problem, adjudicator)
        run = factories.RunFactory(project=problem.project, kind="generate", labeler=None)
        sample = samplings.NewSolution(["a"], [], "4", True, {})
        drawn = samplings.Drawn(problem.pk, [sample], against="4")
        assert samplings.record(by=adjudicator, run=run, drawn=[drawn]) == 0
        assert not Sampling.objects.exists()
        drawn = samplings.Drawn(problem.pk, [sample], against="5")
        assert samplings.record(by=adjudicator, run=run, drawn=[drawn]) == 1

    @pytest.mark.django_db(transaction=True)
    def test_an_estimate_that_is_being_stored_is_waited_for_and_recomputed(
        self, problem, adjudicator
    ):
        solution = solved(problem, "5")
        made = asked(problem, adjudicator)
        answer_corrections.confirm(by=adjudicator, correction=made, now=NOW)
        stored, go_on = Signal(), Signal()

        def deliver():
            with transaction.atomic():
                estimated(solution, [["4", "4"], ["4", "4"]])
                stored.set()
                go_on.wait(10)
            connection.close()

        def correct():
            correcting.carry_out(by=adjudicator, uid=made.uid)
            connection.close()

        worker, corrector = Thread(target=deliver), Thread(target=correct)
        worker.start()
        stored.wait(10)
        corrector.start()
        corrector.join(0.5)
        assert corrector.is_alive()  # it waits for the worker's lock
        go_on.set()
        worker.join()
        corrector.join(20)
        assert Problem.objects.get().answer == "5"
        # nothing after step 1 reaches 5
        assert mc_of(solution).first_error == 0
        assert not Rollout.objects.filter(correct=True).exists()


class TestPages:
    def test_from_the_solution_to_what_changed(self, problem, adjudicator, client):
        solution = solved(problem, "4")
        client.force_login(adjudicator)
        uid = problem.project.uid
        address = reverse("correct_answer", args=[uid, solution.uid])
        refused = client.post(address, {"answer": "5", "reason": ""})
        assert refused.status_code == 400
        assert b"data-open-now" in refused.content
        assert b'value="5"' in refused.content
        shown = client.post(address, {"answer": "5", "reason": "2 + 3"}, follow=True)
        assert b"hx-get" in shown.content
        made = problem.corrections.get()
        correcting.carry_out(by=adjudicator, uid=made.uid)
        page = reverse("correction", args=[uid, made.uid])
        counted = client.get(page, headers={"HX-Request": "true"})
        assert b"<html" not in counted.content
        assert b"hx-get" not in counted.content
        assert b"Nothing has changed yet" in counted.content
        client.post(reverse("move_correction", args=[uid, made.uid, "confirm"]))
        correcting.carry_out(by=adjudicator, uid=made.uid)
        assert b"This is what has changed" in client.get(page).content
        solution_page = client.get(reverse("solution", args=[uid, solution.uid])).content.decode()
        assert f"was 4, corrected by {adjudicator.username}" in solution_page

    def test_who_labels_a_solution_of_the_problem_sees_no_effects(
        self, problem, adjudicator, manager, client
    ):
        solution = solved(problem, "4")
        made = corrected(problem, manager)
        factories.AssignmentFactory(solution=solution, user=adjudicator)
        client.force_login(adjudicator)
        page = client.get(reverse("correction", args=[problem.project.uid, made.uid]))
        assert solution.uid not in page.content.decode()
        address = reverse("correct_answer", args=[problem.project.uid, solution.uid])
        answer = client.post(address, {"answer": "6", "reason": "r"})
        assert b"submit your own label first" in answer.content
