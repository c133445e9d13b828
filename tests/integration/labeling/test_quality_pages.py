"""The pages about people, gold items and the exam: what they show, to whom, and what they hide."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from labeling.domain.assignments import GoldUse
from labeling.models import Assignment, ExamGrant, GoldItem
from labeling.selectors import gold_items, people
from labeling.services import assignments, gold, labelers, projects
from tests import factories
from tests.answers import answered, keyed, skipped, solution_of

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def get(client, name, project, *args, **query):
    answer = client.get(reverse(name, args=[project.uid, *args]), query)
    assert answer.status_code == 200
    return answer.content.decode()


def rows_of(client, name, project, *args, **query):
    text = get(client, name, project, *args, format="csv", **query)
    return list(csv.DictReader(io.StringIO(text)))


def labeler_of(user, project):
    return labelers.person(by=user, project=project).uid


@pytest.fixture
def worked(project, annotator, adjudicator, manager):
    """One person: 3 gold items (2 right, one late), 2 adjudicated (both missed), one skipped."""
    for number, said in enumerate([2, 2, 3]):
        solution = solution_of(project, number)
        gold.add(by=manager, solution=solution, use=GoldUse.HIDDEN, explanation="so", first_error=2)
        answered(annotator, solution, said, purpose="gold", seconds=[1, 30, 60][number])
    for number in (3, 4):
        solution = solution_of(project, number)
        answered(annotator, solution, -1, seconds=20)
        keyed(solution, adjudicator, 1)
    skipped(annotator, solution_of(project, 5))
    return project


@pytest.fixture
def as_manager(client, manager):
    client.force_login(manager)
    return client


def test_the_table_shows_shares_with_counts_intervals_and_flags(worked, as_manager):
    html = get(as_manager, "quality", worked)
    # 2 of 3 exact: Wilson 20.8 % to 93.9 %
    assert "66.7 %" in html
    assert "2 / 3" in html
    assert "20.8 – 93.9 %" in html
    assert "0 / 2" in html  # adjudicated
    assert "⚑ 20.0 %" in html  # one of five: 1 s for 3 labeled steps
    assert "16.7 %" in html  # one of six passed back


def test_each_number_of_the_table_leads_to_its_items(worked, as_manager, annotator):
    html = get(as_manager, "quality", worked)
    links = re.findall(r'href="([^"]*/quality/people/[^"]*\?[^"]+)"', html)
    counts = {}
    for link in links:
        answer = as_manager.get(link)
        counts[link.split("?")[1]] = answer.context["listed"].total
    assert counts == {
        "doing=submitted": 5,
        "against=gold": 3,
        "against=adjudication": 2,
        "doing=fast": 1,
        "doing=skipped": 1,
        "doing=gave_up": 1,
    }


def test_a_links_period_is_that_of_the_table(worked, as_manager):
    first = Assignment.objects.order_by("id").first()
    Assignment.objects.filter(pk=first.pk).update(submitted_at=NOW - timedelta(days=20))
    html = get(as_manager, "quality", worked, days=7)
    assert "1 / 2" in html  # of the gold items, the first was right and is older
    link = re.search(r'href="([^"]*days=7&amp;doing=submitted)"', html).group(1)
    assert as_manager.get(link.replace("&amp;", "&")).context["listed"].total == 4


def test_a_persons_page_lists_the_items_behind_a_number(worked, as_manager, annotator):
    person = labeler_of(annotator, worked)
    html = get(as_manager, "quality_person", worked, person, against="gold", outcome="late")
    assert "too late" in html
    assert html.count('class="link-row"') == 1
    assert GoldItem.objects.order_by("solution_id").last().solution.uid in html
    everything = get(as_manager, "quality_person", worked, person)
    assert everything.count('class="link-row"') == 6


def test_an_unknown_address_shows_everything(worked, as_manager, annotator):
    person = labeler_of(annotator, worked)
    html = get(
        as_manager, "quality_person", worked, person,
        against="x", outcome="y", doing="z", days="9", page="0",
    )  # fmt: skip
    assert html.count('class="link-row"') == 6
    assert get(as_manager, "quality", worked, sort="'; DROP", days="x")


def test_a_machines_labeler_is_nobodys_page(worked, as_manager):
    machine = factories.LabelerFactory(project=worked, kind="mc")
    imported = factories.LabelerFactory(project=worked, kind="human")
    for uid in (machine.uid, imported.uid, "nobody", "x" * 50, "a\x00b"):
        answer = as_manager.get(f"/p/{worked.uid}/quality/people/{uid}/")
        assert answer.status_code == 404


def test_the_table_sorts_by_its_address(worked, as_manager):
    answer = as_manager.get(reverse("quality", args=[worked.uid]), {"sort": "-submitted"})
    assert answer.context["people"][0].name == "anna-annotator"
    assert 'aria-sort="descending"' in answer.content.decode()


def test_the_file_has_the_tables_numbers_and_runs_no_formula(worked, as_manager, annotator):
    annotator.username = "=HYPERLINK(1)"
    annotator.save()
    row = next(r for r in rows_of(as_manager, "quality", worked) if "HYPERLINK" in r["person"])
    assert row["person"] == "'=HYPERLINK(1)"
    assert (row["gold exact part"], row["gold exact of"], row["gold late"]) == ("2", "3", "1")
    assert float(row["gold exact low"]) == pytest.approx(0.208, abs=0.001)
    assert (row["adjudication missed"], row["too fast part"]) == ("2", "1")
    person = labeler_of(annotator, worked)
    items = rows_of(as_manager, "quality_person", worked, person, against="gold")
    assert sorted(item["outcome"] for item in items) == ["exact", "exact", "late"]
    assert {item["key"] for item in items} == {"3"}


def test_a_file_has_all_items_and_a_page_fifty(project, annotator, as_manager):
    for number in range(51):
        answered(annotator, solution_of(project, number), -1)
    person = labeler_of(annotator, project)
    html = get(as_manager, "quality_person", project, person, page=2)
    assert html.count('class="link-row"') == 1
    assert len(rows_of(as_manager, "quality_person", project, person)) == 51


def test_the_pages_cost_the_same_for_many_people(
    worked, as_manager, annotator, django_assert_max_num_queries
):
    for number in range(8):
        user = factories.MembershipFactory(project=worked).user
        answered(user, solution_of(worked, 50 + number), -1)
    with django_assert_max_num_queries(18):
        get(as_manager, "quality", worked)
    with django_assert_max_num_queries(18):
        get(as_manager, "exam_people", worked)
    with django_assert_max_num_queries(18):
        get(as_manager, "quality_person", worked, labeler_of(annotator, worked))


# ones own numbers


def mine(client, project):
    return client.get(reverse("quality_mine", args=[project.uid])).context["mine"]


@pytest.fixture
def long_ago(project, annotator, adjudicator):
    """19 items with keys from before today: gold and adjudicated; 8 of the first 10 right."""
    for number in range(19):
        solution = solution_of(project, number)
        keyed(solution, adjudicator, 1)
        at = NOW - timedelta(days=3) + timedelta(minutes=number)
        purpose = "gold" if number % 2 else "label"
        answered(annotator, solution, 1 if number < 8 else 2, purpose=purpose, at=at)
    return project


def test_ones_own_accuracy_counts_whole_blocks_until_midnight(long_ago, annotator, client):
    client.force_login(annotator)
    before = mine(client, long_ago).known
    assert (before.exact.part, before.exact.whole) == (8, 10)  # the first ten of nineteen
    solution = solution_of(long_ago, 99)
    keyed(solution, long_ago.created_by, 1)
    answered(annotator, solution, 1, purpose="gold")
    assert mine(client, long_ago).known == before


def test_ones_own_page_names_no_item(worked, annotator, client):
    client.force_login(annotator)
    html = get(client, "quality_mine", worked)
    for solution in worked.solutions.all():
        assert solution.uid not in html
        assert solution.problem.statement not in html
    assert "shown from 10 items on" in html
    assert [r["of"] for r in rows_of(client, "quality_mine", worked)] == [
        "0", "0", "0", "6", "5", "5",
    ]  # fmt: skip


def test_with_few_items_ones_own_accuracy_is_not_shown(worked, annotator, client):
    client.force_login(annotator)
    assert mine(client, worked).known.exact.whole == 0


# gold items


def test_a_manager_makes_a_solution_gold_on_its_page(project, as_manager):
    solution = solution_of(project)
    html = get(as_manager, "solution", project, solution.uid)
    assert "Make it a gold item" in html
    as_manager.post(
        reverse("add_gold", args=[project.uid, solution.uid]),
        {"use": "exam", "first_error": "1", "explanation": "4 + 4 is 8"},
    )
    found = gold_items.gold_of(solution)
    assert (found.key, found.use, found.explanation) == (1, "exam", "4 + 4 is 8")
    assert "It serves in the exam." in get(as_manager, "solution", project, solution.uid)


def test_a_wrong_form_says_what_is_wrong(project, as_manager):
    solution = solution_of(project)
    address = reverse("add_gold", args=[project.uid, solution.uid])
    for data in ({}, {"use": "hidden", "first_error": "4"}, {"use": "toy", "first_error": "1"}):
        assert as_manager.post(address, data).status_code == 400
    assert not GoldItem.objects.exists()


def test_who_may_not_manage_sees_nothing_of_gold(worked, client, adjudicator, viewer):
    solution = GoldItem.objects.first().solution
    for user in (adjudicator, viewer):
        client.force_login(user)
        assert "gold" not in get(client, "solution", worked, solution.uid).lower()


def test_while_labeling_it_a_manager_sees_nothing_of_gold(project, manager, as_manager):
    solution = solution_of(project)
    gold.add(
        by=project.created_by, solution=solution, use=GoldUse.HIDDEN, explanation="", first_error=1
    )
    factories.AssignmentFactory(solution=solution, user=manager, purpose="gold")
    assert "gold" not in get(as_manager, "solution", project, solution.uid).lower()


def test_the_list_of_gold_items_filters_and_changes(worked, as_manager):
    first = GoldItem.objects.order_by("solution_id").first()
    assert "66.7 %" not in get(as_manager, "gold", worked)
    address = reverse("change_gold", args=[worked.uid, first.solution.uid])
    as_manager.post(address, {"use": "exam", "explanation": "so", "active": "on"})
    as_manager.post(address.replace(first.solution.uid, "nobody"), {"use": "exam"})
    first.refresh_from_db()
    assert (first.use, first.active) == ("exam", True)
    shown = as_manager.get(reverse("gold", args=[worked.uid]), {"shown": "exam"})
    assert [item.uid for item in shown.context["gold"]] == [first.solution.uid]
    as_manager.post(address, {"use": "exam", "explanation": "so"})
    first.refresh_from_db()
    assert not first.active


def test_the_gold_file_counts_answers(worked, as_manager):
    rows = rows_of(as_manager, "gold", worked)
    assert sorted(row["answers by first error"] for row in rows) == ["3: 1", "3: 1", "4: 1"]
    assert {row["key"] for row in rows} == {"3"}


def test_many_are_drawn_from_a_labeler(project, as_manager):
    labeler = factories.LabelerFactory(project=project, kind="human", name="experts")
    for number in range(5):
        factories.VerdictFactory(
            labeler=labeler, solution=solution_of(project, number), step_labels=[1] * 4
        )
    address = reverse("sample_gold", args=[project.uid])
    data = {"labeler": labeler.uid, "count": 3, "use": "exam", "seed": 5}
    assert as_manager.post(address, data | {"count": 0}).status_code == 400
    assert as_manager.post(address, data | {"labeler": "other"}).status_code == 400
    answer = as_manager.post(address, data, follow=True)
    assert "3 gold items more." in answer.content.decode()
    assert GoldItem.objects.filter(use="exam").count() == 3


# the exam


@pytest.fixture
def examined(project, owner, manager):
    projects.change_policy(by=owner, project=project, exam_items=1, exam_pass_share=1.0)
    project.refresh_from_db()
    for number in range(2):
        gold.add(
            by=manager, solution=solution_of(project, number), use=GoldUse.EXAM,
            explanation="THE-REASON", first_error=2,
        )  # fmt: skip
    return project


def sit(user, project, labels):
    item = assignments.lease_next(by=user, project=project, now=NOW)
    assignments.submit(
        by=user, uid=item.uid, key=uuid4(), draft={"labels": labels}, active_seconds=9, now=NOW
    )
    return item


def test_before_the_exam_its_page_says_what_awaits_and_no_key(examined, annotator, client):
    client.force_login(annotator)
    html = get(client, "exam", examined)
    assert "You pass with 100 %" in html
    assert "THE-REASON" not in html


def test_after_it_the_result_shows_each_key_and_is_noted(examined, annotator, client):
    item = sit(annotator, examined, [1, 1, 1, -1])
    client.force_login(annotator)
    html = get(client, "exam", examined)
    assert "0 of 1 right" in html
    assert "THE-REASON" in html
    assert "too late" in html
    item.refresh_from_db()
    assert item.evidence_seen_at is not None


def test_a_manager_grants_another_attempt_from_the_table(examined, annotator, as_manager, manager):
    sit(annotator, examined, [1, 1, 1, -1])
    assert "not passed" in get(as_manager, "exam_people", examined)
    address = reverse("grant_exam", args=[examined.uid, labeler_of(annotator, examined)])
    assert as_manager.post(address, {"reason": ""}).status_code == 400
    answer = as_manager.post(address, {"reason": "talked it over"}, follow=True)
    assert "may take the exam once more" in answer.content.decode()
    assert "not begun" in answer.content.decode()
    granted = ExamGrant.objects.get()
    assert (granted.user, granted.granted_by, granted.reason) == (
        annotator, manager, "talked it over",
    )  # fmt: skip
    assert as_manager.post(address, {"reason": "again"}).status_code == 409


def test_a_manager_takes_no_exam(examined, as_manager):
    assert "Your role takes no exam." in get(as_manager, "exam", examined)


# hidden gold cannot be told from other items


def same(html):
    """The page without what differs between any two items."""
    html = re.sub(r'(value|content)="[\w-]{40,}"', "", html)  # csrf
    return re.sub(r"csrf\w*|nonce-\w+", "", html, flags=re.I)


def bench_of(client, project, user, solution, purpose):
    Assignment.objects.all().delete()
    item = factories.AssignmentFactory(
        solution=solution, user=user, purpose=purpose, uid="the-same-uid", expires_at=NOW_LATER
    )
    answer = client.get(reverse("annotate", args=[project.uid]))
    page = same(answer.content.decode())
    assert item.uid in page
    headers = {k: v for k, v in answer.headers.items() if k not in {"Content-Length", "ETag"}}
    return re.sub(r"expires[^ >]*", "", page), set(headers)


NOW_LATER = NOW + timedelta(minutes=20)


def test_a_hidden_gold_item_looks_like_any_other(project, annotator, manager, client):
    solution = solution_of(project)
    gold.add(
        by=manager, solution=solution, use=GoldUse.HIDDEN, explanation="EXPLAINED", first_error=1
    )
    client.force_login(annotator)
    pages = {
        purpose: bench_of(client, project, annotator, solution, purpose)
        for purpose in ("label", "audit", "gold", "exam")
    }
    assert pages["gold"] == pages["label"] == pages["audit"] == pages["exam"]
    assert "EXPLAINED" not in pages["gold"][0]
    assert "gold" not in pages["gold"][0].lower()


def test_people_are_not_told_apart_by_their_own_numbers_page(worked, annotator, client):
    assert people.person(worked, annotator).gold.exact.whole == 3
    client.force_login(annotator)
    html = get(client, "quality_mine", worked)
    assert "hidden gold" not in html
