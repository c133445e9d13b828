"""The project's pages: numbers, filters, who may see what, and how many queries they take."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from labeling.domain.labels import LabelerKind, VerdictState
from labeling.models import Decision, Run, Verdict
from labeling.selectors import overview as numbers
from labeling.selectors import solutions as lists
from labeling.selectors.filters import Filters
from labeling.services import decisions, labelers, rollups, verdicts
from tests import factories

pytestmark = pytest.mark.django_db


def say(labeler, said):
    """Record verdicts: solution → first error, or None for unscored."""
    rows = [
        verdicts.NewVerdict(
            solution.pk,
            VerdictState.UNSCORED if first_error is None else VerdictState.SCORED,
            first_error,
            reason="no verdict in the answer" if first_error is None else "",
        )
        for solution, first_error in said
    ]
    verdicts.record(by=labeler.project.created_by, labeler=labeler, verdicts=rows)


@pytest.fixture
def labeled(project, owner):
    """Eight solutions; MC and the judge on seven of them.

    index:  0   1   2   3   4   5   6   7
    mc:    -1   1   1   1  -1   0  -1   .
    judge: -1   1   2  -1   0   0   .   ?      (. none, ? unscored)
    gold:  -1   1   1   1   0   0  -1  -1
    """
    solutions = [
        factories.SolutionFactory(problem__project=project, final_answer_correct=i % 2 == 0)
        for i in range(8)
    ]
    register = {"by": owner, "project": project}
    mc = labelers.register(**register, kind=LabelerKind.MC, name="mc", config={})
    judge = labelers.register(**register, kind=LabelerKind.JUDGE, name="judge", config={})
    gold = labelers.register(**register, kind=LabelerKind.GOLD, name="gold", config={})
    decisions.refresh(project=project, solutions=solutions)
    say(mc, zip(solutions, [-1, 1, 1, 1, -1, 0, -1], strict=False))
    say(judge, zip(solutions, [-1, 1, 2, -1, 0, 0], strict=False))
    say(judge, [(solutions[7], None)])
    say(gold, zip(solutions, [-1, 1, 1, 1, 0, 0, -1, -1], strict=True))
    rollups.fold_all()
    return solutions


def test_decision_counts_add_up_to_the_solutions(labeled, project):
    counts = numbers.counts(project)
    # agree: 0, 1, 5; disagree: 2, 3, 4; one of the two is missing or unscored: 6, 7
    assert counts.decisions == {
        "undecided": 2,
        "consensus": 3,
        "disputed": 3,
        "adjudicated": 0,
        "discarded": 0,
    }
    assert sum(counts.decisions.values()) == counts.solutions == 8
    assert (counts.decided_without_error, counts.decided_with_error) == (1, 2)
    assert (counts.right_answers, counts.wrong_answers, counts.unknown_answers) == (4, 4, 0)


def test_a_solution_without_a_decision_row_counts_as_undecided(labeled, project):
    labeled[0].decision.delete()
    rollups.fold_all()
    counts = numbers.counts(project)
    assert counts.decisions["undecided"] == 3
    assert sum(counts.decisions.values()) == 8


def test_right_answers_decided_to_have_a_wrong_step_are_counted(labeled, project, owner):
    # consensus on solutions 0 (no error), 1 and 5 (an error); of these only 0 has a right answer
    assert numbers.counts(project).flawed_right_answers == 0
    labeled[1].final_answer_correct = True
    labeled[1].save()
    rollups.fold_all()
    assert numbers.counts(project).flawed_right_answers == 1


def test_agreement_of_mc_and_judge_is_counted_by_relation(labeled, project):
    counts = numbers.counts(project)
    agreement = numbers.compared(project, numbers.coverage(project, counts.solutions)).agreement
    assert agreement.n == 6
    assert (agreement.both_right, agreement.same_error, agreement.different_error) == (1, 2, 1)
    assert (agreement.only_first, agreement.only_second) == (1, 1)
    assert agreement.exact == pytest.approx(3 / 6)


def test_coverage_counts_verdicts_unscored_and_missing(labeled, project):
    covered = {str(row.kind): row for row in numbers.coverage(project, 8)}
    assert (covered["mc"].scored, covered["mc"].unscored, covered["mc"].missing) == (7, 0, 1)
    assert (covered["judge"].scored, covered["judge"].unscored) == (6, 1)
    assert covered["judge"].missing == 1


def test_truth_compares_each_source_with_the_gold_key(labeled, project):
    found = {t.name: t.quality for t in numbers.truths(project, numbers.coverage(project, 8))}
    # mc against gold: equal on 0, 1, 2, 3, 5, 6; wrong on 4 (called right)
    assert found["Monte Carlo"].n == 7
    assert found["Monte Carlo"].exact == pytest.approx(6 / 7)
    assert found["Monte Carlo"].wrong_called_right == pytest.approx(1 / 5)
    # the judge: equal on 0, 1, 4, 5
    assert found["LLM judge"].exact == pytest.approx(4 / 6)
    assert found["Consensus"].exact == 1


def test_the_overview_says_what_the_last_snapshot_holds(project, owner, client):
    factories.SolutionFactory(problem__project=project)
    client.force_login(owner)
    address = reverse("overview", args=[project.uid])
    assert "nothing is frozen yet" in client.get(address).content.decode()
    factories.SnapshotFactory(
        project=project, frozen_at=timezone.now(), counts={"records": 1234},
        decisions_at_freeze=1300, content_hash="0" * 64, folder="release",
    )  # fmt: skip
    page = client.get(address).content.decode()
    assert "1,234</a>" in page
    assert "of 1,300 decided then" in page


def test_only_who_manages_sees_the_gold_key_on_the_overview(
    labeled, project, owner, viewer, client
):
    address = reverse("overview", args=[project.uid])
    client.force_login(viewer)
    assert b"Against the gold key" not in client.get(address).content
    client.force_login(owner)
    assert b"Against the gold key" in client.get(address).content


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, range(8)),
        ({"state": "disputed"}, [2, 3, 4]),
        ({"state": "undecided"}, [6, 7]),
        ({"mc": "none"}, [0, 4, 6]),
        ({"mc": "error"}, [1, 2, 3, 5]),
        ({"mc": "2"}, [1, 2, 3]),
        ({"mc": "missing"}, [7]),
        ({"judge": "unscored"}, [7]),
        ({"judge": "missing"}, [6]),
        ({"judge": "scored"}, [0, 1, 2, 3, 4, 5]),
        ({"relation": "compared"}, [0, 1, 2, 3, 4, 5]),
        ({"relation": "both_right"}, [0]),
        ({"relation": "same_error"}, [1, 5]),
        ({"relation": "different_error"}, [2]),
        ({"relation": "only_first"}, [3]),
        ({"relation": "only_second"}, [4]),
        ({"answer": "right", "mc": "error"}, [2]),
        ({"split": "test"}, []),
        ({"generator": "factory-model"}, range(8)),
        ({"generator": "another"}, []),
    ],
)
def test_filters_pick_the_solutions_that_they_name(labeled, project, viewer, filters, expected):
    page = lists.listed(project, viewer, Filters(**filters))
    assert [row.uid for row in page.rows] == [labeled[i].uid for i in expected]
    assert page.total == len(expected)


def test_every_count_of_the_overview_leads_to_as_many_solutions(labeled, project, viewer):
    counts = numbers.counts(project)
    agreement = numbers.compared(project, numbers.coverage(project, 8)).agreement
    for state, n in counts.decisions.items():
        assert lists.listed(project, viewer, Filters(state=state)).total == n
    for relation in ("both_right", "same_error", "different_error", "only_first", "only_second"):
        found = lists.listed(project, viewer, Filters(relation=relation)).total
        assert found == getattr(agreement, relation)


def test_pages_of_the_list_follow_each_other_without_gap_or_repeat(
    project, viewer, client, monkeypatch
):
    monkeypatch.setattr(lists, "PAGE", 3)
    made = [factories.SolutionFactory(problem__project=project).uid for _ in range(8)]
    first = lists.listed(project, viewer, Filters())
    second = lists.listed(project, viewer, Filters(), after=first.after)
    third = lists.listed(project, viewer, Filters(), after=second.after)
    seen = [row.uid for page in (first, second, third) for row in page.rows]
    assert seen == made
    assert (first.before, third.after) == (None, None)
    back = lists.listed(project, viewer, Filters(), before=third.before)
    assert [row.uid for row in back.rows] == made[3:6]
    start = lists.listed(project, viewer, Filters(), before=back.before)
    assert [row.uid for row in start.rows] == made[:3]
    assert start.before is None


def test_unknown_filter_values_narrow_nothing_and_say_so(labeled, project, viewer, client):
    client.force_login(viewer)
    answer = client.get(reverse("solutions", args=[project.uid]), {"mc": "'; DROP", "state": "x"})
    assert answer.status_code == 200
    assert b"choose one of the list" in answer.content


@pytest.mark.parametrize("name", ["overview", "solutions", "runs", "data"])
def test_pages_take_the_same_number_of_queries_whatever_the_size(
    name, labeled, project, owner, client
):
    client.force_login(owner)
    address = reverse(name, args=[project.uid])
    one_more_of_everything(project)
    before = queries_of(client, address)
    for _ in range(5):
        one_more_of_everything(project)
    assert queries_of(client, address) == before
    assert before <= 25


def one_more_of_everything(project):
    mc = project.labelers.get(kind="mc")
    factories.RunFactory(labeler=mc, project=project)
    snapshot = factories.SnapshotFactory(project=project)
    factories.PRMFactory(training_run=factories.TrainingRunFactory(snapshot=snapshot))
    solution = factories.SolutionFactory(problem__project=project)
    factories.VerdictFactory(solution=solution, labeler=mc)


def queries_of(client, address):
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_the_list_is_narrowed_to_what_people_passed_back_as_too_hard(labeled, project, viewer):
    for count, solution in enumerate(labeled[:3]):
        Decision.objects.filter(solution=solution).update(gave_up=count)
    found = {
        wanted: [row.uid for row in lists.listed(project, viewer, Filters(gave_up=wanted)).rows]
        for wanted in ("some", "more")
    }
    assert found == {"some": [labeled[1].uid, labeled[2].uid], "more": [labeled[2].uid]}


def test_ones_own_numbers_are_in_the_menu_of_who_labels(project, annotator, viewer, client):
    for user, shown in ((annotator, True), (viewer, False)):
        client.force_login(user)
        html = client.get(reverse("guidelines", args=[project.uid])).content.decode()
        assert (reverse("quality_mine", args=[project.uid]) in html) is shown


def test_solution_page_takes_few_queries_whatever_the_evidence(labeled, project, owner, client):
    client.force_login(owner)
    address = reverse("solution", args=[project.uid, labeled[0].uid])
    before = queries_of(client, address)
    mc = project.labelers.get(kind="mc")
    for step in range(3):
        for sample in range(8):
            factories.RolloutFactory(
                solution=labeled[0], labeler=mc, step=step, sample=sample, text="rolled on"
            )
    assert queries_of(client, address) == before


def test_solution_page_shows_counts_and_critique(labeled, project, viewer, client):
    solution = labeled[1]
    mc = project.labelers.get(kind="mc")
    Verdict.objects.filter(solution=solution, labeler=mc).update(
        mc_k=[7, 0, None], mc_n=[8, 8, None]
    )
    Verdict.objects.filter(solution=solution, labeler__kind="judge").update(
        critique="Paragraph 2 divides by zero."
    )
    client.force_login(viewer)
    html = client.get(reverse("solution", args=[project.uid, solution.uid])).content.decode()
    assert "<b>7 of 8</b>" in html
    assert "<b>0 of 8</b>" in html
    assert "Paragraph 2 divides by zero." in html
    assert "Adjudicate" not in html


def test_adjudicating_decides_the_solution_once(labeled, project, adjudicator, client):
    client.force_login(adjudicator)
    page = client.get(reverse("solution", args=[project.uid, labeled[2].uid]))
    data = {"key": str(page.context["key"]), "first_error": "1", "reason": "step 2 adds wrongly"}
    address = reverse("adjudicate", args=[project.uid, labeled[2].uid])
    assert client.post(address, data).status_code == 302
    assert client.post(address, data).status_code == 302
    labeled[2].decision.refresh_from_db()
    assert (labeled[2].decision.state, labeled[2].decision.first_error) == ("adjudicated", 1)
    assert Verdict.objects.filter(solution=labeled[2], labeler__kind="adjudicator").count() == 1


def test_an_adjudication_without_choice_or_reason_is_answered_beside_the_form(
    labeled, project, adjudicator, client
):
    client.force_login(adjudicator)
    address = reverse("adjudicate", args=[project.uid, labeled[2].uid])
    key = "5b1e8f3e-0000-4000-8000-000000000000"
    silent = client.post(address, {"key": key, "first_error": "0"})  # mc says 1, the judge 2
    assert silent.status_code == 400
    assert "against all needs a reason" in silent.content.decode()
    assert b'value="0" id="first-error-0" aria-label="Step 1 is the first error" checked' in (
        silent.content
    )
    undecided = client.post(address, {"key": key, "reason": "the typed words"})
    assert undecided.status_code == 400
    assert b"choose the first wrong step" in undecided.content
    assert b"the typed words</textarea>" in undecided.content


def test_discarding_takes_the_solution_out(labeled, project, adjudicator, client):
    client.force_login(adjudicator)
    page = client.get(reverse("solution", args=[project.uid, labeled[2].uid]))
    data = {"key": str(page.context["key"]), "reason": "cut badly", "discard": "1"}
    client.post(reverse("adjudicate", args=[project.uid, labeled[2].uid]), data)
    labeled[2].decision.refresh_from_db()
    assert labeled[2].decision.state == "discarded"


def test_the_running_part_polls_while_something_runs_and_stops_when_done(
    labeled, project, viewer, client
):
    client.force_login(viewer)
    address = reverse("overview", args=[project.uid])
    run = factories.RunFactory(labeler=project.labelers.get(kind="mc"), project=project)
    part = client.get(address, headers={"HX-Request": "true"})
    assert b"<html" not in part.content
    assert b'hx-trigger="every 2s"' in part.content
    assert "HX-Request" in part.headers["Vary"]
    Run.objects.filter(pk=run.pk).update(state="done")
    part = client.get(address, headers={"HX-Request": "true"})
    assert b"hx-trigger" not in part.content


def test_the_running_part_shows_trainings_and_how_many_wait(labeled, project, viewer, client):
    client.force_login(viewer)
    address = reverse("overview", args=[project.uid])
    snapshot = factories.SnapshotFactory(project=project)
    at_work, waits = (
        factories.TrainingRunFactory(snapshot=snapshot, name=name, state=state, progress=progress)
        for name, state, progress in [
            ("seed 7", "training", {"step": 38, "steps": 100}),
            ("seed 8", "waiting", {}),
        ]
    )
    part = client.get(address, headers={"HX-Request": "true"}).content.decode()
    for words in ("seed 7", "38 of 100", "One more training waits."):
        assert words in part
    assert 'hx-trigger="every 2s"' in part
    at_work.delete()
    waits.delete()
    assert "Nothing runs now." in client.get(address).content.decode()
