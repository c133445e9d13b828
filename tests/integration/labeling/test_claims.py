"""Leases of work and the races around them, with real concurrent transactions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from django.db import connection

from labeling.domain.labels import LabelerKind, VerdictState
from labeling.models import Decision, Run, Verdict
from labeling.services import assignments, claims, labelers, runs, verdicts
from tests import factories

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
THREADS = 6


def make_run(solutions: int) -> Run:
    run = factories.RunFactory(config={"model": "m"})
    for _ in range(solutions):
        factories.SolutionFactory(problem__project=run.project)
    return run


def lease(run: Run, size: int, now: datetime = NOW, token: UUID | None = None) -> list[int]:
    return list(claims.claim(run=run, token=token or uuid4(), size=size, now=now).items)


def together(work, count=THREADS):
    """Run `work(number)` in `count` threads that start at the same moment."""
    barrier = Barrier(count)

    def one(number):
        try:
            barrier.wait()
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


@pytest.mark.django_db(transaction=True)
def test_concurrent_workers_never_lease_the_same_solution():
    run = make_run(60)
    leased = together(lambda _: lease(run, 10))
    items = [item for chunk in leased for item in chunk]
    assert len(items) == len(set(items))
    # what SKIP LOCKED left out of one worker's chunk is there for the next call
    rest = lease(run, 60)
    assert sorted(items + rest) == sorted(run.project.solutions.values_list("pk", flat=True))


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["mc", "generate"])
def test_what_is_left_is_found_however_far_it_lies(kind, monkeypatch):
    monkeypatch.setattr(claims, "NEAR", 2)
    own = {"labeler": None, "project": factories.ProjectFactory()}
    made = {"kind": kind, **own} if kind == "generate" else {}
    run = factories.RunFactory(config={"model": "m"}, **made)
    for _ in range(20):
        factories.ProblemFactory(project=factories.ProjectFactory())  # another project's
    problem = factories.ProblemFactory(project=run.project)
    item = problem if made else factories.SolutionFactory(problem=problem)
    assert lease(run, 3) == [item.pk]
    assert lease(run, 3) == []  # it is leased
    assert lease(run, 3, now=NOW + timedelta(hours=1)) == [item.pk]


@pytest.mark.django_db(transaction=True)
def test_mc_and_judge_that_finish_together_always_reach_a_decision():
    run = make_run(12)
    project, ids = run.project, list(run.project.solutions.values_list("pk", flat=True))
    pair = [
        labelers.register(by=project.created_by, project=project, kind=k, name=k, config={"k": k})
        for k in (LabelerKind.MC, LabelerKind.JUDGE)
    ]
    for pk in ids:
        new = [verdicts.NewVerdict(pk, VerdictState.SCORED, 1)]
        together(
            lambda n, new=new: verdicts.record(
                by=project.created_by, labeler=pair[n], verdicts=new
            ),
            count=2,
        )
    states = set(Decision.objects.filter(project=project).values_list("state", flat=True))
    assert states == {"consensus"}


@pytest.mark.django_db(transaction=True)
def test_the_same_verdict_delivered_by_several_workers_is_stored_once():
    run = make_run(5)
    ids = list(run.project.solutions.values_list("pk", flat=True))
    new = [
        verdicts.NewVerdict(
            pk, VerdictState.SCORED, -1,
            rollouts=[verdicts.NewRollout(0, 0, "Answer: 4", "4", True, "stop")],
        )
        for pk in ids
    ]  # fmt: skip
    stored = together(
        lambda _: verdicts.record(by=run.created_by, labeler=run.labeler, verdicts=new)
    )
    assert sum(stored) == 5
    assert Verdict.objects.filter(labeler=run.labeler).count() == 5
    assert run.labeler.rollouts.count() == 5


@pytest.mark.django_db
def test_of_a_solution_twice_in_one_delivery_the_first_verdict_stands():
    run = make_run(2)
    ids = list(run.project.solutions.order_by("pk").values_list("pk", flat=True))
    new = [
        verdicts.NewVerdict(pk, VerdictState.SCORED, error)
        for pk, error in [(ids[0], 1), (ids[1], -1), (ids[0], -1)]
    ]
    assert verdicts.record(by=run.created_by, labeler=run.labeler, verdicts=new) == 2
    assert list(Verdict.objects.order_by("solution").values_list("solution", "first_error")) == [
        (ids[0], 1),
        (ids[1], -1),
    ]


@pytest.mark.django_db(transaction=True)
def test_concurrent_annotators_get_different_items():
    project = factories.ProjectFactory()
    for _ in range(THREADS):
        solution = factories.SolutionFactory(problem__project=project)
        Decision.objects.filter(solution=solution).update(state="disputed")
    people = [factories.MembershipFactory(project=project).user for _ in range(THREADS)]
    got = together(
        lambda n: assignments.lease_next(by=people[n], project=project, now=NOW).solution_id
    )
    assert len(set(got)) == THREADS


@pytest.mark.django_db(transaction=True)
def test_a_submit_repeated_while_the_first_is_under_way_is_one_verdict():
    solution = factories.SolutionFactory()
    Decision.objects.filter(solution=solution).update(state="disputed")
    person, key = factories.MembershipFactory(project=solution.project).user, uuid4()
    item = assignments.lease_next(by=person, project=solution.project, now=NOW)
    draft = {"labels": [1, 1, 1]}
    got = together(
        lambda _: (
            assignments.submit(
                by=person, uid=item.uid, key=key, draft=draft, active_seconds=3, now=NOW
            ).pk
        )
    )
    assert len(set(got)) == 1
    assert Verdict.objects.count() == 1


@pytest.mark.django_db
def test_an_expired_lease_is_anyones_again_and_a_live_one_is_not():
    run = make_run(3)
    assert len(lease(run, 9)) == 3
    assert lease(run, 9) == []
    late = NOW + claims.LEASE + timedelta(seconds=1)
    assert len(lease(run, 9, late)) == 3


@pytest.mark.django_db
def test_a_worker_is_given_what_others_have_not_leased():
    run = make_run(4)
    chunks = [lease(run, 2) for _ in range(3)]
    assert [len(chunk) for chunk in chunks] == [2, 2, 0]
    assert not set(chunks[0]) & set(chunks[1])


@pytest.mark.django_db
def test_a_renewed_lease_lives_on_and_a_released_one_ends():
    run = make_run(2)
    token = uuid4()
    lease(run, 9, token=token)
    later = NOW + claims.LEASE - timedelta(seconds=1)
    assert claims.renew(token=token, now=later) == 2
    assert lease(run, 9, NOW + claims.LEASE) == []
    assert claims.release(token=token) == 2
    assert len(lease(run, 9, later)) == 2


@pytest.mark.django_db
def test_labeled_solutions_are_not_leased_and_the_run_settles_when_none_is_left():
    run = make_run(2)
    first, second = run.project.solutions.order_by("pk")
    factories.VerdictFactory(solution=first, labeler=run.labeler)
    assert lease(run, 9) == [second.pk]
    assert not runs.settle(by=run.created_by, run=run, now=NOW)
    factories.VerdictFactory(solution=second, labeler=run.labeler)
    assert runs.settle(by=run.created_by, run=run, now=NOW)
    run.refresh_from_db()
    assert (run.state, run.finished_at) == ("done", NOW)


@pytest.mark.django_db
def test_a_paused_run_hands_out_no_work_until_it_is_resumed():
    run = make_run(2)
    runs.pause(by=run.created_by, run=run)
    assert lease(run, 9) == []
    with pytest.raises(runs.WrongState, match="paused cannot be paused"):
        runs.pause(by=run.created_by, run=run)
    runs.resume(by=run.created_by, run=run)
    assert len(lease(run, 9)) == 2


@pytest.mark.django_db
def test_an_engine_that_keeps_failing_lets_the_run_rest_longer_and_at_last_fail():
    run, now, rests = make_run(1), NOW, []
    for _ in range(runs.GIVE_UP_AFTER - 1):
        for _ in range(3):  # workers that fail together count once
            runs.stumbled(by=run.created_by, run=run, reason="refused at :9", now=now)
        run.refresh_from_db()
        rests.append((run.retry_at - now).total_seconds())
        assert lease(run, 9, now) == []
        now = run.retry_at
    assert rests == [5, 10, 20, 40, 80, 160, 300, 300, 300, 300, 300]
    assert len(lease(run, 9, now)) == 1
    runs.stumbled(by=run.created_by, run=run, reason="refused at :9", now=now)
    run.refresh_from_db()
    assert (run.state, run.reason) == ("failed", "refused at :9")
    assert runs.resume(by=run.created_by, run=run).failures == 0


@pytest.mark.django_db
def test_what_only_a_person_can_mend_fails_the_run_at_once():
    run = make_run(1)
    runs.stumbled(by=run.created_by, run=run, reason="wrong key", now=NOW, hopeless=True)
    run.refresh_from_db()
    assert (run.state, run.reason, run.retry_at) == ("failed", "wrong key", None)


@pytest.mark.django_db
def test_the_solutions_of_a_problem_are_leased_together():
    run = make_run(0)
    problems = [factories.ProblemFactory(project=run.project) for _ in range(3)]
    by_problem = [
        [factories.SolutionFactory(problem=problem).pk for _ in range(4)] for problem in problems
    ]
    assert lease(run, 1) == by_problem[0]
    assert lease(run, 5) == by_problem[1] + by_problem[2]


@pytest.mark.django_db
def test_a_worker_asks_for_what_comes_after_its_last_lease():
    run = make_run(4)
    problems = list(run.project.solutions.order_by("pk").values_list("problem", flat=True))
    first = claims.claim(run=run, token=uuid4(), size=2, now=NOW)
    assert first.last == problems[1]
    late = NOW + claims.LEASE
    after = claims.claim(run=run, token=uuid4(), size=9, now=late, after=first.last)
    assert (len(after.items), after.last) == (2, problems[3])
    assert set(after.items).isdisjoint(first.items)
    nothing = claims.claim(run=run, token=uuid4(), size=9, now=late, after=after.last)
    assert (nothing.items, nothing.last) == ((), after.last)


@pytest.mark.django_db
def test_items_that_are_done_are_given_back_one_by_one():
    run, token = make_run(3), uuid4()
    items = lease(run, 9, token=token)
    assert claims.release(token=token, items=items[:1]) == 1
    assert lease(run, 9) == items[:1]  # its verdict was not stored after all


@pytest.mark.django_db
def test_estimation_with_a_judge_waits_for_the_judges_word_solution_by_solution():
    run = make_run(3)
    judge = factories.LabelerFactory(project=run.project, kind="judge")
    run.config = {"judge": judge.uid}
    assert lease(run, 9) == []
    solutions = list(run.project.solutions.order_by("pk"))
    factories.VerdictFactory(solution=solutions[1], labeler=judge)
    factories.VerdictFactory(
        solution=solutions[2], labeler=judge, state="unscored", first_error=None, reason="mute"
    )
    assert lease(run, 9) == [solutions[1].pk, solutions[2].pk]
    assert claims.pending(run=run) == 3
    assert claims.is_anything_left(run=run)


@pytest.mark.django_db
def test_other_runs_wait_only_where_their_queue_is_served_and_nobody_works_on_them():
    run, other = make_run(1), make_run(1)
    assert not runs.others_wait(run=run, now=NOW)  # nobody serves the other's queue either
    factories.QueuePresenceFactory(queue="mc", seen_at=NOW)
    assert runs.others_wait(run=run, now=NOW)
    factories.ClaimFactory(run=other, expires_at=NOW + timedelta(seconds=9))
    assert not runs.others_wait(run=run, now=NOW)


@pytest.mark.django_db
def test_progress_forgives_earlier_failures():
    run = make_run(1)
    runs.stumbled(by=run.created_by, run=run, reason="timeout", now=NOW)
    runs.progressed(run=run, seconds=2.5, now=NOW)
    run.refresh_from_db()
    assert (run.failures, run.reason, run.seconds) == (0, "", 2.5)


@pytest.mark.django_db
def test_workers_that_label_at_the_same_moment_take_the_machines_time_once():
    run = make_run(1)
    runs.progressed(run=run, seconds=10, now=NOW)
    runs.progressed(run=run, seconds=10, now=NOW + timedelta(seconds=4))  # six of them together
    runs.progressed(run=run, seconds=3, now=NOW + timedelta(seconds=60))  # after a rest
    runs.progressed(run=run, seconds=5, now=NOW + timedelta(seconds=59))  # a clock that lags
    run.refresh_from_db()
    assert run.seconds == 17


@pytest.mark.django_db
def test_the_same_run_is_not_started_twice():
    run = make_run(1)
    again = runs.start(
        by=run.created_by, project=run.project, kind="mc", config=run.config, labeler=run.labeler
    )
    assert again.pk == run.pk
