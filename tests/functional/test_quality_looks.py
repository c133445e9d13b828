"""The pages about people in both themes and both sizes: nothing for axe-core or the browser."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from labeling.domain.assignments import GoldUse
from labeling.services import gold, labelers, projects
from tests import factories
from tests.answers import answered, keyed, skipped
from tests.functional.looks import audits, in_every_look

STEPS = ["Let $x = 2$.", "Then $x^2 = 5$.", "So $x^2 + 1 = 6$.", "The answer is $6$."]
WHEN = timedelta(days=1)


@pytest.fixture
def people(project, owner, manager, adjudicator, annotator, dispute):
    """Three people at work: tests, adjudicated items, flags; one failed the exam, one is new."""
    projects.change_policy(
        by=owner, project=project, exam_items=2, exam_pass_share=1.0, gold_share=0.1
    )
    project.refresh_from_db()
    others = [
        factories.MembershipFactory(project=project, user__username=name).user
        for name in ("bert", "carla-with-a-rather-long-name", "dora-is-new")
    ]
    workers = [annotator, *others[:2]]
    at = timezone.now() - WHEN
    for number in range(14):
        solution = dispute(project, [*STEPS, f"Item {number}."], judged=number % 3)
        if number < 9:
            use = GoldUse.EXAM if number < 2 else GoldUse.HIDDEN
            gold.add(
                by=manager, solution=solution, use=use, first_error=1,
                explanation="$2^2$ is $4$, not $5$.",
            )  # fmt: skip
        purpose = "exam" if number < 2 else "gold" if number < 9 else "label"
        for place, user in enumerate(workers):
            said = [1, 1, 2, 1, 0, -1, 1, 3][(number + place * 3) % 8]
            answered(
                user, solution, said, purpose=purpose, seconds=2 + 17 * ((number + place) % 4),
                at=at + timedelta(minutes=number), comments={"steps": {"0": "hm"}},
            )  # fmt: skip
        if number > 11:
            keyed(solution, adjudicator, 1)
    skipped(annotator, dispute(project, STEPS[:2]))
    return project


def addresses(project, user):
    uid = [project.uid]
    person = labelers.person(by=user, project=project).uid
    solution = project.gold_items.first().solution.uid
    return {
        "people": reverse("quality", args=uid),
        "person": reverse("quality_person", args=[*uid, person]),
        "person-late": reverse("quality_person", args=[*uid, person]) + "?against=gold",
        "gold": reverse("gold", args=uid),
        "exam-people": reverse("exam_people", args=uid),
        "solution": reverse("solution", args=[*uid, solution]),
    }, {"mine": reverse("quality_mine", args=uid), "exam": reverse("exam", args=uid)}


@in_every_look
@pytest.mark.parametrize("whose", ["lead", "own"])
def test_the_pages_about_people_are_accessible_and_fit(
    whose, page, people, manager, annotator, sign_in
):
    leads, own = addresses(people, annotator)
    sign_in(page, manager if whose == "lead" else annotator)
    assert audits(page, leads if whose == "lead" else own) == {}
