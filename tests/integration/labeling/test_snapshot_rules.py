"""What a rule takes, makes of it and leaves out, and what the data card says of that."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from django.db import transaction
from django.http import Http404

from labeling.domain.labels import LabelerKind, VerdictState
from labeling.domain.monte_carlo import McMode
from labeling.domain.refusals import Invalid
from labeling.domain.releases import Rule
from labeling.domain.roles import Role
from labeling.models import Decision
from labeling.services import labelers, snapshots, verdicts
from labeling.services.freezing import exclusions, writing
from tests import factories
from trainer.records import from_json, read_jsonl, to_json

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.VAR_DIR = tmp_path


def solved(project, statement="1 + 1?", split="train", error=-1, **values):
    solution = factories.SolutionFactory(
        problem__project=project, problem__statement=statement, problem__split=split, **values
    )
    Decision.objects.filter(solution=solution).update(state="consensus", first_error=error)
    return solution


def freeze(project, **rule):
    return snapshots.freeze_now(
        by=project.created_by, project=project, name="release", rule=Rule(**rule), now=NOW
    )


def records(snapshot):
    folder = snapshots.folder_of(snapshot)
    return [r for split in ("train", "test") for r in read_jsonl(folder / f"{split}.jsonl")]


def card(snapshot):
    return (snapshots.folder_of(snapshot) / "README.md").read_text()


def judged(project, solution, kind, error, **fields):
    labeler = labelers.register(
        by=project.created_by, project=project, kind=kind, name=f"the {kind}",
        config=fields.pop("config", {"kind": kind}),
    )  # fmt: skip
    labels = fields.pop("step_labels", ())
    new = verdicts.NewVerdict(solution.pk, VerdictState.SCORED, error, labels, fields=fields)
    verdicts.record(by=project.created_by, labeler=labeler, verdicts=[new])
    return labeler


def test_lines_are_those_of_the_record_byte_for_byte(project):
    texts = ['a \u2028 \x7f \x01 "q" \\ / é 𝔸', "b\r\n\tc", "</script>"]
    solution = solved(project, "what\x1f?", steps=texts)
    judged(project, solution, LabelerKind.MC, 1, mc_k=[2, 0, None], mc_n=[2, 8, None])
    judged(project, solution, LabelerKind.JUDGE, 1, critique="Step 2 is \u0007 wrong")
    snapshot = freeze(project, critiques=True)
    line = (snapshots.folder_of(snapshot) / "train.jsonl").read_bytes().decode()
    assert to_json(from_json(line)) + "\n" == line
    row = json.loads(line)
    assert row["steps"] == texts
    assert row["sources"]["critique"] == "Step 2 is \u0007 wrong"
    assert sorted(row["sources"]["labelers"])[0].startswith("judge:")


def test_provenance_names_labelers_by_kind_and_configuration_and_no_person(project, annotator):
    solution = solved(project)
    labeler = labelers.person(by=annotator, project=project, kind=LabelerKind.ADJUDICATOR)
    new = verdicts.NewVerdict(solution.pk, VerdictState.SCORED, 2)
    verdicts.record(by=annotator, labeler=labeler, verdicts=[new])
    snapshot = freeze(project)
    (record,) = records(snapshot)
    assert record.sources["labelers"] == [f"adjudicator:{labeler.config_hash[:12]}"]
    assert record.sources["ratings"] == [1, 1, -1]
    assert annotator.username not in card(snapshot)
    assert "| a person | 1 |" in card(snapshot)


def test_what_is_not_decided_is_counted_by_its_state(project):
    solved(project)
    for number, state in enumerate(("undecided", "disputed", "disputed", "discarded")):
        solution = solved(project, f"{number} {state}?")
        Decision.objects.filter(solution=solution).update(state=state, first_error=None)
    adjudicated = solved(project, "adjudicated?")
    Decision.objects.filter(solution=adjudicated).update(state="adjudicated")
    snapshot = freeze(project, states=("consensus",))
    assert snapshot.counts["left_out"] == {
        "undecided": 1, "disputed": 2, "discarded": 1, "adjudicated": 1,
    }  # fmt: skip
    assert "| labelers disagree, nobody has adjudicated | 2 |" in card(snapshot)


def test_neutral_steps_that_count_as_wrong_are_the_first_error(project):
    solution = solved(project, steps=["a", "b", "c", "d"])
    labeler = judged(project, solution, LabelerKind.JUDGE, 2, step_labels=(1, 0, -1, 1))
    made = {
        (neutral, after): (record.labels, record.first_error)
        for neutral in (1, 0, None)
        for after in ("drop", "wrong", "said")
        for record in records(
            freeze(project, labeler=labeler.uid, neutral_as=neutral, after_error=after)
        )
    }
    assert made == {
        (1, "drop"): ((1, 1, 0, None), 2),
        (1, "wrong"): ((1, 1, 0, 0), 2),
        (1, "said"): ((1, 1, 0, 1), 2),
        (0, "drop"): ((1, 0, None, None), 1),
        (0, "wrong"): ((1, 0, 0, 0), 1),
        (0, "said"): ((1, 0, 0, 1), 1),
        (None, "drop"): ((1, None, 0, None), 2),
        (None, "wrong"): ((1, None, 0, 0), 2),
        (None, "said"): ((1, None, 0, 1), 2),
    }


@pytest.mark.parametrize(
    ("mode", "k", "n", "taken"),
    [
        (McMode.SOFT, [8, 3, 0], [8, 8, 8], True),
        (McMode.EXHAUSTIVE, [8, 3, 0], [8, 8, 8], True),
        (McMode.HARD, [1, 1, 0], [1, 2, 8], False),  # stopped at the first success: k / n is biased
        (McMode.SOFT, [8, None, 0], [8, None, 8], False),
        (McMode.SOFT, [], [], False),
    ],
)
def test_soft_labels_take_only_unbiased_counts(project, mode, k, n, taken):
    solution = solved(project)
    config = {"mode": str(mode)}
    labeler = judged(project, solution, LabelerKind.MC, 2, config=config, mc_k=k, mc_n=n)
    judged(project, solved(project, "2 + 2?"), LabelerKind.MC, 0, config={"mode": "soft"})
    rule = {"labeler": labeler.uid, "target": "soft"}
    if not taken:
        with pytest.raises(snapshots.NothingToFreeze):
            freeze(project, **rule)
        return
    (record,) = [r for r in records(freeze(project, **rule)) if r.id == solution.content_hash]
    assert record.counts == ((8, 8), (3, 8), (0, 8))
    assert record.labels == (1, 1, 0)


def test_evaluation_sets_are_left_out_however_they_write_the_statement(project):
    solved(project, "What is $1 + 1$?")
    solved(project, "What is 1+1?", split="test")
    kept = solved(project, "What is 1-1?")
    other = factories.MembershipFactory(user=project.created_by, role=Role.VIEWER).project
    factories.ProblemFactory(project=other, statement="what is \\left(1 + 1\\right) ?")
    factories.ProblemFactory(project=other, statement="What is \\(1 + 1\\) ?")
    set_name = f"project:{other.uid}"
    snapshot = freeze(project, without=(set_name,))
    assert [r.id for r in records(snapshot)] == [kept.content_hash]
    assert snapshot.counts["left_out"] == {"evaluation": 2, "evaluation_problems": {set_name: 2}}
    assert f"| {set_name} | 2 |" in card(snapshot)


def test_an_evaluation_set_can_be_a_source_of_the_same_project(project):
    solved(project, "a?", problem__source="ProcessBench/gsm8k")
    solved(project, "A ?", problem__source="made up")
    kept = solved(project, "b?", problem__source="ProcessBenchmark")
    snapshot = freeze(project, without=("source:ProcessBench",))
    assert [r.id for r in records(snapshot)] == [kept.content_hash]


def test_an_evaluation_set_that_one_may_not_see_does_not_exist(project):
    stranger = factories.ProjectFactory()
    with pytest.raises(Http404):
        freeze(project, without=(f"project:{stranger.uid}",))
    with pytest.raises(Invalid, match="neither source"):
        snapshots.request(
            by=project.created_by, project=project, name="x", rule={"without": ["MATH"]}
        )


def test_dedup_keeps_one_of_equal_texts_and_one_side_of_equal_statements(project):
    problem = factories.ProblemFactory(project=project, statement="1 + 1 = ?", split="train")
    twins = [
        factories.SolutionFactory(problem=problem, steps=steps)
        for steps in (["It is two.", "So 2"], ["it is", " two. \n SO 2"], ["It is three"])
    ]
    Decision.objects.filter(project=project).update(state="consensus", first_error=-1)
    solved(project, "2 + 2 ?", split="train")
    kept = solved(project, "2+2?", split="test")
    snapshot = freeze(project, dedup=True)
    assert snapshot.counts["left_out"] == {"other_side": 1, "duplicates": 1}
    ids = {r.id for r in records(snapshot)}
    first = min(twin.content_hash for twin in twins[:2])
    assert ids == {first, twins[2].content_hash, kept.content_hash}
    assert freeze(project).counts["records"] == 5


@pytest.mark.parametrize(
    "rule",
    [{}, {"dedup": True}, {"limit": 2}, {"without": ["source:bench"]}, {"states": ["consensus"]}],
)
def test_what_stays_is_known_before_it_is_read(project, rule):
    for number, statement in enumerate(["Add 1.", "ADD 1", "Add 2.", "Add 3.", "Add 4."]):
        solved(project, statement, problem__source="bench" if number > 3 else "")
    factories.SolutionFactory(problem__project=project)
    with transaction.atomic():
        picked, _, total = exclusions.apply(project, Rule.from_dict(rule))
        assert total == picked.ask("count(*)")[0][0] > 0


def test_a_limit_counts_what_is_beyond_it_where_the_rows_tell(project):
    for number in range(4):
        solution = solved(project, f"{number}?")
        config = {"mode": "soft"}
        labeler = judged(
            project, solution, LabelerKind.MC, -1, config=config, mc_k=[8] * 3, mc_n=[8] * 3
        )
    rule = {"labeler": labeler.uid, "limit": 3}
    soft, hard = freeze(project, target="soft", **rule), freeze(project, **rule)
    assert soft.counts["train"]["records"] == hard.counts["train"]["records"] == 3
    assert soft.counts["left_out"] == hard.counts["left_out"] == {"beyond_limit": 1}


def test_rows_are_held_a_few_at_a_time(project, monkeypatch):
    monkeypatch.setattr(writing, "_AT_ONCE", 2)
    held = []
    chunks = writing._chunks
    monkeypatch.setattr(
        writing, "_chunks", lambda rows: (held.append(len(c)) or c for c in chunks(rows))
    )
    for number in range(7):
        solved(project, f"{number}?")
    assert freeze(project).counts["records"] == 7
    assert held == [2, 2, 2, 1]
