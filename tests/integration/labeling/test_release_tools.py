"""A release in each format, in the tools that the format is for: their field accesses, their sums.

The published code is not here; each test says which file it follows.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from labeling.domain.exports import FORMATS
from labeling.domain.judging import judge_template
from labeling.domain.releases import AfterError, Rule
from labeling.models import Solution, Verdict
from labeling.services import imports, snapshot_formats, snapshots
from labeling.services.importing.options import Options
from tests import factories
from tests.tiny_models import make_tiny_qwen
from trainer.evaluation import Prediction, split_result

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[3]
NAMES = [form.name for form in FORMATS]
STEPS = ["Step 1: Add.", "Step 2: It is 3.", "Step 3: So 4."]
# Two right ones (the second with a wrong answer), two wrong ones; one step is neutral.
ERRORS = {"P0?": (-1, [1, 0, 1]), "P1?": (1, [1, -1, None]), "P2?": (-1, [1, 1, 1]),
          "P3?": (0, [-1, 1, -1])}  # fmt: skip


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.VAR_DIR = tmp_path / "var"


def bring_in(project, path, **options):
    given = Options(labeler_kind="human", labeler_name="someone", **options)
    report = imports.import_file(by=project.created_by, project=project, path=path, options=given)
    assert report.errors == []
    return report


def put(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def chain(problem, error):
    """A judge's words on a solution, in the form of the boxed template."""
    paragraphs = "\n\n".join(
        f"<paragraph_{at}>\n{step}\n</paragraph_{at}>" for at, step in enumerate(STEPS)
    )
    before, _, rest = judge_template("processbench-v1").text.partition("{problem}")
    between, _, after = rest.partition("{solution}")
    question = f"{before}{problem}{between}{paragraphs}{after}"
    reply = f"I looked at each. \\boxed{{{error}}}"
    turns = [("user", question), ("assistant", reply)]
    return {
        "messages": [{"role": role, "content": content} for role, content in turns],
        "judge": "a-judge",
        "first_error": error,
    }


@pytest.fixture
def labeled(project, tmp_path):
    """Four solutions with people's labels, and a judge's words on the same first errors."""
    rows = [
        {
            "problem": problem, "answer": "3", "steps": STEPS, "label": error,
            "step_labels": labels, "labelled_by": "ann", "generator": "a-model",
            "final_answer_correct": at == 0, "source": "ours", "licence": "CC0-1.0",
            "problem_id": f"p{at}", "solution_id": f"s{at}",
        }
        for at, (problem, (error, labels)) in enumerate(ERRORS.items())
    ]  # fmt: skip
    bring_in(project, put(tmp_path / "people.jsonl", *rows))
    chains = [chain(problem, error) for problem, (error, _) in ERRORS.items()]
    bring_in(project, put(tmp_path / "judge.jsonl", *chains))
    return project


@pytest.fixture
def files(labeled):
    """Write the release in a format and return its folder's data files."""

    def write(name, **rule):
        snapshot = snapshots.freeze_now(
            by=labeled.created_by, project=labeled, name="r",
            rule=Rule(critiques=True, **rule), now=NOW,
        )  # fmt: skip
        folder = snapshots.folder_of(snapshot)
        if name != "native":
            snapshot_formats.ask(by=labeled.created_by, snapshot=snapshot, name=name)
            snapshot_formats.write_missing(by=labeled.created_by, snapshot=snapshot)
            folder = folder / "formats" / name
        return sorted(path for path in folder.iterdir() if path.suffix in {".jsonl", ".json",
                                                                           ".parquet"})  # fmt: skip

    return write


def rows_of(paths):
    found = []
    for path in paths:
        text = path.read_text(encoding="utf-8")
        found += json.loads(text) if path.suffix == ".json" else map(json.loads, text.splitlines())
    return sorted(found, key=lambda row: json.dumps(row, sort_keys=True))


