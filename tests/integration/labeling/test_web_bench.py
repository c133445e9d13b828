"""The bench of annotating: the project that it makes up, and what it counts."""

from __future__ import annotations

import os
import time
from statistics import median

import pytest
from django.db.models import Count

from annotator.benchmarks import filling, web
from annotator.benchmarks.server import cpu_seconds
from annotator.benchmarks.texts import Texts
from labeling.domain.policy import Policy
from labeling.models import (
    Assignment,
    Decision,
    Event,
    Labeler,
    Problem,
    Project,
    ProjectTally,
    Solution,
    Verdict,
    VerdictTally,
)
from labeling.services import decisions
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def filled(owner, solutions=60, **values):
    return filling.fill(by=owner, name="Bench", solutions=solutions, **values)


def test_a_filled_project_is_what_labeling_would_have_left(owner):
    project = filled(owner, 300)
    assert Solution.objects.filter(project=project).count() == 300
    assert Problem.objects.filter(project=project).count() == 38  # 300 / 8, rounded up
    assert Verdict.objects.count() == 600
    assert decisions.recompute(by=owner, project=project) == 0
    disputed = Decision.objects.filter(state="disputed").count()
    assert 0.05 < disputed / 300 < 0.3
    assert sum(t.solutions for t in ProjectTally.objects.filter(project=project)) == 300
    assert sum(t.verdicts for t in VerdictTally.objects.all()) == 600


def test_more_verdicts_come_from_more_labelers(owner):
    filled(owner, 20, verdicts=4)
    per_solution = Verdict.objects.values("solution").annotate(n=Count("labeler", distinct=True))
    assert set(per_solution.values_list("n", flat=True)) == {4}
    assert sorted(Labeler.objects.values_list("kind", flat=True)) == ["judge", "mc", "mc", "mc"]


def test_the_same_seed_makes_the_same_texts(owner):
    first, second = (filled(owner, 20, seed=seed) for seed in (3, 3) if _forget())
    texts = [list(Solution.objects.filter(project=p).order_by("id").values_list("steps"))
             for p in (first, second)]  # fmt: skip
    assert texts[0] == texts[1]


def _forget() -> bool:
    """A project's name is taken once."""
    Project.objects.filter(name="Bench").update(name="Bench before")
    return True


def test_the_policys_overlap_is_the_number_of_places(owner):
    filled(owner, 20, policy=Policy(human_overlap=3))
    assert set(Decision.objects.values_list("places", flat=True)) == {3}


def test_steps_are_as_many_and_as_long_as_real_ones():
    texts = Texts(seed=1)
    counts = [texts.step_count() for _ in range(20_000)]
    assert 6 <= median(counts) <= 8
    assert max(counts) > 40
    assert 100 <= median(map(len, texts.steps)) <= 300


def test_a_deleted_project_leaves_its_audit_trail_only(owner):
    other = factories.SolutionFactory()
    project = filled(owner)
    filling.people(project, 2)
    filling.delete(project)
    assert list(Solution.objects.all()) == [other]
    assert Project.objects.filter(name="Bench").count() == 0
    assert Verdict.objects.count() == Labeler.objects.count() == VerdictTally.objects.count() == 0
    assert Event.objects.filter(action="project created").exists()


@pytest.fixture
def work(owner, live_server, settings):
    """Three people label for a second over HTTP, then the figures."""
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    project = filled(owner, 400)
    people = filling.people(project, 3)
    place = web.Place(live_server.thread.port, [])
    return project, people, web.measure(place, project, people, 1.0, 0.0)


def test_annotators_over_http_lose_nothing_and_share_nothing(work):
    project, people, figures = work
    assert figures["verdicts"] > 0
    assert (figures["duplicates"], figures["lost"]) == (0, 0)
    submitted = Assignment.objects.filter(project=project, submitted_at__isnull=False)
    assert submitted.count() == figures["verdicts"]
    assert {user.username for user in people} >= {item.user.username for item in submitted}
    assert figures["submit_ms"]["n"] == figures["verdicts"]
    assert figures["submit_ms"]["p50"] <= figures["submit_ms"]["p95"]


def test_the_bench_sees_duplicates_and_losses(work):
    project, _people, _figures = work
    verdict = Verdict.objects.filter(labeler__user__isnull=False).first()
    user = verdict.labeler.user
    item = Assignment.objects.get(solution=verdict.solution, user=user)
    log = web.Log(submitted={item.uid: list(verdict.step_labels)})
    assert web.lost([log], [user]) == 0
    another = factories.LabelerFactory(project=project, kind="human")
    factories.VerdictFactory(solution=verdict.solution, labeler=another)
    assert web.duplicates(project) == 1
    verdict.delete()
    assert web.lost([log], [user]) == 1


def test_processor_time_grows_with_work():
    before = cpu_seconds(os.getpid())
    until = time.process_time() + 0.2
    while time.process_time() < until:
        pass
    assert cpu_seconds(os.getpid()) - before >= 0.1
