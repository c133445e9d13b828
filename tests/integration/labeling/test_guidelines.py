"""Guidelines have versions; who has not read one that needs it is shown it before the next item."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from labeling.domain.refusals import Invalid
from labeling.models import Acknowledgement, Event, Guideline
from labeling.models.guidelines import LONGEST
from labeling.selectors import guidelines as reads
from labeling.selectors.step_questions import questions
from labeling.services import guidelines, labelers, projects, verdicts
from labeling.services.guidelines import Overtaken
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def first(owner, project) -> Guideline:
    return guidelines.publish(by=owner, project=project, text="One is **right**.", based_on=0)


def second(owner, project, **fields) -> Guideline:
    fields = {"text": "One is **wrong**.", "change": "Turned round.", **fields}
    return guidelines.publish(by=owner, project=project, based_on=1, **fields)


def test_a_project_created_with_guidelines_has_their_first_version(owner):
    made = projects.create(by=owner, name="fresh", guidelines="Be exact.")
    assert [(g.version, g.text) for g in reads.history(made)] == [(1, "Be exact.")]
    assert reads.current(projects.create(by=owner, name="bare")) is None


def test_a_version_is_stored_with_its_event(owner, project, first):
    made = second(owner, project)
    assert (made.version, reads.current(project)) == (2, made)
    assert Event.objects.filter(action="guidelines published", details__version=2).exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"text": " \n"}, "need a text"),
        ({"text": "One is **right**.\r\n"}, "same as that of version 1"),
        ({"change": " "}, "what changed"),
        ({"text": "x" * (LONGEST + 1)}, "characters"),
    ],
)
def test_a_version_that_says_nothing_new_is_refused(owner, project, first, fields, words):
    with pytest.raises(Invalid, match=words):
        second(owner, project, **fields)
    assert Guideline.objects.count() == 1


def test_a_version_based_on_an_older_one_is_refused(owner, manager, project, first):
    second(owner, project)
    with pytest.raises(Overtaken):
        second(manager, project, text="Another thought.")


def test_an_annotator_reads_a_version_before_the_next_item(
    owner, project, annotator, first, client
):
    client.force_login(annotator)
    address = reverse("annotate", args=[project.uid])
    assert "Read this first" in client.get(address).content.decode()
    answer = client.post(reverse("acknowledge_guidelines", args=[project.uid, 1]))
    assert answer.headers["Location"] == address
    assert "Read this first" not in client.get(address).content.decode()
    second(owner, project)
    html = client.get(address).content.decode()
    assert "The guidelines have changed" in html
    assert "Turned round." in html
    assert "<b>wrong</b>" in html  # what is different, not the document's <strong>


def test_a_corrected_typing_error_holds_nobody_up(owner, project, annotator, first):
    guidelines.acknowledge(by=annotator, guideline=first, now=timezone.now())
    second(owner, project, needs_acknowledgement=False)
    assert not reads.must_read(annotator, project)


def test_a_newer_version_that_was_read_covers_older_ones(owner, project, annotator, first):
    newer = second(owner, project)
    guidelines.acknowledge(by=annotator, guideline=newer, now=timezone.now())
    assert not reads.must_read(annotator, project)


def test_the_author_has_read_what_they_wrote(owner, project, first):
    assert not reads.must_read(owner, project)


def test_the_item_ahead_is_not_given_out_while_something_is_to_be_read(
    owner, project, annotator, first, client
):
    item = factories.AssignmentFactory(solution__problem__project=project, user=annotator)
    client.force_login(annotator)
    answer = client.post(reverse("annotate_ahead", args=[project.uid, item.uid]))
    assert answer.status_code == 204


def test_acknowledging_twice_is_one_row(annotator, first):
    for _ in range(2):
        guidelines.acknowledge(by=annotator, guideline=first, now=timezone.now())
    assert Acknowledgement.objects.count() == 1
    assert Event.objects.filter(action="guidelines acknowledged").count() == 1


def test_leads_see_who_has_read_what_and_annotators_do_not(
    project, annotator, manager, first, client
):
    guidelines.acknowledge(by=annotator, guideline=first, now=timezone.now())
    found = {reader.username: (reader.version, reader.waits) for reader in reads.readers(project)}
    assert found["anna-annotator"] == (1, False)
    assert found["mona-manager"] == (None, True)
    assert found["olga-owner"] == (1, False)
    address = reverse("guidelines", args=[project.uid])
    client.force_login(manager)
    assert "Who has read them" in client.get(address).content.decode()
    client.force_login(annotator)
    assert "Who has read them" not in client.get(address).content.decode()


def test_what_was_written_survives_a_refusal(owner, project, manager, first, client):
    client.force_login(manager)
    second(owner, project)
    posted = {"text": "My own thought.", "change": "All new.", "based_on": 1}
    answer = client.post(reverse("publish_guidelines", args=[project.uid]), posted)
    assert answer.status_code == 409
    assert "My own thought." in answer.content.decode()
    assert "somebody published another version" in answer.content.decode()
    posted["based_on"] = 2
    answer = client.post(reverse("publish_guidelines", args=[project.uid]), posted, follow=True)
    assert "Version 3 is published." in answer.content.decode()


def test_the_preview_is_a_fragment_without_html_of_the_writer(project, manager, client):
    client.force_login(manager)
    answer = client.post(
        reverse("preview_guidelines", args=[project.uid]),
        {"text": "# Rules <script>alert(1)</script>"},
        headers={"HX-Request": "true"},
    )
    html = answer.content.decode()
    assert html.strip().startswith("<article")
    assert "<script>" not in html


@pytest.mark.parametrize("asked", ["1", "7", "x", "²", "-1", "9" * 40])
def test_versions_compare_with_whatever_is_asked_for(owner, project, first, asked, client):
    second(owner, project)
    client.force_login(owner)
    answer = client.get(reverse("guidelines_version", args=[project.uid, 2]), {"against": asked})
    assert answer.status_code == (200 if asked in {"1", "x", "²", "-1", "9" * 40} else 404)


def unsure(project, person, **comments):
    solution = factories.SolutionFactory(problem__project=project)
    labeler = labelers.person(by=person, project=project)
    row = verdicts.NewVerdict(solution.pk, "scored", -1, (1, 0, 1), fields={"comments": comments})
    verdicts.record(by=person, labeler=labeler, verdicts=[row])
    return solution


def test_unsure_steps_are_listed_with_their_notes(project, annotator, manager, client):
    solution = unsure(project, annotator, steps={"1": "Is <b>2n</b> enough?"}, solution="Hm.")
    factories.VerdictFactory(
        solution__problem__project=project, labeler__kind="human", step_labels=[0, 1, 1]
    )  # imported: nobody here asks
    (found,) = questions(project, "1").rows
    assert (found.solution, found.person, found.note) == (solution.uid, annotator.username, "Hm.")
    assert [(step.number, step.note) for step in found.steps] == [(2, "Is <b>2n</b> enough?")]
    client.force_login(manager)
    html = client.get(reverse("guidelines_questions", args=[project.uid])).content.decode()
    assert "Is &lt;b&gt;2n&lt;/b&gt; enough?" in html


def test_questions_cost_the_same_queries_however_many(
    project, annotator, django_assert_num_queries
):
    for _ in range(5):
        unsure(project, annotator, steps={}, solution="")
    with django_assert_num_queries(2):  # the count and the page
        assert len(questions(project, "1").rows) == 5