@pytest.mark.parametrize("name", ["native", *NAMES])
def test_the_written_files_import_as_what_was_released(files, name):
    # In full where the steps after the error have labels: TRL and Math-Shepherd cut there else.
    paths = files(name, after_error=AfterError.WRONG)
    other = factories.ProjectFactory()
    for path in paths:
        bring_in(other, path)
    solutions = Solution.objects.filter(project=other).select_related("problem")
    assert {(s.problem.statement, tuple(s.steps)) for s in solutions} == {
        (problem, tuple(STEPS)) for problem in ERRORS
    }
    verdicts = Verdict.objects.filter(solution__project=other)
    said = {(v.solution.problem.statement, v.first_error) for v in verdicts}
    assert said == {(problem, error) for problem, (error, _) in ERRORS.items()}
    again = [bring_in(other, path) for path in paths]
    assert all((report.problems, report.solutions) == (0, 0) for report in again)


def test_a_release_of_an_imported_release_is_the_same(files, tmp_path):
    before = rows_of(files("native"))
    other = factories.ProjectFactory()
    for path in files("native"):
        bring_in(other, path)
    again = snapshots.freeze_now(
        by=other.created_by, project=other, name="r", rule=Rule(critiques=True), now=NOW
    )
    folder = snapshots.folder_of(again)
    after = rows_of(path for path in folder.iterdir() if path.suffix == ".jsonl")
    # Who labeled is another's name now, and so is the judge's; the rest is the same.
    for row in (*before, *after):
        for name in ("labelers", "critique_by", "labels", "policy"):
            row["sources"].pop(name)
    assert after == before


def critic_reply(row, first):
    """Ask as code/run_eval.py does: one user's turn, numbered paragraphs from 0."""
    assert isinstance(row["problem"], str)
    tagged = "".join(
        f"<paragraph_{at}>\n{step}\n</paragraph_{at}>\n\n" for at, step in enumerate(row["steps"])
    )
    assert tagged.strip().endswith(f"</paragraph_{len(row['steps']) - 1}>")
    return f"Paragraph {first} … \\boxed{{{first}}}"


def test_the_published_evaluation_of_processbench_runs_on_the_files(files):
    # QwenLM/ProcessBench code/run_eval.py: problem, steps and label of each row; the last box as an
    # integer against the label; code/run_eval_prm_trl.py: means times 100, their harmonic mean.
    rows = rows_of(files("processbench"))
    assert {tuple(sorted(row)) for row in rows} == {
        ("final_answer_correct", "generator", "id", "label", "problem", "steps")
    }
    assert all(type(row["label"]) is int for row in rows)
    results = []
    for row in rows:
        # A critic that finds the error at step 0 and calls all else right.
        reply = critic_reply(row, 0 if row["problem"] == "P3?" else -1)
        prediction = int(re.findall(r"\\boxed\{([^}]*)\}", reply)[-1].strip())
        results.append({**row, "prediction": prediction, "match": prediction == row["label"]})
    json.dumps(results)
    wrong = [row["match"] for row in results if row["label"] != -1]
    right = [row["match"] for row in results if row["label"] == -1]
    acc1, acc2 = np.mean(wrong) * 100, np.mean(right) * 100
    # P3 found and P1 missed: 50; P0 and P2 both right: 100; 2 · 50 · 100 / 150 = 66.7
    assert (acc1, acc2) == (50, 100)
    published = 2 * acc1 * acc2 / (acc1 + acc2)
    assert published == pytest.approx(200 / 3)
    ours = split_result(
        [Prediction(row["id"], "x", row["label"], row["prediction"], ()) for row in results]
    )
    assert ours.f1 * 100 == pytest.approx(published)


