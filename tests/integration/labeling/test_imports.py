"""Files into rows: good lines go in, bad ones are named, the same file again adds nothing."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from labeling.domain.refusals import Invalid
from labeling.models import Decision, Event, Labeler, Problem, Solution, Verdict
from labeling.services import decisions, imports
from labeling.services.importing import batches
from labeling.services.importing.options import Options
from labeling.services.importing.reports import Report
from tests import factories
from tests.format_rows import NATIVE, ROWS

GOOD = {**NATIVE, "problem": "2 + 2?"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def import_lines(project, tmp_path):
    """Import lines; a dry run before must have said the same, and written nothing."""

    def run(*lines: object, name: str = "file.jsonl", **options: object) -> Report:
        path = tmp_path / name
        path.write_bytes(
            b"\n".join(x if isinstance(x, bytes) else json.dumps(x).encode() for x in lines)
        )
        given = {
            "by": project.created_by,
            "project": project,
            "path": path,
            "options": Options.from_dict(options),
        }
        before = stored()
        expected = imports.count_file(**given)
        assert stored() == before
        report = imports.import_file(**given)
        assert report == expected
        return report

    return run


def stored():
    return [
        list(model.objects.order_by("pk").values())
        for model in (Problem, Solution, Verdict, Decision, Labeler, Event)
    ]


def test_bad_lines_are_named_and_the_good_ones_go_in(import_lines):
    report = import_lines(
        GOOD, b"{broken", {"problem": "3 + 3?"}, b"", {**GOOD, "problem": "5?", "steps": ["a", ""]},
        {**GOOD, "problem": "1 + 1?"}, b"\xff\xfe", {**GOOD, "label": 2},
    )  # fmt: skip
    assert (report.problems, report.solutions, report.human_verdicts) == (2, 2, 2)
    assert (report.rows, report.refused) == (7, 5)
    assert [line for line, _ in report.errors] == [2, 3, 5, 7, 8]
    reasons = dict(report.errors)
    assert "not valid JSON" in reasons[2]
    assert "no reference answer" in reasons[3]
    assert "step 1 is empty" in reasons[5]
    assert "outside the 2 steps" in reasons[8]


def test_the_same_file_again_adds_nothing(import_lines):
    lines = GOOD, {**GOOD, "steps": ["other", "Answer: 4"]}, ROWS["prm800k"], ROWS["trl"]
    first = import_lines(*lines, format="native")
    assert (first.problems, first.solutions, first.refused) == (1, 2, 2)
    before = stored()[:4]
    again = import_lines(*lines, format="native")
    assert (again.problems, again.solutions, again.human_verdicts) == (0, 0, 0)
    assert (again.filled, again.relabeled) == (0, 0)
    assert stored()[:4] == before


def test_a_duplicate_within_a_file_is_stored_once(import_lines, monkeypatch):
    assert import_lines(GOOD, GOOD, GOOD).solutions == 1
    monkeypatch.setattr(batches, "SOLUTIONS", 1)  # also where they come in different batches
    other = {**GOOD, "problem": "other"}
    report = import_lines(other, other, other)
    assert (report.problems, report.solutions, report.human_verdicts) == (1, 1, 1)


def test_human_labels_of_a_file_decide(import_lines):
    import_lines({**GOOD, "label": 1, "labelled_by": "experts"})
    decision = Decision.objects.get()
    assert (decision.state, decision.first_error) == ("adjudicated", 1)
    assert decision.follows_from == [Verdict.objects.get().pk]
    labeler = Verdict.objects.get().labeler
    assert (labeler.kind, labeler.name, labeler.user) == ("human", "experts", None)


def test_labels_of_nobody_in_particular_are_named_by_the_file_or_the_user(import_lines):
    import_lines(GOOD)
    import_lines(GOOD, labeler_name="Team A")
    import_lines(GOOD, labeler_name="a judge", labeler_kind="judge")
    assert set(Labeler.objects.values_list("kind", "name")) == {
        ("human", "labels in file.jsonl"), ("human", "Team A"), ("judge", "a judge"),
    }  # fmt: skip


def test_labels_of_unknown_origin_need_a_word_from_the_user(import_lines):
    with pytest.raises(Invalid, match="does not say who or what made the labels"):
        import_lines(ROWS["trl"])
    assert import_lines(ROWS["trl"], labels=False).solutions == 1
    assert not Verdict.objects.exists()
    report = import_lines(ROWS["trl"], labeler_kind="mc", labeler_name="8 rollouts")
    assert (report.solutions, report.machine_verdicts) == (0, 1)
    verdict = Verdict.objects.get()
    assert (verdict.labeler.kind, verdict.labeler.name) == ("mc", "8 rollouts")


def test_two_people_who_disagree_make_a_dispute(import_lines):
    report = import_lines(
        {**GOOD, "labelled_by": "A"}, {**GOOD, "labelled_by": "B", "label": 0},
        {**GOOD, "labelled_by": "C"},
    )  # fmt: skip
    assert (report.solutions, report.human_verdicts) == (1, 3)
    decision = Decision.objects.get()
    assert (decision.state, decision.first_error) == ("disputed", None)
    assert sorted(decision.follows_from) == sorted(Verdict.objects.values_list("pk", flat=True))


def test_decisions_are_those_that_follow_from_the_verdicts(import_lines, project):
    kinds = ("mc", "judge")
    rows = [
        {**GOOD, "problem": f"{n}?", "steps": list("abc"), "label": n % 4 - 1} for n in range(20)
    ]
    for shift, kind in enumerate(kinds):
        moved = [{**row, "label": (n // 3 + shift) % 4 - 1} for n, row in enumerate(rows)]
        import_lines(*moved, labeler_kind=kind, labeler_name=kind)
    import_lines(*rows[:5], labeler_name="a person")
    kept = list(
        Decision.objects.order_by("pk").values("state", "first_error", "follows_from", "priority")
    )
    assert len({row["state"] for row in kept}) > 1
    decisions.recompute(by=project.created_by, project=project)
    assert kept == list(
        Decision.objects.order_by("pk").values("state", "first_error", "follows_from", "priority")
    )  # fmt: skip


def test_labelers_switched_off_decide_nothing(import_lines):
    import_lines(GOOD)
    Labeler.objects.update(active=False)
    import_lines({**GOOD, "problem": "new"})
    assert Decision.objects.get(solution__problem__statement="new").state == "undecided"


def test_a_json_array_is_read_like_lines(import_lines):
    assert import_lines([GOOD, {**GOOD, "problem": "7?"}], name="rows.json").solutions == 2


def test_a_csv_is_read_by_its_header_or_by_a_mapping(import_lines):
    report = import_lines(b"question,gold\n2 + 2?,4\n3 + 3?,\n", name="a.csv")
    assert (report.problems, report.refused) == (1, 1)
    with pytest.raises(Invalid, match="which column is the problem; the file has text, key"):
        import_lines(b"text,key\nHalve 8.,4\n", name="b.csv")
    mapped = import_lines(
        b'text,key,out,err\nHalve 8.,4,"It is 4.\n\nAnswer: 4",-1\n', name="b.csv",
        columns={"problem": "text", "answer": "key", "response": "out", "label": "err"},
    )  # fmt: skip
    assert (mapped.solutions, mapped.human_verdicts) == (1, 1)
    assert Solution.objects.get().steps == ["It is 4.", "Answer: 4"]


def test_columns_of_json_can_be_mapped_too(import_lines):
    with pytest.raises(Invalid, match="no known format has these fields: q, a"):
        import_lines({"q": "2?", "a": "2"})
    assert (
        import_lines({"q": "2?", "a": "2"}, columns={"problem": "q", "answer": "a"}).problems == 1
    )


def test_a_file_that_is_no_json_is_refused_by_name(import_lines, project, tmp_path):
    with pytest.raises(Invalid, match=r"rows\.json: not valid JSON"):
        import_lines(b"[{]", name="rows.json")
    with pytest.raises(Invalid, match="no such file"):
        imports.import_file(by=project.created_by, project=project, path=tmp_path / "absent")


def test_problems_of_a_file_keep_one_side_of_the_split(import_lines):
    import_lines(*({**GOOD, "problem": f"{n} + 1?"} for n in range(40)))
    assert set(Problem.objects.values_list("split", flat=True)) == {"train", "test"}


def test_a_problem_is_the_same_with_another_answer_or_other_spaces(import_lines):
    report = import_lines(
        {"problem": "A\n b?", "answer": "70,000"}, {"problem": "A b? ", "answer": "70000"}
    )
    assert report.problems == 1
    assert Problem.objects.get().answer == "70,000"
    assert report.notes[batches.OTHER_ANSWER].count == 1


def test_every_batch_leaves_an_audit_event(import_lines, monkeypatch):
    monkeypatch.setattr(batches, "SOLUTIONS", 2)
    import_lines(*({**GOOD, "problem": f"{n}?"} for n in range(3)))
    counts = Event.objects.filter(action="rows imported").values_list("details", flat=True)
    assert [row["solutions"] for row in counts] == [2, 1]
    assert Event.objects.get(action="file imported").details == {"rows": 3, "refused": 0}


def test_a_bad_row_leaves_nothing_behind(import_lines):
    row = json.loads(json.dumps(ROWS["prm800k"]))
    row["label"]["steps"][2]["completions"][0]["rating"] = 7  # after good candidates
    assert import_lines(ROWS["prm800k"], row).solutions == 5
    assert import_lines(row, {**ROWS["prm800k"], "question": {"problem": "new"}}).refused == 1


def test_a_file_may_name_many_labelers_but_not_any_number(import_lines, monkeypatch):
    monkeypatch.setattr(batches, "LABELERS_LIMIT", 3)
    lines = [{**GOOD, "problem": f"{n}?", "labelled_by": f"p{n}"} for n in range(5)]
    report = import_lines(*lines)
    assert (report.human_verdicts, report.refused) == (3, 2)


def test_progress_is_told_batch_by_batch(project, tmp_path, monkeypatch):
    monkeypatch.setattr(batches, "SOLUTIONS", 10)
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps({**GOOD, "problem": f"{n}?"}) for n in range(25)))
    seen: list[tuple[int, float]] = []
    imports.import_file(
        by=project.created_by, project=project, path=path,
        on_progress=lambda report: seen.append((report.rows, report.share)),
    )  # fmt: skip
    assert [rows for rows, _ in seen] == [10, 20, 25]
    assert all(0 <= share <= 1 for _, share in seen)


@pytest.mark.parametrize("name", sorted(ROWS))
def test_every_format_is_stored(import_lines, name):
    options = {"labeler_kind": "mc"} if name in ("trl", "record", "qwen") else {}
    report = import_lines(ROWS[name], **options)
    assert (report.problems, report.refused) == (1, 0)
    kinds = Counter(Verdict.objects.values_list("labeler__kind", flat=True))
    assert sum(kinds.values()) == report.human_verdicts + report.machine_verdicts
    assert Solution.objects.count() == Decision.objects.count() == report.solutions


def test_counts_scores_and_truncation_are_stored(import_lines):
    import_lines(ROWS["record"], labeler_kind="mc")
    verdict = Verdict.objects.get()
    assert (verdict.mc_k, verdict.mc_n, verdict.step_labels) == ([3, 0], [8, 8], [1, -1])
    import_lines(ROWS["omegaprm"])
    scores = Verdict.objects.filter(labeler__name="OmegaPRM").values_list("step_scores", flat=True)
    assert sorted(scores) == [[0.0], [0.75, 0.0], [0.75, 1.0]]
    import_lines(ROWS["prm800k"])
    cut = Solution.objects.filter(generator_config__truncated=True).count()
    assert cut == 4


def test_a_rejection_of_a_file_discards(import_lines):
    row = json.loads(json.dumps(ROWS["prm800k"]))
    row["label"]["finish_reason"] = "bad_problem"
    import_lines(row, alternatives=False)
    assert Decision.objects.get().state == "discarded"


def test_a_project_does_not_see_anothers_rows(import_lines):
    other = factories.SolutionFactory(problem__statement=GOOD["problem"])
    assert import_lines(GOOD).problems == 1
    assert Problem.objects.filter(project=other.project).count() == 1


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"format": "nothing"}, "is none of prm800k"),
        ({"split": "nowhere"}, "is none of paragraphs"),
        ({"labeler_kind": "adjudicator"}, "labeler_kind"),
        ({"labels": "yes"}, "labels: bool"),
        ({"columns": {"problem": 3}}, "columns: texts"),
        ({"licence": "x" * 201}, "licence: at most 200"),
        ({"source": "a\x00"}, "source: at most 200"),
        ({"labeler_name": "\ud800"}, "labeler_name: at most 200"),
        ({"wings": 2}, "wings is no option"),
        ({"columns": {"problem": "nowhere"}}, "no column nowhere"),
    ],
)
def test_options_that_mean_nothing_are_refused(import_lines, options, reason):
    with pytest.raises(Invalid, match=reason):
        import_lines(GOOD, **options)
