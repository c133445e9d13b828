"""Every count on every dashboard leads to a list of exactly as many: solutions, or, where the cell
counts them, pairs of verdicts, verdicts or steps."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.http import QueryDict
from django.urls import reverse

from labeling.domain.labels import labels_up_to
from labeling.forms.solutions import SolutionFilterForm
from labeling.models import Assignment, Decision, Verdict
from labeling.selectors import filter_words
from labeling.selectors.filters import Filters
from labeling.selectors.solutions import listed
from labeling.services import rollups
from tests import factories as f
from tests.boards_world import build

pytestmark = pytest.mark.django_db

CELL = re.compile(r'href="([^"]+)" data-count="(\d+)"')
PAGES = ("overview", "agreement", "diagnostics", "audit", "history", "agreement_people")


@pytest.fixture
def world(project):
    """The world of the boards, and what makes counting hard: informed and refuted verdicts,
    labelers switched off, scores, a gold key, several days, labels behind the first error."""
    mc, judge, people = build(project)
    prm = f.LabelerFactory(project=project, kind="prm", name="Scorer")
    drawn = f.LabelerFactory(project=project, kind="mc", name="All", config={"mode": "exhaustive"})
    gold = f.LabelerFactory(project=project, kind="gold", name="key")
    off = f.LabelerFactory(project=project, kind="judge", name="off", active=False)
    decider = f.LabelerFactory(
        project=project, kind="adjudicator", name="Dora", user=f.UserFactory()
    )
    solutions = [row.solution for row in Decision.objects.order_by("solution")]
    for number, solution in enumerate(solutions):
        first = number % 4 - 1
        labels = list(labels_up_to(first, 3))
        say(prm, solution, first, step_scores=[0.9, 0.2 + 0.1 * (number % 5), 0.4])
        say(gold, solution, first)
        say(off, solution, first)
        k = number % 5
        mixed = [1, -1, 1] if number % 3 else labels
        say(drawn, solution, first, labels=mixed, mc_k=[k, 1, 1], mc_n=[4, 4, 4])
        if number % 2:
            say(decider, solution, first)
        if number % 5 == 0:
            say(people[2], solution, first, informed=True)
    unsure = [f.SolutionFactory(problem__project=project) for _ in range(3)]
    for solution, reason in zip(unsure, ("no end", "no end", "no reply"), strict=True):
        say(judge, solution, None, state="unscored", reason=reason)
        say(mc, solution, None, state="refuted", reason="refuted", refuted_at=1)
    say(judge, f.SolutionFactory(problem__project=project), 1)
    refuted = f.SolutionFactory(problem__project=project, generator="another")
    say(judge, refuted, 2)
    say(mc, refuted, None, state="refuted", reason="refuted", refuted_at=0)
    Verdict.objects.filter(labeler=people[0]).update(created_at=datetime(2026, 1, 7, tzinfo=UTC))
    f.RunFactory(labeler=judge, kind="judge")
    rollups.fold_all()
    return mc, judge, people


def say(labeler, solution, first, labels=None, **fields):
    """Store or replace one verdict of three steps."""
    Verdict.objects.filter(labeler=labeler, solution=solution, informed=False).exclude(
        labeler__kind__in=["mc", "judge"]
    ).delete()
    if Verdict.objects.filter(labeler=labeler, solution=solution).exists():
        return
    given = labels if labels else list(labels_up_to(first, 3)) if first is not None else []
    f.VerdictFactory(
        solution=solution, labeler=labeler, first_error=first, step_labels=given, **fields
    )  # fmt: skip


@pytest.fixture
def lead(client, owner):
    client.force_login(owner)
    return client


def cells(lead, address):
    page = lead.get(address)
    assert page.status_code == 200
    return [(unescape(link), int(n)) for link, n in CELL.findall(page.content.decode())]


def length_behind(project, link):
    """Return what the list says that the cell counted: as the page of the link would."""
    form = SolutionFilterForm(QueryDict(urlsplit(link).query))
    given = dict(parse_qsl(urlsplit(link).query))
    assert form.values() == given, "the list knows every filter of its cells"
    page = listed(project, project.created_by, Filters(**given), gold=True)
    return page.cell[1] if page.cell else page.total


def wrong(lead, project, address):
    found = cells(lead, address)
    assert found, address
    lengths = {link: (n, length_behind(project, link)) for link, n in found}
    return {link: both for link, both in lengths.items() if both[0] != both[1]}


@pytest.mark.parametrize("name", PAGES)
def test_every_count_of_a_page_is_the_length_of_the_list_behind_it(name, world, project, lead):
    assert wrong(lead, project, reverse(name, args=[project.uid])) == {}


@pytest.mark.parametrize(
    ("one", "other"),
    [("mc", "judge"), ("mc", "annotators"), ("annotators", "annotators"), ("prm", "gold"),
     ("annotators", "adjudicators"), ("adjudicators", "gold"), ("judge", "prm")],
)  # fmt: skip
def test_every_count_of_a_pair_is_the_length_of_the_list_behind_it(
    one, other, world, project, lead
):
    uids = {"mc": world[0].uid, "judge": world[1].uid}
    uids |= {kind: project.labelers.get(kind=kind).uid for kind in ("prm", "gold")}
    ends = [uids.get(end, end) for end in (one, other)]
    assert wrong(lead, project, reverse("agreement_pair", args=[project.uid, *ends])) == {}


def test_a_reason_of_failures_leads_to_its_solutions(world, project, lead):
    _, judge, _ = world
    run = judge.runs.get()
    found = cells(lead, reverse("run", args=[project.uid, run.uid]))
    assert sorted(n for _, n in found) == [1, 2]
    assert all(length_behind(project, link) == n for link, n in found)


def test_the_filters_are_said_in_names(world, project, lead):
    mc, _, people = world
    address = reverse("solutions", args=[project.uid])
    wanted = {"one": mc.uid, "one_says": "2", "other": "annotators", "between": "+1"}
    page = lead.get(address, wanted).content.decode()
    for words in ("Monte Carlo MC of 8", "step 2", "all annotators", "1 step later"):
        assert words in page
    assert mc.uid not in page.split('class="notice small"')[1].split("</p>")[0]
    votes = f"{people[0].uid}=none {people[2].uid}=error"
    page = lead.get(address, {"votes": votes}).content.decode()
    assert "Annotator Ada: no error, Annotator Cleo: an error" in page


def test_nonsense_in_an_address_narrows_nothing(world, project, lead):
    address = reverse("solutions", args=[project.uid])
    every = listed(project, project.created_by, Filters()).total
    for name in ("came", "between", "steps", "votes", "audit", "minimum", "position", "difficulty",
                 "stands", "label", "people", "length", "like"):  # fmt: skip
        page = lead.get(address, {name: "x'); DROP TABLE"}).content.decode()
        assert f"{every} in all" in page, name


def test_who_may_not_see_the_gold_key_gets_no_list_by_it(world, project, client):
    viewer = f.MembershipFactory(project=project, role="viewer").user
    gold = project.labelers.get(kind="gold")
    assert listed(project, viewer, Filters(one=gold.uid), gold=True).total > 0
    assert listed(project, viewer, Filters(one=gold.uid)).total == 0
    client.force_login(viewer)
    page = client.get(reverse("solutions", args=[project.uid]), {"one": gold.uid})
    assert "key" not in page.content.decode().split('class="notice small"')[1].split("</p>")[0]
    assert filter_words.side_words(project, gold.uid, gold=False) == gold.uid


def test_what_nobody_audited_is_not_checked(world, project):
    user = project.created_by
    # of the four that were audited the third machine agrees with the two others on one
    assert listed(project, user, Filters(audit="checked")).total == 1
    Assignment.objects.filter(purpose="audit").delete()
    assert listed(project, user, Filters(audit="checked")).total == 0