def test_published_readers_of_prm800k_get_the_rated_steps(files):
    # openai/prm800k README: the trajectory is each step's chosen completion, or the person's own.
    # imoneoi/openchat's converter (ochat): of a step without either, the completion whose text is
    # pre_generated_steps'; ratings from 0 on are right, null ones left out.
    found = {}
    for row in rows_of(files("prm800k")):
        question, label = row["question"], row["label"]
        assert label["finish_reason"] in ("solution", "found_error")
        assert row["is_quality_control_question"] is row["is_initial_screening_question"] is False
        taken = []
        for at, step in enumerate(label["steps"]):
            chosen = step["chosen_completion"]
            assert step["human_completion"] is None
            if chosen is None:
                text = question["pre_generated_steps"][at]
                (candidate,) = (c for c in step["completions"] if c["text"] == text)
            else:
                candidate = step["completions"][chosen]
            taken.append((candidate["text"], candidate["rating"]))
        assert [text for text, _ in taken] == question["pre_generated_steps"][: len(taken)]
        found[question["problem"]] = [rating for _, rating in taken]
        assert question["ground_truth_answer"] == "3"
    assert found == {"P0?": [1, 0, 1], "P1?": [1, -1], "P2?": [1, 1, 1], "P3?": [-1]}


def test_trls_converter_of_math_shepherd_takes_the_rows(files):
    # huggingface/trl examples/datasets/math_shepherd.py: the tag becomes one character, so that the
    # label's + and - stand at its places; the first step begins at the only "Step 1:".
    made = {}
    for row in rows_of(files("math-shepherd")):
        text = row["input"].replace("ки", "\u2dbb")
        places = [match.start() for match in re.finditer("\u2dbb", text)]
        assert {row["label"][place] for place in places} <= {"+", "-"}
        assert len(text) == len(row["label"])
        head, *steps = (text[a:b] for a, b in zip([0, *places], [*places, None], strict=True))
        assert steps.pop() == "\u2dbb"  # nothing follows the last tag
        assert all(step.startswith("\u2dbb") for step in steps)
        prompt, first = head.split("Step 1:")
        completions = [("Step 1:" + first).strip(), *(step[1:].strip() for step in steps)]
        labels = [row["label"][place] == "+" for place in places]
        assert len(completions) == len(labels)
        made[prompt.strip()] = (completions, labels)
    assert made == {
        "P0?": (STEPS, [True] * 3),
        "P1?": (STEPS[:2], [True, False]),
        "P2?": (STEPS, [True] * 3),
        "P3?": (STEPS[:1], [False]),
    }


_TOKENIZE = """
import json, sys
from datasets import load_dataset
from transformers import PreTrainedTokenizerFast
from trl.experimental.prm import PRMTrainer
folder, model = sys.argv[1:]
tokenizer = PreTrainedTokenizerFast.from_pretrained(model)
rows = load_dataset("json", data_files=folder + "/*.jsonl", split="train", cache_dir=folder + "/c")
made = [PRMTrainer.tokenize_row(row, tokenizer, "\\n", None, None, False, False) for row in rows]
print(json.dumps([[row["prompt"], m["input_ids"], m["labels"]] for row, m in zip(rows, made)]))
"""


def test_trl_itself_tokenizes_the_rows(files, tmp_path):
    python = Path(os.environ.get("TRL_PYTHON") or ROOT / ".venv-trl" / "bin" / "python")
    if not python.exists():
        pytest.skip("needs TRL's own environment (make bench-trainer makes it)")
    (file, *_) = files("trl")
    command = [str(python), "-c", _TOKENIZE, str(file.parent), str(make_tiny_qwen(tmp_path / "m"))]
    offline = os.environ | {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=offline, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    found = {}
    for prompt, ids, labels in json.loads(done.stdout.splitlines()[-1]):
        # One token per character: a label stands at the separator behind its step.
        steps = labels[len(prompt) :]
        assert labels[: len(prompt)] == [-100] * len(prompt)
        assert len(ids) == len(labels)
        found[prompt] = [(at, label) for at, label in enumerate(steps) if label != -100]
    ends = [int(end) - 1 for end in np.cumsum([len(step) + 1 for step in STEPS])]
    assert found == {
        "P0?": [(end, 1) for end in ends],
        "P1?": [(ends[0], 1), (ends[1], 0)],
        "P2?": [(end, 1) for end in ends],
        "P3?": [(ends[0], 0)],
    }
