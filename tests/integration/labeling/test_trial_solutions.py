"""What a judge is tried on: a mix that stays the same, or what was asked for."""

from __future__ import annotations

import pytest

from labeling.domain.setting_checks import BadSetting
from labeling.selectors.trial_solutions import chosen, mixed
from tests import factories

pytestmark = pytest.mark.django_db


def dispute(solution, priority):
    solution.decision.state, solution.decision.priority = "disputed", priority
    solution.decision.save()


def test_the_mix_has_disputes_wrong_answers_and_others(project, owner):
    """Of ten, 6 and 8 and 9 are disputed (9 the most valuable), 3, 4 and 5 are wrong."""
    made = [
        factories.SolutionFactory(problem__project=project, final_answer_correct=k not in (3, 4, 5))
        for k in range(10)
    ]
    for k, priority in ((6, 1), (8, 2), (9, 3)):
        dispute(made[k], priority)
    expected = [made[k] for k in (0, 3, 4, 8, 9)]
    assert mixed(project, owner) == expected
    assert mixed(project, owner) == expected
    factories.AssignmentFactory(solution=made[9], user=owner)  # owner labels it now
    assert mixed(project, owner) == [made[k] for k in (0, 3, 4, 6, 8)]


def test_the_mix_of_a_small_project_is_all_of_it(project, owner):
    made = [
        factories.SolutionFactory(problem__project=project, final_answer_correct=False)
        for _ in range(3)
    ]
    dispute(made[0], 1)
    assert mixed(project, owner) == made


def test_solutions_can_be_pinned(project, owner):
    made = [factories.SolutionFactory(problem__project=project) for _ in range(7)]
    uids = [made[k].uid for k in (4, 1)]
    assert chosen(project, owner, uids) == [made[4], made[1]]
    assert chosen(project, owner, [""]) == made[:5]
    for wrong in ([factories.SolutionFactory().uid], [s.uid for s in made]):
        with pytest.raises(BadSetting, match="solutions"):
            chosen(project, owner, wrong)
