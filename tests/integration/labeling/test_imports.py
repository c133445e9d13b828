"""Files into rows: good lines go in, bad ones are named, the same file again adds nothing."""

from __future__ import annotations

import json

import pytest

from labeling.domain.refusals import Invalid
from labeling.domain.steps import SplitRule
from labeling.models import Decision, Problem, Solution, Verdict
from labeling.services import imports

GOOD = {"problem": "2 + 2?", "answer": "4", "steps": ["2 + 2 = 4", "Answer: 4"], "label": -1}


@pytest.fixture
def import_lines(project, tmp_path):
    def run(*lines: object, name: str = "file.jsonl") -> imports.Report:
        path = tmp_path / name
        path.write_bytes(
            b"\n".join(x if isinstance(x, bytes) else json.dumps(x).encode() for x in lines)
        )
        return imports.import_file(
            by=project.created_by, project=project, path=path, rule=SplitRule()
        )

    return run


def test_bad_lines_are_named_and_the_good_ones_go_in(import_lines):
    report = import_lines(
        GOOD, b"{broken", {"problem": "3 + 3?"}, b"", {**GOOD, "problem": "5?", "steps": ["a", ""]},
        {**GOOD, "problem": "1 + 1?"}, b"\xff\xfe", {**GOOD, "label": 2},
    )  # fmt: skip
    assert (report.problems, report.solutions, report.human_verdicts) == (2, 2, 2)
    assert [line for line, _ in report.errors] == [2, 3, 5, 7, 8]
    reasons = dict(report.errors)
    assert "not valid JSON" in reasons[2]
    assert "no reference answer" in reasons[3]
    assert "step 1 is empty" in reasons[5]
    assert "outside the 2 steps" in reasons[8]


def test_the_same_file_again_adds_nothing(import_lines):
    import_lines(GOOD, {**GOOD, "steps": ["other", "Answer: 4"]})
    again = import_lines(GOOD, {**GOOD, "steps": ["other", "Answer: 4"]})
    assert (again.problems, again.solutions, again.human_verdicts) == (0, 0, 0)
    assert (Problem.objects.count(), Solution.objects.count()) == (1, 2)
    assert Verdict.objects.count() == 2


def test_a_duplicate_within_a_file_is_stored_once(import_lines):
    assert import_lines(GOOD, GOOD, GOOD).solutions == 1


def test_human_labels_of_a_file_decide(import_lines):
    import_lines({**GOOD, "label": 1, "labelled_by": "experts"})
    decision = Decision.objects.get()
    assert (decision.state, decision.first_error) == ("adjudicated", 1)
    labeler = Verdict.objects.get().labeler
    assert (labeler.kind, labeler.name, labeler.user) == ("human", "experts", None)


def test_a_json_array_is_read_like_lines(import_lines):
    assert import_lines([GOOD, {**GOOD, "problem": "7?"}], name="rows.json").solutions == 2


def test_a_file_that_is_no_json_is_refused_by_name(import_lines, project, tmp_path):
    with pytest.raises(Invalid, match=r"rows\.json: not valid JSON"):
        import_lines(b"[{]", name="rows.json")
    with pytest.raises(Invalid, match="no such file"):
        imports.import_file(
            by=project.created_by, project=project, path=tmp_path / "absent", rule=SplitRule()
        )


def test_problems_of_a_file_keep_one_side_of_the_split(import_lines):
    import_lines(*({**GOOD, "problem": f"{n} + 1?"} for n in range(40)))
    sides = set(Problem.objects.values_list("split", flat=True))
    assert sides == {"train", "test"}


@pytest.mark.parametrize(
    ("name", "rows", "labelled"),
    [
        ("original_formats/processbench/gsm8k.json", 12, 12),
        ("processbench_like/processbench_omnimath.jsonl", 335, 335),
        ("processbench_like/processbench_gsm8k.jsonl", 132, 132),
        ("processbench_like/bbm_multistep_arithmetic.jsonl", 94, 94),
        ("problems/gsm8k_test.jsonl", None, 0),
        ("original_formats/gsm8k/test.jsonl", None, 0),
        ("original_formats/math500/test500.jsonl", None, 0),
    ],
)
def test_real_files_import_whole(shared_data, project, name, rows, labelled):
    report = imports.import_file(
        by=project.created_by, project=project, path=shared_data / name, rule=SplitRule()
    )
    assert report.errors == []
    assert report.rows > 0
    if rows is not None:
        assert (report.rows, report.human_verdicts) == (rows, labelled)
