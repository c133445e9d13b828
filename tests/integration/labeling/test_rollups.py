"""The boards equal a full recount, whatever happened to the rows, and whoever folds."""

from __future__ import annotations

import threading
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connections, transaction

from labeling.domain.boards import Board
from labeling.models import BoardCount, Counted, Decision, Problem, Stale, Verdict
from labeling.services import rollups
from tests import factories as f

pytestmark = pytest.mark.django_db


def board(project, name):
    rows = BoardCount.objects.filter(project=project, board=name, n__gt=0)
    return {tuple(row.key): row.n for row in rows}


@pytest.fixture
def pair(project):
    """Two labelers and three solutions that both scored."""
    mc, judge = f.LabelerFactory(project=project), f.LabelerFactory(project=project, kind="judge")
    solutions = [f.SolutionFactory(problem__project=project) for _ in range(3)]
    for solution, first in zip(solutions, (-1, 0, 1), strict=True):
        f.VerdictFactory(solution=solution, labeler=mc, first_error=first)
        f.VerdictFactory(solution=solution, labeler=judge, first_error=0)
    rollups.fold_all()
    return mc, judge, solutions


def test_every_change_of_a_row_is_counted(pair):
    mc, judge, (first, second, third) = pair
    project, ids = mc.project, (str(mc.pk), str(judge.pk))
    assert board(project, Board.PAIR) == {(*ids, "-1", "0"): 1, (*ids, "0", "0"): 1,
                                          (*ids, "1", "0"): 1}  # fmt: skip
    Verdict.objects.filter(solution=first, labeler=mc).update(first_error=0)
    Verdict.objects.filter(solution=third, labeler=judge).delete()
    Decision.objects.filter(solution=second).update(state="consensus", first_error=0)
    type(second).objects.filter(pk=second.pk).update(final_answer_correct=False)
    Problem.objects.filter(pk=second.problem_id).update(source="math")
    rollups.fold_all()
    assert board(project, Board.PAIR) == {(*ids, "0", "0"): 2}
    assert board(project, Board.FLOW)["consensus", "wrong", "error"] == 1
    assert board(project, Board.AUDIT) == {("error", "math", "waiting"): 1}
    assert not rollups.differences(project)


def test_a_solution_that_goes_takes_what_it_added_along(pair):
    mc, _, (first, *_) = pair
    first.delete()
    rollups.fold_all()
    assert sum(board(mc.project, Board.FLOW).values()) == 2
    assert Counted.objects.filter(project=mc.project).count() == 2
    assert not rollups.differences(mc.project)


def test_the_next_solution_of_a_problem_opens_it_once_the_first_goes(project):
    problem = f.ProblemFactory(project=project)
    first, second = (f.SolutionFactory(problem=problem) for _ in range(2))
    f.SolutionFactory(problem__project=project)
    rollups.fold_all()
    assert board(project, Board.PROBLEMS) == {("solved",): 2}
    first.delete()
    rollups.fold_all()
    assert board(project, Board.PROBLEMS) == {("solved",): 2}
    second.delete()
    rollups.fold_all()
    assert board(project, Board.PROBLEMS) == {("solved",): 1}
    assert not rollups.differences(project)


def test_of_a_project_that_goes_nothing_is_left(pair):
    project = pair[0].project.pk
    pair[0].project.delete()
    rollups.fold_all()
    assert not BoardCount.objects.filter(project=project).exists()
    assert not Counted.objects.filter(project=project).exists()
    assert not Stale.objects.exists()


def test_a_change_to_what_no_board_counts_costs_nothing(pair):
    _, _, (first, *_) = pair
    assert not Stale.objects.exists()
    type(first).objects.filter(pk=first.pk).update(external_id="x")
    Problem.objects.filter(pk=first.problem_id).update(licence="x")
    assert not Stale.objects.exists()


def test_a_change_that_is_rolled_back_is_not_counted(pair):
    mc, _, (first, *_) = pair
    with transaction.atomic():
        Verdict.objects.filter(solution=first, labeler=mc).update(first_error=1)
        transaction.set_rollback(True)
    assert rollups.fold() == 0


def test_folding_takes_a_constant_number_of_queries(pair, django_assert_num_queries):
    Stale.objects.bulk_create(Stale(solutions=[s.pk]) for s in pair[2])
    with django_assert_num_queries(10):
        rollups.fold()


def test_recount_says_where_the_counts_are_wrong_and_repairs_them(pair):
    project = pair[0].project
    out = StringIO()
    call_command("recount", project.name, stdout=out)
    assert f"{project.name}: all counts equal a full recount" in out.getvalue()
    BoardCount.objects.filter(project=project, board="flow").update(n=7)
    with pytest.raises(CommandError, match="1 counts differ"):
        call_command("recount", stdout=out)
    assert "flow undecided · right · open: 7 kept, 3 counted anew" in out.getvalue()
    call_command("recount", project.name, "--repair", stdout=out)
    assert not rollups.differences(project)
    with pytest.raises(CommandError, match="no project is named 'nobody'"):
        call_command("recount", "nobody")


@pytest.mark.django_db(transaction=True)
def test_many_who_write_and_fold_at_once_leave_exact_counts(project):
    """Writers change verdicts while folders count: no change is lost, none counted twice."""
    mc, judge = f.LabelerFactory(project=project), f.LabelerFactory(project=project, kind="judge")
    solutions = [f.SolutionFactory(problem__project=project) for _ in range(30)]
    for solution in solutions:
        f.VerdictFactory(solution=solution, labeler=mc, first_error=-1)
    failures = []

    def alone(work):
        try:
            work()
        except Exception as error:
            failures.append(error)
        finally:
            connections.close_all()

    def write(mine, value):
        for solution in mine:
            f.VerdictFactory(solution=solution, labeler=judge, first_error=value)
            Verdict.objects.filter(solution=solution, labeler=mc).update(first_error=value)

    def count():
        for _ in range(40):
            rollups.fold(batch=5)

    threads = [
        threading.Thread(target=alone, args=[lambda k=k: write(solutions[k::3], k)])
        for k in range(3)
    ] + [threading.Thread(target=alone, args=[count]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    rollups.fold_all()
    assert not rollups.differences(project)
    ids = str(mc.pk), str(judge.pk)
    assert board(project, Board.PAIR) == {(*ids, str(k), str(k)): 10 for k in range(3)}


@pytest.mark.django_db(transaction=True)
def test_a_second_folder_leaves_the_first_ones_solutions_alone(project, monkeypatch):
    """Both would take back what was counted before: the solution would be counted twice."""
    solution = f.SolutionFactory(problem__project=project)
    rollups.fold_all()
    Stale.objects.create(solutions=[solution.pk])
    reads, goes_on = threading.Event(), threading.Event()
    real = rollups.facts_of

    def slow(solutions):
        reads.set()
        assert goes_on.wait(10)
        return real(solutions)

    def first():
        try:
            rollups.fold()
        finally:
            connections.close_all()

    monkeypatch.setattr(rollups, "facts_of", slow)
    folder = threading.Thread(target=first)
    folder.start()
    assert reads.wait(10)
    monkeypatch.setattr(rollups, "facts_of", real)
    type(solution).objects.filter(pk=solution.pk).update(final_answer_correct=False)
    assert rollups.fold() == 0
    goes_on.set()
    folder.join()
    rollups.fold_all()
    assert board(project, Board.FLOW) == {("undecided", "wrong", "open"): 1}
