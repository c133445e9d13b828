"""Lists of what few solutions have: the right ones, found without a look at all the others."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling.models import Solution, Verdict
from labeling.selectors import catalog
from labeling.selectors.filters import Filters
from labeling.selectors.listing import Place
from labeling.selectors.solutions import listed
from tests import factories as f

pytestmark = pytest.mark.django_db


@pytest.fixture
def machines(project):
    kinds = ("mc", "judge")
    return {kind: f.LabelerFactory(project=project, kind=kind, name=kind) for kind in kinds}


@pytest.fixture
def four(project):
    return [
        f.SolutionFactory(
            problem__project=project, external_id=f"s{n}", generator="a" if n else "b",
            final_answer_correct=None if n == 1 else True,
        )
        for n in range(4)
    ]  # fmt: skip


def say(labeler, solution, state="scored", **more):
    first = 0 if state == "scored" else None
    if state != "scored":
        more |= {"step_labels": [], "reason": "why"}
    f.VerdictFactory(labeler=labeler, solution=solution, state=state, first_error=first, **more)


def found(project, **filters):
    page = listed(project, project.created_by, Filters(**filters))
    assert page.total == len(page.rows)
    return [row.uid for row in page.rows]


@pytest.mark.parametrize("kind", ["mc", "judge"])
def test_missing_are_those_without_the_newest_machines_verdict(project, machines, four, kind):
    older = f.LabelerFactory(project=project, kind=kind, active=False)
    for solution in four[:3]:
        say(machines[kind], solution)
        say(older, solution)
    assert found(project, **{kind: "missing"}) == [four[3].uid]
    say(machines[kind], four[3])
    assert found(project, **{kind: "missing"}) == []
    # A verdict that is asked for again is missing again; so is a new solution's.
    Verdict.objects.filter(solution=four[0], labeler=machines[kind]).delete()
    assert found(project, **{kind: "missing"}) == [four[0].uid]
    new = f.SolutionFactory(problem__project=project)
    assert found(project, **{kind: "missing"}) == [four[0].uid, new.uid]


def test_without_a_machine_all_are_missing(project, four):
    assert found(project, mc="missing") == [solution.uid for solution in four]


def test_where_none_is_missing_no_solution_is_looked_at(project, machines, four):
    for solution in four:
        say(machines["mc"], solution)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert found(project, mc="missing") == []
    # the labelers, both sums, what the reader is labeling
    assert len(asked) == 4
    assert not any("labeling_solution" in query["sql"].partition("FROM")[2] for query in asked)


@pytest.mark.parametrize("state", ["unscored", "rejected", "refuted"])
def test_rare_states_are_those_of_the_newest_machine(project, machines, four, state):
    for solution, said in zip(four, (state, "scored", state, "scored"), strict=True):
        more = {"refuted_at": 0} if said == "refuted" else {}
        say(machines["mc"], solution, said, **more)
    say(machines["judge"], four[1], "rejected")
    assert found(project, mc=state) == [four[0].uid, four[2].uid]
    assert found(project, mc=state, judge="rejected") == []


def test_names_and_unknown_answers_find_their_solutions(project, four):
    f.SolutionFactory(external_id="s2", generator="b", final_answer_correct=None)  # another's
    assert found(project, generator="b") == [four[0].uid]
    assert found(project, generator="nobody") == []
    assert found(project, answer="unknown") == [four[1].uid]
    for name, uids in (("s2", [four[2].uid]), ("nothing", [])):
        part = catalog.solutions(project, project.created_by, Place(), external_id=name)
        assert [row.uid for row in part.rows] == uids


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ({"external_id": "s2"}, "solution_names"),
        ({"generator": "nobody"}, "solution_names"),
        ({"final_answer_correct": None}, "solution_answer_unknown"),
    ],
)
def test_their_indexes_serve_them(project, four, condition, index):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    query = Solution.objects.filter(**condition)
    if index == "solution_answer_unknown":
        query = query.filter(project=project).only("pk")
    assert index in query.explain()
