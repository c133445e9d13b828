"""Lists of the API: parts, filters, who may read them, and what they cost."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling.domain.labels import LabelerKind
from labeling.models import Verdict
from labeling.selectors import catalog
from tests import factories as f
from tests.api import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(project):
    return Api(project)


def more(project, count=1):
    """Add one row of everything that is listed."""
    for _ in range(count):
        solution = f.SolutionFactory(problem__project=project)
        f.VerdictFactory(solution=solution)
        f.AssignmentFactory(solution=solution, user=project.created_by, submitted_at=_now())
        f.RunFactory(labeler__project=project, state="done")
        f.PRMFactory(training_run__snapshot__project=project)
        f.ImportFactory(project=project)


def _now():
    from django.utils import timezone

    return timezone.now()


LISTS = [
    "problems", "solutions", "labelers", "verdicts", "decisions", "assignments", "runs",
    "snapshots", "models", "trainings", "imports",
]  # fmt: skip

# list → a role that may not read it although a member
REFUSED = dict.fromkeys(LISTS, "annotator") | {"assignments": "viewer"}


@pytest.mark.parametrize("name", LISTS)
def test_parts_hold_every_row_once(name, api, project, owner):
    more(project, 5)
    seen, address = [], f"{name}?limit=2"
    while address:
        part = api(owner, "get", address).json()
        assert 0 < len(part["results"]) <= 2
        seen += [str(sorted(row.items(), key=str)) for row in part["results"]]
        address = part["next"] and part["next"].removeprefix("http://testserver")
    whole = api(owner, "get", f"{name}?limit=500").json()
    assert whole["next"] is None
    assert seen == [str(sorted(row.items(), key=str)) for row in whole["results"]]
    assert len(set(seen)) == len(seen) >= 5


@pytest.mark.parametrize("few", [0, 1000])
def test_verdicts_come_oldest_first_however_many_their_labelers_gave(
    few, api, project, owner, monkeypatch
):
    monkeypatch.setattr(catalog, "_FEW", few)
    for number in range(5):
        kind = LabelerKind.MC if number % 2 else LabelerKind.JUDGE
        f.VerdictFactory(solution__problem__project=project, labeler__kind=kind)
    expected = list(
        Verdict.objects.filter(labeler__kind="judge").order_by("pk").values_list("solution__uid")
    )
    seen, address = [], "verdicts?kind=judge&limit=2"
    while address:
        part = api(owner, "get", address).json()
        seen += [(row["solution"],) for row in part["results"]]
        address = part["next"] and part["next"].removeprefix("http://testserver")
    assert seen == expected
    assert len(seen) == 3


@pytest.mark.parametrize("name", LISTS)
def test_a_part_takes_as_many_queries_for_eight_rows_as_for_two(name, api, project, owner):
    taken = []
    for count in (2, 6):
        more(project, count)
        api(owner, "get", name)  # what is looked up once per process
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = api(owner, "get", name)
        assert len(answer.json()["results"]) >= count
        taken.append(len(queries))
    assert taken[0] == taken[1] <= 16


@pytest.mark.parametrize("name", LISTS)
def test_an_unknown_filter_is_refused_with_those_that_there_are(name, api, owner):
    answer = api(owner, "get", f"{name}?password__startswith=a")
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "invalid"
    assert "there are " in error["fields"]["password__startswith"]


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "cursor=%00", "cursor=!!", "cursor=YQ"])
def test_a_wrong_place_in_a_list_is_refused(query, api, owner):
    assert api(owner, "get", f"problems?{query}").status_code == 400


@pytest.mark.parametrize("name", LISTS)
def test_lists_are_for_members_with_the_right_and_tokens_with_the_scope(
    name, api, project, owner, outsider
):
    assert api(outsider, "get", name).status_code == 404
    assert api(owner, "get", name, scopes=("export",)).status_code == 403
    other = f.MembershipFactory(project=project, role=REFUSED[name]).user
    answer = api(other, "get", name)
    assert answer.status_code == 403
    assert "may not" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("problems?source=a", 1),
        ("problems?split=test", 1),
        ("solutions?answer=wrong", 1),
        ("solutions?source=a&answer=right", 0),
        ("solutions?mc=none", 1),
        ("solutions?state=disputed", 1),
        ("solutions?length=nonsense", None),
        ("solutions?mc=loud", None),
        ("verdicts?kind=judge", 0),
        ("verdicts?kind=mc&first_error=-1", 1),
        ("decisions?state=disputed", 1),
        ("labelers?kind=mc", 1),
        ("runs?state=running", 0),
    ],
)
def test_lists_are_narrowed(address, found, api, project, owner):
    odd = f.SolutionFactory(
        problem__project=project, problem__source="a", problem__split="test",
        final_answer_correct=False,
    )  # fmt: skip
    odd.decision.state = "disputed"
    odd.decision.save()
    f.VerdictFactory(solution=f.SolutionFactory(problem__project=project))
    answer = api(owner, "get", address)
    if found is None:
        assert answer.status_code == 400
    else:
        assert len(answer.json()["results"]) == found


def test_a_solution_comes_with_its_verdicts(api, project, viewer):
    verdict = f.VerdictFactory(solution__problem__project=project)
    found = api(viewer, "get", f"solutions/{verdict.solution.uid}").json()
    assert found["solution"]["steps"] == verdict.solution.steps
    assert found["solution"]["decision"] == {"state": "undecided", "first_error": None}
    assert [v["labeler"] for v in found["verdicts"]] == [verdict.labeler.uid]
    assert found["problem"]["statement"] == verdict.solution.problem.statement


def test_nothing_of_another_project_is_found(api, owner):
    other = f.PRMFactory()
    solution = f.SolutionFactory()
    run = f.RunFactory()
    for path in (
        f"problems/{solution.problem.uid}", f"solutions/{solution.uid}", f"runs/{run.uid}",
        f"models/{other.uid}", f"trainings/{other.training_run.uid}",
        f"snapshots/{other.training_run.snapshot.uid}", "problems/%00", "solutions/a%00b",
    ):  # fmt: skip
        assert api(owner, "get", path).status_code == 404, path


def test_who_manages_alone_sees_gold_keys(api, project, owner, viewer):
    f.VerdictFactory(solution__problem__project=project, labeler__kind=LabelerKind.GOLD)
    for name in ("verdicts", "labelers"):
        assert len(api(owner, "get", name).json()["results"]) == 1
        assert api(viewer, "get", name).json()["results"] == []


def test_what_is_labeled_blind_is_left_out(api, project, adjudicator):
    held = f.VerdictFactory(solution__problem__project=project).solution
    f.AssignmentFactory(solution=held, user=adjudicator)
    for name in ("solutions", "verdicts", "decisions"):
        assert api(adjudicator, "get", name).json()["results"] == [], name
    one = api(adjudicator, "get", f"solutions/{held.uid}").json()
    assert (one["verdicts"], one["solution"]["decision"]) == (None, None)


def test_an_address_that_does_not_exist_answers_in_the_same_shape(api, owner):
    answer = api(owner, "delete", "/api/nothing/here")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "path",
    ["statistics", "statistics/agreement", "statistics/diagnostics", "statistics/audit",
     "statistics/history"],
)  # fmt: skip
def test_statistics_are_for_who_views(path, api, project, viewer, annotator):
    f.VerdictFactory(solution__problem__project=project)
    assert api(viewer, "get", path).status_code == 200
    assert api(annotator, "get", path).status_code == 403
