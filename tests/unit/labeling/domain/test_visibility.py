"""Blindness as a truth table: every role, labeling or looking, before or after submitting."""

from __future__ import annotations

from itertools import product

import pytest

from labeling.domain.assignments import Purpose
from labeling.domain.labels import LabelerKind as K
from labeling.domain.policy import Policy
from labeling.domain.roles import Role
from labeling.domain.visibility import visible_kinds

NOTHING: frozenset[K] = frozenset()
MACHINES = frozenset({K.MC, K.JUDGE, K.PRM})
NO_GOLD = MACHINES | {K.HUMAN, K.ADJUDICATOR}
ALL = frozenset(K)

# (role, labeling, submitted) -> what a blind project shows
BLIND = {
    (Role.OWNER, False, False): ALL,
    (Role.OWNER, True, False): NOTHING,
    (Role.OWNER, True, True): NO_GOLD,
    (Role.ADJUDICATOR, False, False): NO_GOLD,
    (Role.ADJUDICATOR, True, False): NOTHING,
    (Role.ADJUDICATOR, True, True): NO_GOLD,
    (Role.ANNOTATOR, False, False): NOTHING,
    (Role.ANNOTATOR, True, False): NOTHING,
    (Role.ANNOTATOR, True, True): MACHINES,
    (Role.VIEWER, False, False): NO_GOLD,
    (None, False, False): NOTHING,
    (None, True, True): NOTHING,
}


@pytest.mark.parametrize(("case", "shown"), list(BLIND.items()))
def test_a_blind_project_shows(case, shown):
    role, labeling, submitted = case
    assert visible_kinds(role, Policy(), labeling=labeling, submitted=submitted) == shown


@pytest.mark.parametrize("role", [*Role, None])
def test_who_labels_a_blind_item_sees_no_verdict_before_submitting(role):
    assert not visible_kinds(role, Policy(), labeling=True, submitted=False)


@pytest.mark.parametrize(("labeling", "submitted"), list(product([True, False], repeat=2)))
def test_an_annotator_never_sees_people_or_the_gold_key(labeling, submitted):
    for blind in (True, False):
        shown = visible_kinds(
            Role.ANNOTATOR, Policy(blind=blind), labeling=labeling, submitted=submitted
        )
        assert shown <= MACHINES


# (role, purpose, show_people) -> what is shown after submitting
AFTER = {
    (Role.ANNOTATOR, Purpose.LABEL, False): MACHINES,
    (Role.ANNOTATOR, Purpose.LABEL, True): MACHINES | {K.HUMAN},
    (Role.ANNOTATOR, Purpose.AUDIT, True): MACHINES | {K.HUMAN},
    (Role.ANNOTATOR, Purpose.GOLD, True): MACHINES,
    (Role.ANNOTATOR, Purpose.GOLD, False): MACHINES,
    (Role.ANNOTATOR, Purpose.EXAM, True): NOTHING,
    (Role.ADJUDICATOR, Purpose.LABEL, False): NO_GOLD,
    (Role.ADJUDICATOR, Purpose.GOLD, True): MACHINES,
    (Role.OWNER, Purpose.GOLD, False): MACHINES,
    (Role.OWNER, Purpose.EXAM, False): NOTHING,
}


@pytest.mark.parametrize(("case", "shown"), list(AFTER.items()))
@pytest.mark.parametrize("blind", [True, False])
def test_after_submitting_one_sees(case, shown, blind):
    role, purpose, show_people = case
    policy = Policy(show_people=show_people, blind=blind)
    assert visible_kinds(role, policy, labeling=True, submitted=True, purpose=purpose) == shown


@pytest.mark.parametrize("purpose", list(Purpose))
def test_other_people_are_never_shown_before_submitting_to_an_annotator(purpose):
    policy = Policy(blind=False, show_people=True)
    shown = visible_kinds(Role.ANNOTATOR, policy, labeling=True, submitted=False, purpose=purpose)
    assert shown <= MACHINES


def test_an_open_project_shows_the_machines_to_who_labels():
    shown = visible_kinds(Role.ANNOTATOR, Policy(blind=False), labeling=True, submitted=False)
    assert shown == MACHINES
