"""Gold items: made one by one and drawn from labels, changed, retired, doubted."""

from __future__ import annotations

import pytest

from labeling.domain.assignments import GoldUse
from labeling.domain.refusals import Invalid
from labeling.domain.statistics.intervals import Proportion
from labeling.models import Event, GoldItem, Verdict
from labeling.selectors import gold_items
from labeling.services import gold
from labeling.services.gold import GoldAlready
from tests import factories
from tests.answers import answered, keyed, solution_of

pytestmark = pytest.mark.django_db
HIDDEN, EXAM = GoldUse.HIDDEN, GoldUse.EXAM


def add(solution, by, first_error=None, use=HIDDEN, explanation="2 + 2 is 4"):
    return gold.add(
        by=by, solution=solution, use=use, explanation=explanation, first_error=first_error
    )


def key_of(solution):
    return gold_items.gold_of(solution).key


def test_making_a_solution_gold_adjudicates_it_and_leaves_both_events(project, manager):
    solution = solution_of(project)
    add(solution, manager, first_error=2)
    assert key_of(solution) == 2
    solution.decision.refresh_from_db()
    assert (solution.decision.state, solution.decision.first_error) == ("adjudicated", 2)
    assert set(Event.objects.values_list("action", flat=True)) >= {
        "solution adjudicated",
        "gold item added",
    }


def test_an_adjudicated_solution_keeps_its_key(project, manager, adjudicator):
    solution = solution_of(project)
    keyed(solution, adjudicator, 1)
    with pytest.raises(Invalid, match="decided otherwise"):
        add(solution, manager, first_error=2)
    add(solution, manager)
    assert key_of(solution) == 1
    assert Verdict.objects.filter(labeler__kind="adjudicator").count() == 1


def test_a_key_is_needed_and_one_item_is_enough(project, manager):
    solution = solution_of(project)
    with pytest.raises(Invalid, match="where the first error is"):
        add(solution, manager)
    add(solution, manager, first_error=-1)
    with pytest.raises(GoldAlready):
        add(solution, manager, first_error=-1)


def test_a_change_is_an_event_and_nothing_changed_is_none(project, manager):
    item = add(solution_of(project), manager, first_error=0)
    gold.change(by=manager, item=item, use=EXAM, explanation=" Look twice. ", active=False)
    item.refresh_from_db()
    assert (item.use, item.explanation, item.active) == ("exam", "Look twice.", False)
    gold.change(by=manager, item=item, use=EXAM, explanation="Look twice.", active=False)
    assert Event.objects.filter(action="gold item changed").count() == 1


@pytest.fixture
def imported(project, manager):
    """Ten solutions that a labeler of a data set labeled."""
    labeler = factories.LabelerFactory(project=project, kind="human", name="experts")
    for number in range(10):
        solution = solution_of(project, number)
        factories.VerdictFactory(
            labeler=labeler, solution=solution, first_error=number % 4, step_labels=[1, 1, 1, 1]
        )
    return labeler


def sample(project, manager, labeler, count=4, seed=7, use=EXAM):
    return gold.add_sample(
        by=manager, project=project, labeler=labeler, count=count, use=use, seed=seed
    )


def chosen():
    return set(GoldItem.objects.values_list("solution_id", flat=True))


def test_a_sample_is_drawn_by_its_seed_and_never_twice(project, manager, imported):
    assert sample(project, manager, imported) == 4
    first = chosen()
    GoldItem.objects.all().delete()
    Verdict.objects.filter(labeler__kind="adjudicator").delete()
    assert sample(project, manager, imported) == 4
    assert chosen() == first
    GoldItem.objects.all().delete()
    sample(project, manager, imported, seed=8)
    assert chosen() != first
    assert sample(project, manager, imported, count=200) == 6
    assert len(chosen()) == 10


