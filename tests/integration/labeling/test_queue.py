"""Why a person gets which solution: exam, hidden gold, audit, what is wanted most."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from labeling.domain.assignments import Purpose, SkipReason
from labeling.domain.labels import LabelerKind, VerdictState
from labeling.models import Assignment, Decision, Verdict
from labeling.selectors import exams
from labeling.selectors.corrections import Settled
from labeling.services import adjudications, assignments, decisions, projects, verdicts
from labeling.services.assignments import candidates
from tests import factories

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
KEY = 1


def make(project, state="disputed", **values):
    solution = factories.SolutionFactory(problem__project=project)
    if state == "consensus":
        values.setdefault("first_error", -1)
    Decision.objects.filter(solution=solution).update(state=state, **values)
    return solution


def gold(project, adjudicator, use="hidden", **values):
    solution = factories.SolutionFactory(problem__project=project)
    adjudications.submit(
        by=adjudicator, solution=solution, key=uuid4(), first_error=KEY, reason="step 2 is wrong"
    )
    factories.GoldItemFactory(solution=solution, use=use, added_by=adjudicator, **values)
    return solution


def policy(project, **changes):
    changed = projects.change_policy(by=project.created_by, project=project, **changes)
    project.refresh_from_db()
    return changed


def lease(user, project):
    return assignments.lease_next(by=user, project=project, now=NOW)


def submit(item, labels=(1, -1, None)):
    return assignments.submit(
        by=item.user, uid=item.uid, key=uuid4(), draft={"labels": list(labels)},
        active_seconds=9, now=NOW,
    )  # fmt: skip


def skip(item, code=SkipReason.TOO_LONG):
    assignments.skip(by=item.user, uid=item.uid, code=code, now=NOW)


def work(user, project, limit=50):
    """Label until nothing is left; return the items in their order."""
    items = []
    while len(items) < limit and (item := lease(user, project)):
        submit(item)
        items.append(item)
    return items


@pytest.fixture
def exam(project, adjudicator):
    policy(project, exam_items=2)
    return [gold(project, adjudicator, "exam") for _ in range(3)]


def test_the_exam_comes_first_and_the_work_once_it_is_passed(exam, project, annotator):
    disputed = make(project)
    items = work(annotator, project)
    assert [item.purpose for item in items] == ["exam", "exam", "label"]
    assert items[-1].solution == disputed
    assert exams.standing(annotator, project).passed


def test_who_fails_the_exam_gets_nothing(exam, project, annotator):
    make(project)
    for _ in range(2):
        submit(lease(annotator, project), (1, 1, 1))
    assert exams.standing(annotator, project).failed
    assert lease(annotator, project) is None


def test_a_skipped_exam_item_is_answered_and_not_right(exam, project, annotator):
    submit(lease(annotator, project))
    skip(lease(annotator, project))
    standing = exams.standing(annotator, project)
    assert (standing.answered, standing.right, standing.failed) == (2, 1, True)


def test_nothing_follows_the_last_exam_item_before_it_is_answered(exam, project, annotator):
    make(project)
    submit(lease(annotator, project))
    last = lease(annotator, project)
    following = assignments.lease_ahead(by=annotator, project=project, uid=last.uid, now=NOW)
    assert (last.purpose, following) == ("exam", None)


def test_only_annotators_sit_the_exam(exam, project, adjudicator):
    make(project)
    assert lease(adjudicator, project).purpose == "label"


def test_an_exam_asks_for_no_more_items_than_there_are(exam, project, annotator):
    policy(project, exam_items=9)
    assert exams.standing(annotator, project).required == 3


def test_without_exam_items_there_is_no_exam(project, annotator):
    policy(project, exam_items=5)
    make(project)
    assert lease(annotator, project).purpose == "label"


def test_an_item_without_a_key_or_retired_tests_nobody(project, adjudicator, annotator):
    policy(project, exam_items=5)
    factories.GoldItemFactory(solution=make(project), use="exam", added_by=adjudicator)
    gold(project, adjudicator, "exam", active=False)
    assert exams.standing(annotator, project).required == 0


def test_exam_answers_are_corrected_until_the_exam_is_over(exam, project, annotator):
    first = lease(annotator, project)
    submit(first, (1, 1, 1))
    correct(first)
    assert exams.standing(annotator, project).right == 1
    submit(lease(annotator, project))
    with pytest.raises(Settled):
        correct(first, version=2)


def correct(item, version=1):
    assignments.correct(
        by=item.user, uid=item.uid, key=uuid4(), version=version, draft={"labels": [1, -1, None]},
        active_seconds=9,
    )  # fmt: skip


def test_an_exam_is_not_reopened_by_taking_a_skip_back(exam, project, annotator):
    skipped = lease(annotator, project)
    skip(skipped)
    submit(lease(annotator, project))
    with pytest.raises(assignments.NotSkipped):
        assignments.unskip(by=annotator, uid=skipped.uid, now=NOW)


def test_people_sit_the_exam_in_different_orders(project, adjudicator):
    policy(project, exam_items=6)
    for _ in range(6):
        gold(project, adjudicator, "exam")
    orders = {tuple(item.solution_id for item in work(member(project), project)) for _ in range(4)}
    assert len(orders) > 1


def member(project, role="annotator"):
    return factories.MembershipFactory(project=project, role=role).user


def test_hidden_gold_comes_once_to_each_person_among_the_rest(project, adjudicator, annotator):
    policy(project, gold_share=0.5)
    hidden = {gold(project, adjudicator).pk for _ in range(3)}
    for _ in range(20):
        make(project)
    items = work(annotator, project)
    found = [item.solution_id for item in items if item.purpose == "gold"]
    assert (len(found), set(found)) == (3, hidden)
    assert len(items) == 23
    assert Verdict.objects.filter(labeler__user=annotator).count() == 23


def test_gold_is_given_to_everybody_whatever_the_overlap(project, adjudicator):
    policy(project, gold_share=0.5)
    solution = gold(project, adjudicator)
    for _ in range(60):
        make(project)
    people = [member(project) for _ in range(3)]
    had = [work(person, project, limit=15) for person in people]
    assert all(solution.pk in [item.solution_id for item in items] for items in had)


def test_what_people_say_of_gold_changes_no_decision(project, adjudicator, annotator):
    policy(project, gold_share=0.5)
    solution = gold(project, adjudicator)
    make(project)
    for item in iter(lambda: lease(annotator, project), None):
        submit(item, (-1, None, None))
    assert Decision.objects.get(solution=solution).first_error == KEY


def test_the_audit_draws_every_consensus_alike(project, annotator):
    solutions = []
    for number in range(8):
        solutions.append(make(project, "consensus"))
        if number == 3:  # a gap between the ids: the one behind it must not be drawn more often
            for _ in range(12):
                make(project, "discarded")
    draws = Counter(
        next(candidates.of_the_consensus(annotator, project, NOW, seed)) for seed in range(400)
    )
    # 400 draws from 8: 50 each, five standard deviations are 5 * sqrt(400 * 1/8 * 7/8) = 33
    assert set(draws) == {solution.pk for solution in solutions}
    assert all(abs(count - 50) <= 33 for count in draws.values())


def test_an_audited_consensus_is_decided_by_people(project, annotator):
    policy(project, audit_share=1.0)
    solution = make(project, "consensus")
    item = lease(annotator, project)
    assert (item.solution, item.purpose) == (solution, "audit")
    submit(item)
    assert Decision.objects.get(solution=solution).first_error == KEY


def test_without_a_consensus_to_audit_disputes_are_labeled(project, annotator):
    policy(project, audit_share=1.0)
    make(project)
    assert lease(annotator, project).purpose == "label"


def test_the_audit_finds_the_only_consensus_far_from_the_drawn_ids(project, annotator, adjudicator):
    policy(project, audit_share=1.0)
    found = make(project, "consensus")
    assert lease(annotator, project).solution == found
    assert lease(adjudicator, project) is None


def test_too_many_who_give_up_end_the_search(project):
    solution = make(project)
    people = [member(project) for _ in range(4)]
    for person in people[:3]:  # overlap 1, and two more
        skip(lease(person, project), SkipReason.GIVE_UP)
    assert lease(people[3], project) is None
    item = Assignment.objects.get(user=people[0])
    assignments.unskip(by=people[0], uid=item.uid, now=NOW)
    assert Decision.objects.get(solution=solution).gave_up == 2


def test_other_skips_do_not_count_as_giving_up(project):
    make(project)
    for _ in range(6):
        item = lease(member(project), project)
        skip(item)
    assert Decision.objects.get().gave_up == 0


def test_the_overlap_is_shared_by_different_people(project, annotator):
    policy(project, human_overlap=2)
    solution = make(project, places=2)
    first, second = lease(annotator, project), lease(member(project), project)
    assert first.solution == second.solution == solution
    assert lease(member(project), project) is None
    submit(first)
    assert Decision.objects.get().places == 1
    assert lease(member(project), project) is None
    submit(second)
    assert Decision.objects.get().places == 0


def test_a_lowered_overlap_holds_before_decisions_are_recomputed(project, annotator):
    policy(project, human_overlap=3)
    solution = make(project, places=3)
    submit(lease(annotator, project))
    policy(project, human_overlap=1)
    assert lease(member(project), project) is None
    assert Decision.objects.get(solution=solution).places == 0


def test_a_raised_overlap_opens_places_before_decisions_are_recomputed(
    project, annotator, adjudicator
):
    policy(project, human_overlap=2)
    labeled, decided, untouched = (disputed(project) for _ in range(3))
    submit(lease(annotator, project))
    assert lease(member(project), project).solution == labeled  # its last place is held
    adjudications.submit(
        by=adjudicator, solution=decided, key=uuid4(), first_error=-1, reason="looked at it"
    )
    policy(project, human_overlap=3)
    found = {s: Decision.objects.get(solution=s).places for s in (labeled, decided)}
    assert found == {labeled: 2, decided: 0}
    assert lease(member(project), project).solution == labeled
    decisions.recompute(by=project.created_by, project=project)
    assert {s: Decision.objects.get(solution=s).places for s in found} == found
    assert Decision.objects.get(solution=untouched).places == 3


def test_the_champions_doubt_moves_a_dispute_forward(project, annotator):
    prm = factories.PRMFactory(
        training_run__project=project, project=project, champion=True,
        promoted_at=NOW, promoted_by=project.created_by,
    )  # fmt: skip
    champion = labeler(project, LabelerKind.PRM, {"prm": prm.uid})
    other = labeler(project, LabelerKind.PRM, {"prm": "another"})
    sure, torn = disputed(project), disputed(project)
    score(champion, sure, [0.99, 0.99, 0.99])
    score(other, sure, [0.5, 0.5, 0.5])
    score(champion, torn, [0.5, 0.5, 0.5])
    priorities = [Decision.objects.get(solution=s).priority for s in (sure, torn)]
    # entropy of (.01, .0099, .0098, .9703): 0.167 of ln 4 = 1.386; of (1/2, 1/4, 1/8, 1/8): 1.213
    assert priorities == [41, 48]
    assert lease(annotator, project).solution == torn


def labeler(project, kind, config):
    return factories.LabelerFactory(project=project, kind=kind, config=config)


def disputed(project):
    solution = factories.SolutionFactory(problem__project=project)
    for kind, first_error in ((LabelerKind.MC, -1), (LabelerKind.JUDGE, 1)):
        made = labeler(project, kind, {"of": solution.uid})
        new = verdicts.NewVerdict(solution.pk, VerdictState.SCORED, first_error)
        verdicts.record(by=project.created_by, labeler=made, verdicts=[new])
    return solution


def score(made, solution, scores):
    new = verdicts.NewVerdict(solution.pk, VerdictState.SCORED, -1, fields={"step_scores": scores})
    verdicts.record(by=made.project.created_by, labeler=made, verdicts=[new])


def test_places_are_recomputed_with_the_decisions(project, annotator):
    policy(project, human_overlap=3)
    make(project, places=3)
    submit(lease(annotator, project))
    policy(project, human_overlap=2)
    decisions.recompute(by=project.created_by, project=project)
    assert Decision.objects.get().places == 1


def test_the_purposes_are_those_of_the_assignments(project, annotator):
    make(project)
    assert Purpose(lease(annotator, project).purpose) is Purpose.LABEL
