"""When a dashboard asks again, and when it is told that nothing is new."""

from __future__ import annotations

import pytest

from labeling.models import BoardCount, Stale
from labeling.selectors import boards
from labeling.services import rollups
from tests import factories as f

pytestmark = pytest.mark.django_db


@pytest.fixture
def neighbor():
    return f.ProjectFactory()


def change(project):
    return f.SolutionFactory(problem__project=project)


def test_a_busy_neighbor_moves_nothing(project, neighbor):
    change(neighbor)
    assert boards.waiting(project) == 0
    assert boards.moving(project) == ""
    change(project)
    assert boards.waiting(project) == 1
    seen = boards.moving(project)
    change(neighbor)
    assert boards.moving(project) == seen != ""
    change(project)
    assert boards.moving(project) != seen


def test_what_is_deleted_waits_to_be_counted_too(project):
    solution = change(project)
    rollups.fold_all()
    assert boards.moving(project) == ""
    solution.delete()
    assert boards.waiting(project) == 1


def test_behind_more_than_is_looked_at_something_may_move(project, neighbor, monkeypatch):
    monkeypatch.setattr(boards, "LOOKED_AT", 3)
    Stale.objects.create(solutions=[change(neighbor).pk] * 2)
    change(project)  # the third change that is looked at is the neighbor's, too
    assert boards.waiting(project) == 0
    seen = boards.moving(project)
    assert seen
    change(neighbor)
    assert boards.moving(project) == seen


def test_two_states_with_equal_sums_have_different_marks(project):
    f.RunFactory(project=project, labeler__project=project)
    made = BoardCount.objects.bulk_create(
        BoardCount(project=project, board="flow", key=[str(number)], n=5) for number in range(4)
    )
    seen = boards.moving(project)
    # ids a, a+1, a+2, a+3: -1 +1 +1 -1 leaves the sum of n and that of id times n as they were
    for row, less in zip(made, (1, -1, -1, 1), strict=True):
        BoardCount.objects.filter(pk=row.pk).update(n=5 - less)
    assert boards.moving(project) != seen


def test_the_same_state_has_the_same_mark(project):
    f.RunFactory(project=project, labeler__project=project)
    change(project)
    assert boards.moving(project) == boards.moving(project)
