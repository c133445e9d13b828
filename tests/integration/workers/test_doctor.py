"""The doctor of engines: what it finds at good servers, and at each kind of bad one."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from labeling.domain.engines import BadEngine
from tests.engines import ScriptedEngine, text_of
from tests.openai_server import Fault, OpenAIServer, openai_server
from tests.vllm_server import vllm_server
from workers.engines import speed
from workers.engines.doctor import examine
from workers.engines.findings import Finding, State
from workers.engines.protocol import Answer, Completion, EngineRefused, Sample
from workers.engines.registry import close_engines

CHECKPOINT = Path(__file__).resolve().parents[3] / "demo" / "checkpoint"
ANSWER = "Step 1: 9 + 4 is 13, and that is 3.\n\nStep 2: 3 times 5 is 15.\n\nAnswer: 2"


def tell(prompt: str, seed: int) -> str:
    """Go on with the known answer where the prompt has begun it; vary with the seed."""
    rest = ANSWER.removeprefix(prompt) if ANSWER.startswith(prompt) else ANSWER
    return rest if not seed else f"{random.Random(f'{prompt} {seed}').random()} {rest}"


class Model(ScriptedEngine):
    """A scripted model with a fault; like a server it ends at a stop, and counts whole chats."""

    def __init__(self, fault: Callable[[Sample, Answer], Answer] | None = None) -> None:
        super().__init__(tell, context=2_000)
        self.fault = fault

    def answer(self, sample: Sample) -> Answer:
        answer = super().answer(sample)
        if isinstance(answer, Completion):
            turns = () if isinstance(sample.prompt, str) else sample.prompt
            read = sum(len(turn.content) for turn in turns) or answer.prompt_tokens
            answer = replace(answer, prompt_tokens=read, completion_tokens=len(answer.text))
        return self.fault(sample, answer) if self.fault else answer


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(speed, "SECONDS", 0.1)
    monkeypatch.setattr("workers.engines.doctor.PATIENCE", 0.2)
    yield
    close_engines()


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with openai_server(Model(), model="m") as server:
        yield server


def examined(*servers: OpenAIServer | str, **options: Any) -> dict[str, Finding]:
    urls = [server if isinstance(server, str) else server.url for server in servers]
    found = list(examine("openai", "m", {"url": urls, "max_concurrency": 8, **options}))
    assert all(finding.advice for finding in found if finding.state != State.OK)
    return {finding.check.partition(": http")[0]: finding for finding in found}


def states(found: dict[str, Finding]) -> dict[str, str]:
    return {check: str(finding.state) for check, finding in found.items()}


def faulty(server: OpenAIServer, fault: Callable[[Sample, Answer], Answer]) -> dict[str, Finding]:
    server.engine = Model(fault)
    return examined(server)


def test_a_good_server_passes_every_check(server: OpenAIServer) -> None:
    found = examined(server)
    assert set(states(found).values()) == {"ok"}
    assert list(found) == [
        "reachable", "model", "completes a text", "answers chats", "goes on from a begun answer",
        "stops", "counts tokens", "seeds", "seeds in a crowd", "too long a prompt",
        "speed with 1 in flight", "speed with 8 in flight", "speed with 10 in flight",
        "prefix cache",
    ]  # fmt: skip
    assert found["model"].figures == {"context": 2_000}
    assert found["speed with 10 in flight"].figures["tokens_per_second"] > 0
    # Of two equal prompts the second is found in the cache.
    assert found["prefix cache"].figures["cached"] == 0.5


def test_a_server_that_is_not_there_is_named(server: OpenAIServer) -> None:
    server.stop()
    found = examined(server)
    assert states(found) == {"reachable": "bad"}
    assert "no connection" in found["reachable"].said


def test_the_names_that_are_served_are_listed(server: OpenAIServer) -> None:
    server.model = "other"
    found = examined(server)
    assert "it does not serve m, but other" in found["model"].said
    assert states(found)["completes"] == "bad"


def test_a_missing_key_is_said(server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    found = examined(server, api_key_env="NO_SUCH_KEY")
    assert states(found) == {"reachable": "bad"}
    assert "NO_SUCH_KEY" in found["reachable"].said


def test_a_server_without_plain_texts_is_asked_in_chats(server: OpenAIServer) -> None:
    real = server.answer

    def answer(path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return (404, {"detail": "Not Found"}) if path == "/v1/completions" else real(path, body)

    server.answer = answer  # type: ignore[method-assign]
    found = examined(server)
    assert states(found)["completes a chat"] == "note"
    assert set(states(found).values()) == {"ok", "note"}


def test_a_model_without_chats_is_fine_for_plain_prompts(server: OpenAIServer) -> None:
    def fault(sample: Sample, answer: Answer) -> Answer:
        return answer if isinstance(sample.prompt, str) else EngineRefused("no chat template")

    found = faulty(server, fault)
    assert "no chat template" in found["answers chats"].said
    assert states(found)["answers chats"] == "note"
    assert "goes on from a begun answer" not in found


def begins_anew(sample: Sample, answer: Answer) -> Answer:
    begun = isinstance(sample.prompt, tuple) and sample.prompt[-1].role == "assistant"
    return replace(answer, text=ANSWER[:40]) if begun and isinstance(answer, Completion) else answer


def says_something_else(sample: Sample, answer: Answer) -> Answer:
    begun = isinstance(sample.prompt, tuple) and sample.prompt[-1].role == "assistant"
    return replace(answer, text="Sure!") if begun and isinstance(answer, Completion) else answer


def closes_the_turn(sample: Sample, answer: Answer) -> Answer:
    begun = isinstance(sample.prompt, tuple) and sample.prompt[-1].role == "assistant"
    if begun and isinstance(answer, Completion):
        return replace(answer, prompt_tokens=answer.prompt_tokens + 5)
    return answer


def refuses_begun_answers(sample: Sample, answer: Answer) -> Answer:
    begun = isinstance(sample.prompt, tuple) and sample.prompt[-1].role == "assistant"
    return EngineRefused("unknown argument continue_final_message") if begun else answer


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (begins_anew, "it starts anew"),
        (says_something_else, "it says “Sure!” instead of"),
        (closes_the_turn, "5 tokens stand between"),
        (refuses_begun_answers, "unknown argument"),
    ],
)
def test_a_begun_answer_that_is_not_continued_spoils_labels(
    server: OpenAIServer, fault: Callable[[Sample, Answer], Answer], said: str
) -> None:
    found = faulty(server, fault)["goes on from a begun answer"]
    assert found.state == State.BAD
    assert said in found.said
    assert "labels would be wrong" in found.advice


def test_seeds_that_change_nothing_spoil_labels(server: OpenAIServer) -> None:
    server.engine.script = lambda prompt, _seed: tell(prompt, 0)
    found = examined(server)["seeds"]
    assert found.state == State.BAD
    assert "8 seeds give 8 times the same text" in found.said


def test_seeds_that_are_ignored_are_noted(server: OpenAIServer) -> None:
    chance = random.Random(4)

    def fault(sample: Sample, answer: Answer) -> Answer:
        free = isinstance(answer, Completion) and sample.temperature > 0
        return replace(answer, text=f"{chance.random()}") if free else answer  # type: ignore[type-var]

    found = faulty(server, fault)
    assert (found["seeds"].state, found["seeds"].figures["same"]) == (State.NOTE, 0)
    assert found["seeds in a crowd"].state == State.NOTE
    assert "not reproducible" in found["seeds"].advice


def test_a_stop_that_is_ignored_costs_tokens(server: OpenAIServer) -> None:
    plain = server.engine.answer
    server.engine.answer = lambda sample: plain(replace(sample, stop=()))  # type: ignore[method-assign]
    found = examined(server)["stops"]
    assert found.state == State.NOTE
    assert "writes on after the stop" in found.said


def test_a_server_without_usage_is_noted(server: OpenAIServer) -> None:
    def fault(_sample: Sample, answer: Answer) -> Answer:
        assert isinstance(answer, Completion) or "too long" in str(answer)
        if isinstance(answer, Completion):
            return replace(answer, prompt_tokens=0, completion_tokens=0)
        return answer

    found = faulty(server, fault)
    assert found["counts tokens"].state == State.NOTE
    assert found["goes on from a begun answer"].state == State.OK


def test_a_server_that_cuts_long_prompts_silently_spoils_labels(server: OpenAIServer) -> None:
    def fault(sample: Sample, answer: Answer) -> Answer:
        long = len(text_of(sample.prompt)) > 2_000
        return Completion("4", "stop", 2_000, 1) if long else answer

    found = faulty(server, fault)["too long a prompt"]
    assert found.state == State.BAD
    assert "more than 2000 tokens" in found.said


def test_a_server_without_a_cache_is_noted(server: OpenAIServer) -> None:
    server.caching = False
    found = examined(server)["prefix cache"]
    assert (found.state, found.figures["cached"]) == (State.NOTE, 0)
    assert "--enable-prefix-caching" in found.advice


def test_a_server_that_does_one_after_the_other_is_noted(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "SECONDS", 0.5)
    real = server.answer

    def answer(path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        with server._lock:
            time.sleep(0.01)
        return real(path, body)

    server.answer = answer  # type: ignore[method-assign]
    found = examined(server, max_concurrency=32)
    assert "hardly faster than 8" in found["speed"].said


def test_a_server_that_gives_up_in_between_ends_the_examination(server: OpenAIServer) -> None:
    def fault(sample: Sample, answer: Answer) -> Answer:
        if sample.temperature > 0:
            server.always = Fault(500, "out of memory")
        return answer

    found = faulty(server, fault)
    assert list(found)[-1] == "answers"
    assert found["answers"].state == State.BAD
    assert "out of memory" in found["answers"].said


def test_servers_with_different_models_of_one_name_are_noted(server: OpenAIServer) -> None:
    with openai_server(ScriptedEngine(lambda *_: "Something else"), model="m") as other:
        found = examined(server, other)
    assert found["servers agree"].state == State.NOTE
    assert "Something else" in found["servers agree"].said


def test_one_of_two_servers_may_be_missing_and_the_other_is_examined(server: OpenAIServer) -> None:
    with openai_server(Model(), model="m") as twin:
        assert examined(server, twin)["servers agree"].state == State.OK
    found = list(examine("openai", "m", {"url": [server.url, twin.url], "max_concurrency": 4}))
    assert [finding.check for finding in found if finding.state == State.BAD] == [
        f"reachable: {twin.url}"
    ]
    assert found[-1].check == "prefix cache"


def test_the_embedded_model_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {f.check: f for f in examine("transformers", str(CHECKPOINT), {"max_rows": 8})}
    assert {check for check, f in found.items() if f.state == State.NOTE} == {"answers chats"}
    assert {check for check, f in found.items() if f.state == State.BAD} == set()
    assert {"loads", "seeds in a crowd", "too long a prompt", "fits"} <= set(found)


def test_a_model_that_does_not_load_is_named(tmp_path: Path) -> None:
    (finding,) = examine("transformers", str(tmp_path / "nowhere"), {})
    assert (finding.check, finding.state) == ("loads", State.BAD)
    assert "nowhere" in finding.said


def test_what_is_no_configuration_is_refused() -> None:
    with pytest.raises(BadEngine):
        list(examine("openai", "m", {}))


@pytest.mark.vllm
def test_a_real_vllm_passes(tmp_path: Path) -> None:
    template = tmp_path / "chat.jinja"
    template.write_text("{% for message in messages %}{{ message.content }}{% endfor %}")
    with vllm_server(CHECKPOINT, tmp_path, [f"--chat-template={template}"]) as real:
        found = list(examine("openai", real.model, {"url": real.url}))
    for finding in found:
        print(f"{finding.state:4}  {finding.check}: {finding.said}")
    # How much faster many are depends on what else the machine does: a note, never a failure.
    assert {f.state for f in found if f.check != "speed"} == {State.OK}
    assert State.BAD not in {f.state for f in found}
    by_check = {finding.check: finding for finding in found}
    assert by_check["prefix cache"].figures["cached"] > 0.4
    assert by_check["seeds in a crowd"].figures["same"] == 8
