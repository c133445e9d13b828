from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.formats import RowError, detect
from labeling.domain.formats.chats import UNJUDGED
from labeling.domain.judging import JUDGE_TEMPLATES, judge_template
from tests.format_rows import CHAIN, QWEN
from tests.unit.labeling.domain.formats.reading import read, read_one, solution_of, verdict_of


def chat(question, answer, *before):
    return [
        *before,
        {"role": "user", "content": question},
        {"role": "assistant", "content": answer},
    ]


def qwen(answer, **fields):
    return {"messages": chat("4 + 4?", answer), **fields}


def chain(template, steps, reply, **fields):
    asked = judge_template(template).render("1 + 2?", steps)
    question = asked if isinstance(asked, str) else asked[0].content
    return {"messages": chat(question, reply), **fields}


def test_the_marks_end_the_steps_and_have_a_label_each():
    row = read_one(QWEN)
    solution = solution_of(QWEN)
    assert row.problem.statement == "4 + 4?"
    assert solution.steps == ("4 + 4 = 9", "So 9.")
    assert (solution.external_id, solution.final_answer_correct) == ("q1", False)
    verdict = verdict_of(QWEN)
    assert verdict.source.kind is None
    assert (verdict.first_error, verdict.step_labels) == (0, (-1, None))


def test_shares_are_scores_beside_the_decided_first_error():
    verdict = verdict_of(qwen("a<extra_0>b<extra_0>", labels=[0.25, 0.75], first_error=1))
    assert (verdict.first_error, verdict.step_labels) == (1, (1, -1))
    assert verdict.step_scores == (0.25, 0.75)
    verdict = verdict_of(qwen("a<extra_0>b<extra_0>", labels=[0.25, 0.75], first_error=-1))
    assert (verdict.first_error, verdict.step_labels) == (-1, (1, 1))
    verdict = verdict_of(qwen("a<extra_0>b<extra_0>", labels=[0.5, 0.25]))
    assert (verdict.first_error, verdict.step_labels) == (1, (1, -1))


def test_a_chat_without_labels_is_a_solution_to_label():
    assert solution_of(qwen("a<extra_0>b<extra_0>")).verdicts == ()


def test_an_unknown_first_error_is_unscored():
    verdict = verdict_of(qwen("a<extra_0>b<extra_0>", labels=[None, True]))
    assert (verdict.state, verdict.reason) == ("unscored", UNJUDGED)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (qwen("a<extra_0>b", labels=[1]), "text follows the last mark"),
        (qwen("<extra_0>", labels=[1]), "step 0 is empty"),
        (qwen("a<extra_0> <extra_0>", labels=[1, 1]), "step 1 is empty"),
        (qwen("a<extra_0>", labels=[1, 0]), "one for each of the 1 steps"),
        (qwen("a<extra_0>", labels="1"), "one for each of the 1 steps"),
        (qwen("a<extra_0>", labels=[2]), "label 0: 2 is outside 0..1"),
        (qwen("a<extra_0>", labels=[float("nan")]), "outside 0..1"),
        (qwen("a<extra_0>", labels=["+"]), "is not a number"),
        (qwen("a<extra_0>", labels=[1], first_error=0), "first wrong step is not the first error"),
        (qwen("a<extra_0>", labels=[1], first_error=7), "outside the 1 steps"),
        (qwen("a<extra_0>", final_answer_correct="yes"), "neither true, false nor null"),
        (qwen("a\0<extra_0>"), "NUL"),
        ({"messages": chat(" ", "a<extra_0>")}, "statement is missing"),
        (
            {"messages": chat("b?", "a<extra_0>", {"role": "user", "content": "x"})},
            "one question and one answer",
        ),
        ({"messages": chat("b?", "a<extra_0>", *[{"role": "system"}] * 2)}, "one question"),
    ],
)
def test_a_chat_that_contradicts_itself_is_refused(row, reason):
    with pytest.raises(RowError, match=reason):
        read(row)


REPLIES = {
    "paper-v1": "<analysis_1>fine</analysis_1><analysis_2>no</analysis_2>"
    "<conclusion>Incorrect</conclusion>",
    "processbench-v1": r"The second is wrong: \boxed{1}",
    "check-v1": "Step 1: ok\nAnswer: wrong",
}


@pytest.mark.parametrize("template", JUDGE_TEMPLATES)
def test_a_chain_gives_the_solution_and_the_judges_verdict(template):
    row = chain(template, ["Add.", "So 4."], REPLIES[template], judge="judge:ef", id="j1")
    found = detect([row])
    assert found is not None
    assert found.name == "judge-chains"
    solution = solution_of(row)
    assert read_one(row).problem.statement == "1 + 2?"
    assert (solution.steps, solution.external_id) == (("Add.", "So 4."), "j1")
    verdict = verdict_of(row)
    assert (verdict.source.kind, verdict.source.name) == ("judge", "judge:ef")
    assert (verdict.first_error, verdict.step_labels) == (1, (1, -1))
    assert verdict.critique == REPLIES[template]


def test_words_without_a_readable_verdict_are_unscored_and_kept():
    verdict = verdict_of(chain("paper-v1", ["Add."], "It looks right."))
    assert (verdict.state, verdict.reason) == ("unscored", "no conclusion")
    assert verdict.critique == "It looks right."
    assert verdict.source.name == "judge chains"


def changed(row, old, new):
    question, answer = row["messages"]
    return {**row, "messages": [{**question, "content": question["content"].replace(old, new)},
                                answer]}  # fmt: skip


PAPER = chain("paper-v1", ["Add.", "So 4."], REPLIES["paper-v1"])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({**CHAIN, "first_error": 0}, "0, but the judge's words name 1"),
        ({**CHAIN, "first_error": 5}, "outside the 2 steps"),
        ({**CHAIN, "template": "paper-v1"}, "cannot be told from each other"),
        (changed(PAPER, "paragraph_2", "paragraph_3"), "cannot be told from each other"),
        (changed(PAPER, "</paragraph_1>", ""), "cannot be told from each other"),
        (changed(PAPER, "\nSo 4.\n", "\n \n"), "step 1 is empty"),
        (changed(PAPER, "1 + 2?", " "), "statement is missing"),
    ],
)
def test_a_chain_that_contradicts_itself_is_refused(row, reason):
    with pytest.raises(RowError, match=reason):
        read(row)


PIECES = (
    "<paragraph_1>", "</paragraph_1>", "</math_problem>", "[Solution]", "<|im_end|>", "\n", "\n\n",
    "\r\n", " ", "a", "‹", "Step 1: ok", "Check:", "Problem:",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join).filter(str.strip)


@given(TEXTS, st.lists(TEXTS, min_size=1, max_size=4), st.sampled_from(sorted(JUDGE_TEMPLATES)))
def test_no_text_passes_for_another_step_of_the_question(statement, steps, name):
    template = judge_template(name)
    asked = template.render(statement, steps)
    question = asked if isinstance(asked, str) else asked[0].content
    found = template.read_question(question)
    assert found is not None
    assert len(found.steps) == len(steps)
    # Read and asked again, the question is the same: nothing more is broken.
    again = template.render(found.statement, found.steps)
    assert again == asked


@pytest.mark.parametrize(
    "piece", ["<paragraph_1>\n", "<paragraph_1>\na\n</paragraph_2>\n\n", "\n</math_problem>"]
)
def test_a_hostile_question_takes_no_time(piece):
    begun = time.process_time()
    row = changed(PAPER, "Add.\n</paragraph_1>", piece * (190_000 // len(piece)))
    with pytest.raises(RowError):
        read(row)
    assert time.process_time() - begun < 2