def test_a_samples_keys_are_what_the_labeler_said(project, manager, imported):
    sample(project, manager, imported, count=10)
    said = dict(imported.verdicts.values_list("solution__uid", "first_error"))
    assert {item.uid: item.key for item in gold_items.gold_items(project)} == said


def test_a_sample_leaves_out_what_an_adjudicator_sees_otherwise(
    project, manager, imported, adjudicator
):
    agreed, denied = (v.solution for v in imported.verdicts.order_by("solution_id")[:2])
    keyed(agreed, adjudicator, 0)
    keyed(denied, adjudicator, 3)  # the data set says 1
    assert sample(project, manager, imported, count=10) == 9
    assert agreed.pk in chosen()
    assert denied.pk not in chosen()


def test_machines_are_no_source_of_keys(project, manager):
    judge = factories.LabelerFactory(project=project, kind="judge")
    with pytest.raises(Invalid, match="machines"):
        sample(project, manager, judge)


@pytest.mark.parametrize("count", [0, 201])
def test_a_sample_has_a_size(project, manager, imported, count):
    with pytest.raises(Invalid, match="between 1 and 200"):
        sample(project, manager, imported, count=count)


def test_a_key_that_most_people_deny_comes_first_and_is_marked(project, manager):
    fine, doubtful = solution_of(project, 1), solution_of(project, 2)
    add(doubtful, manager, first_error=2)
    add(fine, manager, first_error=2)
    people = [factories.MembershipFactory(project=project).user for _ in range(3)]
    for user, (one, other) in zip(people, [(2, 3), (2, 3), (1, None)], strict=True):
        answered(user, fine, one, purpose="gold")
        answered(user, doubtful, other, purpose="gold")
    found = gold_items.gold_items(project)
    assert [(gold.uid, gold.doubtful) for gold in found] == [
        (doubtful.uid, True),
        (fine.uid, False),
    ]
    assert found[0].answers == {3: 2, None: 1}
    assert found[1].right == Proportion(2, 3)
    assert [gold.uid for gold in found if gold.shows_under("doubtful")] == [doubtful.uid]


def test_answers_given_after_the_evidence_are_no_test_of_the_key(project, manager, annotator):
    solution = solution_of(project)
    add(solution, manager, first_error=2)
    answered(annotator, solution, 3, purpose="gold", informed=True)
    assert gold_items.gold_of(solution).answers == {}


def test_the_stock_counts_what_serves(project, manager):
    add(solution_of(project, 1), manager, first_error=-1, use=EXAM)
    add(solution_of(project, 2), manager, first_error=2)
    retired = add(solution_of(project, 3), manager, first_error=1)
    gold.change(by=manager, item=retired, use=HIDDEN, explanation="", active=False)
    found = gold_items.gold_items(project)
    stock = gold_items.stock(found)
    assert (stock.exam, stock.hidden, stock.retired) == (1, 1, 1)
    assert (stock.with_error, stock.without_error) == (1, 1)
    shown = {name: [g.key for g in found if g.shows_under(name)] for name in ("exam", "hidden")}
    assert shown == {"exam": [-1], "hidden": [2]}
    assert [g.key for g in found if g.shows_under("retired")] == [1]
    assert len([g for g in found if g.shows_under("")]) == 3


def test_an_item_that_no_machine_labeled_says_so(project, manager):
    bare, seen = solution_of(project, 1), solution_of(project, 2)
    factories.VerdictFactory(solution=seen, labeler__kind="judge", step_labels=[1] * 4)
    for solution in (bare, seen):
        add(solution, manager, first_error=0)
    assert {gold.uid: gold.bare for gold in gold_items.gold_items(project)} == {
        bare.uid: True,
        seen.uid: False,
    }


def test_the_list_asks_the_database_as_often_for_many_items(
    project, manager, django_assert_num_queries
):
    for number in range(5):
        add(solution_of(project, number), manager, first_error=0)
    with django_assert_num_queries(2):
        gold_items.gold_items(project)
