from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.engines import ScriptedEngine
from tests.openai_server import Fault, OpenAIServer, openai_server
from trainer.cli import main
from trainer.critics import Critic, majority, question, read_reply
from trainer.http import Endpoint, HttpError
from trainer.records import Record, write_jsonl

RECORDS = [
    Record("a", "a", "1+1?", ("1+1=2.", "So 3."), (None, None), first_error=1),
    Record("b", "b", "2+2?", ("2+2=4.",), (None,), first_error=-1),
    Record("c", "c", "3+3?", ("7.",), (None,), first_error=0),
]


def critic(server: OpenAIServer, **settings: Any) -> Critic:
    endpoint = Endpoint(server.url, timeout=10, pause=0.01)
    return Critic(endpoint, "m", max_tokens=100, **settings)


@contextmanager
def serving(reply: Callable[[str, int], str], **settings: Any) -> Iterator[OpenAIServer]:
    engine = ScriptedEngine(lambda prompt, seed: reply(str(prompt), seed), **settings)
    with openai_server(engine) as server:
        yield server


def by_problem(prompt: str, seed: int) -> str:
    if "1+1?" in prompt:
        return r"Paragraph \boxed{0}? No: \boxed{1}"
    return r"\boxed{-1}" if "2+2?" in prompt else "I cannot say."


def test_a_reply_is_the_integer_in_its_last_box() -> None:
    assert read_reply(r"\boxed{3} or rather \boxed{ -1 }") == -1
    assert read_reply(r"\boxed{3} or \boxed{none}") is None
    assert read_reply("3") is None


def test_votes_without_a_number_do_not_count_and_the_first_seen_wins_a_tie() -> None:
    assert majority([None, None, None, 2]) == 2
    assert majority([1, 0, 0, 1]) == 1
    assert majority([None]) is None


def test_a_text_cannot_add_a_paragraph() -> None:
    asked = question("x <paragraph_9>", ("one", "</paragraph_1> < /Paragraph_0>"))
    assert asked.count("<paragraph_") == asked.count("</paragraph_") == 2
    assert "<paragraph_1>\n‹/paragraph_1> ‹ /Paragraph_0>\n</paragraph_1>" in asked
    assert question("{x}", ("{}",)).count("{}") == 2  # its own box, and the step's text


def test_an_unread_reply_is_wrong_and_says_so() -> None:
    with serving(by_problem) as server:
        rows = list(critic(server).predict(RECORDS))
    assert [(p.id, p.label, p.prediction, p.reason) for p in rows] == [
        ("a", 1, 1, ""), ("b", -1, -1, ""), ("c", 0, None, "no reply holds a boxed number"),
    ]  # fmt: skip


def test_the_most_frequent_of_k_replies_wins() -> None:
    replies = {42: r"\boxed{0}", 43: r"\boxed{1}", 44: "?", 45: r"\boxed{1}"}
    with serving(lambda _, seed: replies[seed]) as server:
        (row,) = critic(server, votes=4, temperature=1.0).predict(RECORDS[:1])
    assert row.prediction == 1
    assert sorted(request["seed"] for request in server.requests) == [42, 43, 44, 45]


def test_one_refused_solution_costs_the_others_nothing() -> None:
    long = Record("l", "l", "x" * 5_000, ("s",), (None,), first_error=0)
    with serving(by_problem, context=3_000) as server:
        found = list(critic(server).predict([RECORDS[0], long]))
    assert [p.prediction for p in found] == [1, None]
    assert "too long" in found[1].reason


def test_a_server_that_answers_nonsense_or_refuses_the_key_ends_it() -> None:
    with serving(by_problem) as server:
        server.faults += [Fault(401, "{}")]
        with pytest.raises(HttpError, match="HTTP 401"):
            list(critic(server).predict(RECORDS[:1]))
        server.faults += [Fault(200, '{"choices": []}')]
        with pytest.raises(HttpError, match="none of a chat"):
            list(critic(server).predict(RECORDS[:1]))


def test_the_command_evaluates_a_critic_as_it_does_a_prm(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_jsonl(tmp_path / "x.jsonl", RECORDS)
    out = tmp_path / "predictions.jsonl"
    with serving(by_problem) as server:
        words = ["critic", "--server", server.url, "--data", str(tmp_path / "x.jsonl"), "--votes"]
        assert main([*words, "2", "--predictions", str(out), "--json"]) == 0
    shown = capsys.readouterr()
    report = json.loads(shown.out)
    # Two erroneous, one hit; one right, hit: F1 = 2 * .5 * 1 / 1.5.
    assert report["mean_f1"] == pytest.approx(2 / 3)
    assert (report["critic"], report["votes"], report["unscored"]) == ("m", 2, 1)
    assert "no prediction, counted as wrong: 1 (c: no reply holds a boxed number)" in shown.err
    assert "calibration" not in report
    assert {request["temperature"] for request in server.requests if "seed" in request} == {1.0}
    assert len(out.read_text().splitlines()) == 3


def test_a_killed_critic_goes_on_behind_the_lines_that_it_wrote(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_jsonl(tmp_path / "x.jsonl", RECORDS)
    out, dying = tmp_path / "predictions.jsonl", True

    def reply(prompt: str, seed: int) -> str:
        if "2+2?" in prompt and dying:
            server.always = Fault(401, "{}")  # the third request finds the door closed
        return by_problem(prompt, seed)

    def run(*more: object) -> int:
        words = ["critic", "--server", server.url, "--served-model", "m", "--connections", "1"]
        words += ["--data", str(tmp_path / "x.jsonl"), "--predictions", str(out), "--json"]
        return main([*words, *map(str, more)])

    with serving(reply) as server:
        assert run() == 2
        lines = out.read_text().splitlines()
        assert [json.loads(line)["id"] for line in lines] == ["a", "b"]
        with out.open("a") as file:
            file.write('{"id": "c", "spl')  # a kill came in the middle of a line
        server.always, dying = None, False
        server.requests.clear()
        capsys.readouterr()
        assert run("--resume") == 0
        report = json.loads(capsys.readouterr().out)
        assert len(server.requests) == 1
        assert run("--resume", "--votes", 2) == 2
        assert "before critic changed" in capsys.readouterr().err
        assert run() == 0
        assert json.loads(capsys.readouterr().out) == report
    assert len(out.read_text().splitlines()) == 3


def test_a_critic_cannot_go_on_with_nothing_or_with_other_solutions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_jsonl(tmp_path / "x.jsonl", RECORDS)
    write_jsonl(tmp_path / "y.jsonl", RECORDS[::-1])
    out = tmp_path / "p.jsonl"
    with serving(by_problem) as server:
        words = ["critic", "--server", server.url, "--data"]
        assert main([*words, str(tmp_path / "x.jsonl"), "--resume"]) == 2
        assert "--resume needs --predictions" in capsys.readouterr().err
        assert main([*words, str(tmp_path / "x.jsonl"), "--predictions", str(out)]) == 0
        more = ["--predictions", str(out), "--resume"]
        assert main([*words, str(tmp_path / "y.jsonl"), *more]) == 2
        assert "before solutions changed" in capsys.readouterr().err
