"""The publishers' own files and the prepared real data go in whole, with the known counts."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from labeling.models import Decision, Problem, Solution, Verdict
from labeling.services import imports
from labeling.services.importing.options import Options

pytestmark = pytest.mark.django_db

# (file, rows, human verdicts): the counts of ../shared/data/README.md
PREPARED = [
    ("processbench_like/processbench_gsm8k.jsonl", 132, 132),
    ("processbench_like/processbench_math.jsonl", 316, 316),
    ("processbench_like/processbench_olympiadbench.jsonl", 354, 354),
    ("processbench_like/processbench_omnimath.jsonl", 335, 335),
    ("processbench_like/mrben_math.jsonl", 312, 312),
    ("processbench_like/bbm_multistep_arithmetic.jsonl", 94, 94),
    ("processbench_like/mrgsm8k_partial_errors_only.jsonl", 212, 212),
    # 21 solutions on which the annotators disagree have no label
    ("processbench_like/stepverify_mathdial.jsonl", 209, 188),
    ("processbench_like/prm800k_phase2_redundant.jsonl", 100, 100),
    ("synthetic_errors/prmbench.jsonl", 200, 200),
    ("solutions/gsm8k_qwen25_7b_bon32.jsonl", 960, 0),
    ("problems/gsm8k_test.jsonl", 462, 0),
    ("problems/olympiadbench_en_text.jsonl", 239, 0),
]
# (file, rows, solutions, verdicts)
PUBLISHED = [
    ("processbench/gsm8k.json", 12, 12, 12),
    ("processbench/omnimath.json", 4, 4, 4),
    ("gsm8k/test.jsonl", 6, 0, 0),
    ("math500/test500.jsonl", 6, 0, 0),
    ("math_shepherd/openr_samples_math-shepherd.jsonl", 7, 7, 7),
    ("mrben/math.json", 12, 12, 12),
    ("mrgsm8k/eval_results_gpt4-grading_GPT3_5.json", 4, 4, 4),
    ("bigbench_mistake/logical_deduction.jsonl", 6, 6, 6),
    ("bigbench_mistake/word_sorting.jsonl", 6, 6, 6),
    ("prmbench/prm800k_test_p1_4o_circular.jsonl", 2, 2, 2),
    ("prmbench/prm_test_p12_multi_solutions.jsonl", 2, 2, 2),
    # one path, and nine candidates beside it
    ("prm800k/prm800k-phase1-test-example.json", 1, 10, 10),
    # the written solution, and three candidates at its first error
    ("prm800k/prm800k-phase2-test-example.json", 1, 4, 4),
]


def bring_in(project, path, **options):
    report = imports.import_file(
        by=project.created_by, project=project, path=path, options=Options(**options)
    )
    assert report.errors == []
    return report


@pytest.mark.parametrize(("name", "rows", "labels"), PREPARED)
def test_prepared_data_goes_in_whole(shared_data, project, name, rows, labels):
    report = bring_in(project, shared_data / name)
    assert (report.rows, report.human_verdicts) == (rows, labels)
    hashes = {
        (row["problem"], tuple(row["steps"]))
        for row in map(json.loads, (shared_data / name).read_text().splitlines())
        if "steps" in row
    }
    assert report.solutions == len(hashes)


@pytest.mark.parametrize(("name", "rows", "solutions", "verdicts"), PUBLISHED)
def test_the_publishers_files_go_in_whole(shared_data, project, name, rows, solutions, verdicts):
    report = bring_in(project, shared_data / "original_formats" / name)
    assert (report.rows, report.solutions) == (rows, solutions)
    assert report.human_verdicts + report.machine_verdicts == verdicts


@pytest.mark.parametrize("part", ["train", "test"])
def test_prm800k_equals_what_was_prepared_from_it(shared_data, project, part):
    """Where a path was prepared as accepted, steps and labels are the same."""
    bring_in(project, shared_data / f"prm800k_nested/phase1_{part}_reconstructed.jsonl")
    lines = (shared_data / f"processbench_like/prm800k_phase1_{part}_accepted.jsonl").read_text()
    prepared = {row["problem"]: row for row in map(json.loads, lines.splitlines())}
    whole = Solution.objects.exclude(generator_config__has_key="truncated").filter(
        final_answer_correct=True
    )
    compared = 0
    for solution in whole.select_related("problem"):
        row = prepared.get(solution.problem.statement)
        if row is not None:
            steps = [step.partition("\n\n# Answer")[0] for step in solution.steps]
            verdict = Verdict.objects.get(solution=solution)
            assert (steps, verdict.step_labels) == (row["steps"], row["step_labels"])
            assert verdict.first_error == row["label"]
            compared += 1
    assert compared == 23


def test_the_two_shapes_of_math_shepherd_are_the_same_solutions(shared_data, project):
    folder = shared_data / "original_formats"
    first = bring_in(project, folder / "math_shepherd/openr_samples_math-shepherd.jsonl")
    again = bring_in(
        project, folder / "trl_stepwise/math_shepherd_via_trl_script.jsonl",
        labeler_kind="mc", labeler_name="Math-Shepherd",
    )  # fmt: skip
    assert (first.solutions, again.problems, again.solutions) == (7, 0, 0)
    assert (again.machine_verdicts, again.relabeled) == (0, 0)


def test_omegaprms_trees_are_labels_of_monte_carlo(shared_data, project):
    folder = shared_data / "original_formats/omegaprm_mc"
    bring_in(project, folder / "openr_samples_math-aps-tree.jsonl")
    assert Problem.objects.count() == 3
    verdict = Verdict.objects.select_related("labeler", "solution").first()
    assert verdict.labeler.kind == "mc"
    assert len(verdict.step_scores) == len(verdict.solution.steps)
    # machine labels of one kind alone decide nothing
    assert set(Decision.objects.values_list("state", flat=True)) == {"undecided"}


def test_a_benchmark_and_its_problems_meet(shared_data, project):
    """ProcessBench has no answers; the problems' file of the same set brings them."""
    bring_in(project, shared_data / "processbench_like/processbench_math.jsonl")
    before = Problem.objects.filter(answer="").count()
    report = bring_in(project, shared_data / "problems/math500.jsonl")
    assert report.problems + report.filled >= 1
    assert Problem.objects.filter(answer="").count() <= before
    statements = Counter(
        " ".join(s.split()) for s in Problem.objects.values_list("statement", flat=True)
    )
    assert max(statements.values()) == 1
