"""Numbers about people equal a recount in plain Python, and each leads to its items."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from statistics import median

import pytest
from django.db import connection
from django.utils import timezone

from labeling.domain.quality import Against, Outcome, Pace, outcome
from labeling.domain.statistics.intervals import Proportion
from labeling.models import Assignment, Verdict
from labeling.selectors import accuracy, people, person_items
from labeling.selectors.person_items import Doing, Wanted
from labeling.services import labelers
from tests import factories
from tests.answers import answered, keyed, skipped, solution_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def three(project):
    return [factories.MembershipFactory(project=project).user for _ in range(3)]


@pytest.fixture
def worked(project, three, adjudicator):
    """Three people on 60 solutions by lot: some keyed, some tests, some seen, some rejected."""
    lot = random.Random(11)
    for number in range(60):
        solution = solution_of(project, number)
        key = lot.randint(-1, 3)
        purpose = lot.choice(["label", "label", "audit", "gold", "exam"])
        if lot.random() < 0.7:
            keyed(solution, adjudicator, key)
        for user in three:
            if lot.random() < 0.2:
                skipped(user, solution, lot.choice(["give_up", "known"]))
            elif lot.random() < 0.8:
                said = lot.choice([key, key, lot.randint(-1, 3), None])
                answered(
                    user, solution, said, purpose=purpose,
                    seconds=lot.choice([0.5, 3, 20, 90.5]),
                    informed=lot.random() < 0.1,
                    comments={"steps": lot.choice([{}, {"0": "hm"}]), "solution": ""},
                )  # fmt: skip
    return project


def verdict_of(item):
    return Verdict.objects.filter(
        solution=item.solution, labeler__user=item.user, labeler__kind="human"
    ).first()


def key_of(item):
    return Verdict.objects.filter(
        solution=item.solution, labeler__kind="adjudicator", state="scored"
    ).first()


def recounted(user):
    """What accuracy.accuracies should say, item by item."""
    found = {against: Counter() for against in Against}
    for item in Assignment.objects.filter(user=user, submitted_at__isnull=False):
        own, key = verdict_of(item), key_of(item)
        if key is None or own.informed:
            continue
        against = {"exam": Against.EXAM, "gold": Against.GOLD}.get(
            item.purpose, Against.ADJUDICATION
        )
        cell = None if own.first_error is None else (own.first_error, key.first_error)
        found[against][cell] += 1
    return found


def test_accuracy_equals_a_recount(worked, three):
    found = accuracy.accuracies(worked)
    for user in three:
        for against, cells in recounted(user).items():
            told = found[user.pk][against]
            rejected = cells.pop(None, 0)
            assert (dict(told.first_errors.cells), told.rejected) == (dict(cells), rejected)
    compared = [sum(found[user.pk][against].exact.whole for user in three) for against in Against]
    assert min(compared) > 5


def test_one_person_has_the_same_numbers_as_in_the_table(worked, three):
    table = {person.user_id: person for person in people.people(worked)}
    for user in three:
        assert people.person(worked, user) == table[user.pk]


def test_agreement_equals_a_recount_and_tests_stay_out(worked, three):
    pairs = {user.pk: Counter() for user in three}
    for item in Assignment.objects.filter(purpose__in=["label", "audit"]):
        others = Assignment.objects.filter(solution=item.solution, submitted_at__isnull=False)
        own = verdict_of(item)
        if own is None or own.state != "scored" or own.informed:
            continue
        for other in others.exclude(user=item.user):
            said = verdict_of(other)
            if said.state == "scored" and not said.informed:
                pairs[item.user_id][own.first_error, said.first_error] += 1
    found = accuracy.agreements(worked)
    assert {pk: dict(found[pk].cells) for pk in pairs} == {pk: dict(c) for pk, c in pairs.items()}
    assert sum(found[three[0].pk].cells.values()) > 5


def test_pace_equals_a_recount(worked, three):
    for user in three:
        items = Assignment.objects.filter(user=user)
        submitted = [item for item in items if item.submitted_at]
        timed = [i for i in submitted if any(x is not None for x in verdict_of(i).step_labels)]
        judged = {i: sum(x is not None for x in verdict_of(i).step_labels) for i in timed}
        told = accuracy.paces(worked)[user.pk]
        assert told == Pace(
            submitted=len(submitted),
            rejected=sum(verdict_of(i).state == "rejected" for i in submitted),
            skipped=sum(i.skipped_at is not None for i in items),
            given_up=sum(i.skip_code == "give_up" for i in items),
            noted=sum(bool(verdict_of(i).comments["steps"]) for i in submitted),
            median_item=median(i.active_seconds for i in timed),
            median_step=pytest.approx(median(i.active_seconds / judged[i] for i in timed)),
            timed=len(timed),
            too_fast=sum(i.active_seconds < judged[i] for i in timed),  # 1 s per step by default
        )
        assert told.too_fast > 0


def test_every_number_leads_to_as_many_items(worked, three):
    for person in people.people(worked):
        user = next((u for u in three if u.pk == person.user_id), None)
        if user is None:
            continue

        def total(user=user, **wanted):
            return person_items.items_of(worked, user, Wanted(**wanted)).total

        for against in Against:
            compared = person.accuracy[against]
            assert total(against=against) == compared.exact.whole
            for kind, n in compared.outcomes.items():
                assert total(against=against, outcome=kind) == n
        pace = person.pace
        assert total() == pace.taken
        assert total(doing=Doing.SUBMITTED) == pace.submitted
        assert total(doing=Doing.FAST) == pace.too_fast
        assert total(doing=Doing.SKIPPED) == pace.skipped
        assert total(doing=Doing.GAVE_UP) == pace.given_up
        assert total(doing=Doing.REPORTED) == pace.rejected
        assert total(doing=Doing.NOTED) == pace.noted
        assert total(doing=Doing.DIFFERED) <= total(doing=Doing.SHARED) <= person.agreement.n


def test_an_item_of_the_list_tells_its_own_outcome(worked, three):
    listed = person_items.items_of(worked, three[0], Wanted(against=Against.GOLD))
    assert listed.rows
    for row in listed.rows:
        assert row.outcome is outcome(row.said, row.key)
    assert {row.outcome for row in listed.rows} > {Outcome.EXACT}


def test_nobody_is_measured_by_their_own_adjudication(project, adjudicator):
    solution = solution_of(project)
    keyed(solution, adjudicator, 2)
    answered(adjudicator, solution, 2)
    assert accuracy.accuracies(project) == {}
    (row,) = person_items.items_of(project, adjudicator, Wanted()).rows
    assert row.key is None


def test_the_latest_adjudication_is_the_key(project, annotator, adjudicator, manager):
    solution = solution_of(project)
    keyed(solution, adjudicator, 2)
    keyed(solution, manager, 1)
    answered(annotator, solution, 1)
    found = accuracy.accuracies(project)[annotator.pk][Against.ADJUDICATION]
    assert found.exact == Proportion(1, 1)


def test_other_projects_and_older_times_do_not_count(project, annotator, adjudicator):
    ago = timezone.now() - timedelta(days=10)
    for number, at in enumerate([ago, timezone.now()]):
        solution = solution_of(project, number)
        keyed(solution, adjudicator, 2)
        answered(annotator, solution, 2, at=at)
    elsewhere = solution_of(factories.ProjectFactory())
    keyed(elsewhere, adjudicator, 2)
    answered(annotator, elsewhere, 2)
    week = timezone.now() - timedelta(days=7)
    assert people.person(project, annotator).adjudication.exact.whole == 2
    recent = people.person(project, annotator, since=week)
    assert (recent.adjudication.exact.whole, recent.pace.submitted) == (1, 1)


def test_own_answers_come_oldest_first_without_exams(project, annotator, adjudicator):
    now = timezone.now()
    for number, purpose in enumerate(["label", "exam", "gold"]):
        solution = solution_of(project, number)
        keyed(solution, adjudicator, number)
        answered(annotator, solution, 3, purpose=purpose, at=now - timedelta(days=3 - number))
    assert accuracy.answers(project, annotator.pk, until=now) == [(3, 0), (3, 2)]
    day = now - timedelta(days=2)
    assert accuracy.answers(project, annotator.pk, until=day) == [(3, 0)]


def test_the_table_has_everybody_who_may_label_and_who_did(project, annotator, viewer):
    gone = factories.UserFactory(username="gone")
    answered(gone, solution_of(project), 1)
    found = {person.name: person for person in people.people(project)}
    assert set(found) == {"olga-owner", "anna-annotator", "gone"}
    assert (found["gone"].role, found["anna-annotator"].pace) == (None, Pace())


def test_people_without_a_value_come_last_whatever_the_order(worked, three, annotator):
    table = people.people(worked)
    rising, falling = people.ordered(table, "gold"), people.ordered(table, "-gold")
    values = [person.gold.exact.value for person in rising if person.gold.exact.whole]
    assert values == sorted(values)
    assert values
    assert not rising[-1].gold.exact.whole
    assert not falling[-1].gold.exact.whole
    assert people.ordered(table, "nonsense") == table


def test_the_table_costs_the_same_for_many_people(worked, django_assert_num_queries):
    with django_assert_num_queries(5):
        people.people(worked)


def test_machine_verdicts_are_not_read(project, annotator, adjudicator):
    """With 20,000 machine verdicts the plans still begin at people's rows."""
    solution = solution_of(project)
    keyed(solution, adjudicator, 1)
    answered(annotator, solution, 1)
    machine = factories.LabelerFactory(project=project, kind="mc")
    problem = solution.problem
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO labeling_solution (uid, project_id, problem_id, external_id, steps, gaps,"
            " generator, generator_config, content_hash, created_at)"
            " SELECT 'm' || n, %s, %s, '', '{a}', '{}', '', '{}', 'h' || n, now()"
            " FROM generate_series(1, 20000) n",
            [project.pk, problem.pk],
        )
        cursor.execute(
            "INSERT INTO labeling_verdict (labeler_id, solution_id, state, first_error,"
            " step_labels, step_scores, mc_k, mc_n, critique, reason, comments, completions,"
            " exhaustive_completions, prompt_tokens, completion_tokens, seconds, created_at,"
            " updated_at) SELECT %s, id, 'scored', -1, '{1}', '{}', '{}', '{}', '', '', '{}', 0,"
            " 0, 0, 0, 0, now(), now() FROM labeling_solution WHERE uid LIKE 'm%%'",
            [machine.pk],
        )
        cursor.execute("ANALYZE labeling_verdict, labeling_solution, labeling_assignment")
        values = {"project": project.pk, "user": None, "since": None, "until": None, "fast": 1.0}
        for query in (accuracy._COUNTED, accuracy._PAIRS, accuracy._PACE):
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}", values)
            (plan,) = cursor.fetchone()
            assert most_rows(plan[0]["Plan"]) < 100


def most_rows(node):
    """The most rows that any node of a plan read, with those that its filter threw away."""
    own = node["Actual Rows"] * node["Actual Loops"] + node.get("Rows Removed by Filter", 0)
    return max([own, *(most_rows(child) for child in node.get("Plans", ()))])


def test_labelers_without_a_person_have_no_row(project):
    factories.VerdictFactory(
        solution=solution_of(project),
        labeler=factories.LabelerFactory(project=project, kind="human"),
        step_labels=[1] * 4,
    )
    assert [person.name for person in people.people(project)] == ["olga-owner"]
    assert labelers.person(by=project.created_by, project=project).user == project.created_by
