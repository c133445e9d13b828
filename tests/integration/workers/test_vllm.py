"""A real vLLM server behind the HTTP engine: it completes, estimates and judges for real."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.world import problems as world_problems
from labeling.domain.judging import Parsed
from labeling.domain.monte_carlo import McMode
from labeling.domain.steps import SplitRule
from tests.engine_contract import check_contract
from tests.vllm_server import ROOT, VllmServer, vllm_environment, vllm_python, vllm_server
from workers.engines.openai_engine import OpenAIEngine
from workers.engines.protocol import CompletionRequest, Engine, EngineUnavailable, Message
from workers.engines.retrying import Retrying
from workers.engines.transformers_engine import TransformersEngine
from workers.grading import shared_grader
from workers.labeling.generate import GenerateConfig, GenerateTask, generate_many
from workers.labeling.judge import JudgeConfig, JudgeTask, judge_many
from workers.labeling.mc import McConfig, McTask, estimate_many

pytestmark = pytest.mark.vllm

CHECKPOINT = ROOT / "demo" / "checkpoint"
PROMPTS = ("Problem: 9 + 4 * 5 + 7?\n\n", "Problem: 2 * 3 + 4 + 4?\n\n")
# A chat whose text is the plain prompt: the checkpoint knows no other.
CHAT_TEMPLATE = "{% for message in messages %}{{ message.content }}{% endfor %}"
MC = McConfig(8, McMode.SOFT, "plain-v1", 1.0, 80, "vllm")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VllmServer]:
    folder = tmp_path_factory.mktemp("vllm")
    template = folder / "chat.jinja"
    template.write_text(CHAT_TEMPLATE)
    with vllm_server(CHECKPOINT, folder, [f"--chat-template={template}"]) as server:
        yield server


@pytest.fixture(scope="module")
def engine(server: VllmServer) -> Iterator[OpenAIEngine]:
    engine = OpenAIEngine(server.url, server.model)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def embedded() -> TransformersEngine:
    return TransformersEngine(str(CHECKPOINT))


@pytest.fixture(scope="module")
def solutions(embedded: TransformersEngine) -> list[McTask]:
    """Sampled solutions, right ones and wrong ones."""
    drawn = world_problems(count=16, seed=5)
    tasks = [GenerateTask(k, p.external_id, p.statement, p.answer) for k, p in enumerate(drawn)]
    config = GenerateConfig(2, "plain-v1", 1.0, 80, SplitRule(), "vllm")
    return [
        McTask(
            solution_id=number,
            problem_id=drawn[sample.problem_id].external_id,
            statement=drawn[sample.problem_id].statement,
            steps=sample.steps,
            gaps=sample.gaps,
            gold=drawn[sample.problem_id].answer,
            own_answer_correct=bool(sample.correct),
        )
        for number, sample in enumerate(generate_many(tasks, embedded, shared_grader(), config))
    ]


def test_vllm_keeps_the_contract_of_engines(engine: OpenAIEngine) -> None:
    check_contract(engine, PROMPTS)


def test_greedy_texts_equal_those_of_transformers(
    engine: OpenAIEngine, embedded: TransformersEngine
) -> None:
    asked = [CompletionRequest(prompt, (0,), 60, 0.0) for prompt in PROMPTS]
    ours, theirs = embedded.complete(asked), engine.complete(asked)
    assert [s.text for (s,) in theirs] == [s.text for (s,) in ours]
    assert [s.finish_reason for (s,) in theirs] == [s.finish_reason for (s,) in ours]
    assert [s.prompt_tokens for (s,) in theirs] == [s.prompt_tokens for (s,) in ours]
    assert [s.completion_tokens for (s,) in theirs] == [s.completion_tokens for (s,) in ours]


def test_an_assistants_last_message_is_continued(engine: OpenAIEngine) -> None:
    (plain,) = engine.complete([CompletionRequest(PROMPTS[0], (0,), 60, 0.0)])[0]
    begun = plain.text.partition("\n\n")[0] + "\n\n"
    chat = (Message("user", PROMPTS[0]), Message("assistant", begun))
    (continued,) = engine.complete([CompletionRequest(chat, (0,), 60, 0.0)])[0]
    assert begun + continued.text == plain.text


def test_seeds_are_honored_whatever_else_the_server_does(engine: OpenAIEngine) -> None:
    many = CompletionRequest(PROMPTS[0], tuple(range(64)), 60, 2.0)
    (first,) = engine.complete([many])
    crowd = [CompletionRequest(PROMPTS[1], tuple(range(900, 964)), 60, 1.0), many]
    again = engine.complete(crowd)[1]
    # Float noise between batches may turn one draw in a million.
    assert sum(a.text != b.text for a, b in zip(first, again, strict=True)) <= 1
    assert len({sample.text for sample in first}) > 1


def test_mc_labels_resemble_those_of_the_embedded_engine(
    engine: OpenAIEngine, embedded: TransformersEngine, solutions: list[McTask]
) -> None:
    theirs, ours = _estimated(solutions, engine), _estimated(solutions, embedded)
    same = sum(theirs[number] == ours[number] for number in ours)
    print(f"same first error: {same} of {len(ours)}")
    # Both draw their own 8 samples: they differ where a prefix rarely succeeds.
    assert same / len(ours) >= 0.75
    right = {task.solution_id for task in solutions if task.own_answer_correct}
    assert right
    assert sum(theirs[number] == -1 for number in right) / len(right) >= 0.7
    assert all(theirs[task.solution_id] >= 0 for task in solutions if not task.own_answer_correct)


def test_the_judge_says_the_same_as_embedded(
    engine: OpenAIEngine, embedded: TransformersEngine, solutions: list[McTask]
) -> None:
    tasks = [JudgeTask(task.solution_id, task.statement, task.steps) for task in solutions]
    config = JudgeConfig("check-v1", 0.0, 80, "vllm")
    theirs = list(judge_many(tasks, engine, config))
    ours = list(judge_many(tasks, embedded, config))
    assert [result.reading for result in theirs] == [result.reading for result in ours]
    parsed = [result.reading for result in theirs if isinstance(result.reading, Parsed)]
    assert len(parsed) >= 0.9 * len(tasks)
    assert len({reading.first_error for reading in parsed}) > 1


def test_a_dead_engine_is_unavailable_and_named(tmp_path: Path) -> None:
    with vllm_server(CHECKPOINT, tmp_path) as doomed:
        engine = OpenAIEngine(doomed.url, doomed.model, retrying=Retrying(3, 0.1))
        request = CompletionRequest(PROMPTS[0], (1,), 20, 1.0)
        assert engine.complete([request])[0][0].completion_tokens > 0
        os.killpg(doomed.process.pid, signal.SIGKILL)
        doomed.process.wait()
        with pytest.raises(EngineUnavailable, match=f"{doomed.url}/v1/completions"):
            engine.complete([request])
        engine.close()


IN_PROCESS = """
import json, sys
from dataclasses import asdict
from workers.engines.protocol import CompletionRequest, EngineRefused
from workers.engines.registry import open_engine

def main():
    options = dict(dtype="float32", max_model_len=1024, enforce_eager=True,
                   kv_cache_memory_bytes=134217728, enable_chunked_prefill=False,
                   max_num_batched_tokens=8192)
    engine = open_engine({"kind": "vllm", "model": sys.argv[1], "options": options})
    prompts = json.loads(sys.argv[2])
    greedy = engine.complete([CompletionRequest(p, (0,), 60, 0.0) for p in prompts])
    hot = CompletionRequest(prompts[0], tuple(range(8)), 60, 2.0, ("Answer",))
    other = CompletionRequest(prompts[1], (5,), 60, 1.0)
    first, second = engine.complete([hot]), engine.complete([other, hot])
    try:
        engine.complete([other, CompletionRequest(prompts[0], (0,), 9_999, 1.0)])
        refused = None
    except EngineRefused as error:
        refused = error.index
    engine.close()
    print("RESULT" + json.dumps({
        "greedy": [asdict(s) for (s,) in greedy], "first": [s.text for s in first[0]],
        "second": [s.text for s in second[1]], "refused": refused}))

if __name__ == "__main__":
    main()
"""


def test_vllm_in_process_equals_transformers(embedded: Engine, tmp_path: Path) -> None:
    script = tmp_path / "in_process.py"
    script.write_text(IN_PROCESS)
    done = subprocess.run(
        [str(vllm_python()), str(script), str(CHECKPOINT), json.dumps(PROMPTS)],
        env=vllm_environment() | {"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT")]
    assert lines, done.stdout[-2_000:] + done.stderr[-3_000:]
    said = json.loads(lines[0].removeprefix("RESULT"))
    ours = embedded.complete([CompletionRequest(prompt, (0,), 60, 0.0) for prompt in PROMPTS])
    assert [row["text"] for row in said["greedy"]] == [s.text for (s,) in ours]
    assert [row["completion_tokens"] for row in said["greedy"]] == [
        s.completion_tokens for (s,) in ours
    ]
    assert said["first"] == said["second"]
    assert len(set(said["first"])) > 1
    assert not any("Answer" in text for text in said["first"])
    assert said["refused"] == 1


def _estimated(tasks: list[McTask], engine: Engine) -> dict[int, int]:
    found = {}
    for result in estimate_many(tasks, engine, shared_grader(), MC):
        assert result.estimate is not None
        found[result.solution_id] = result.estimate.first_error
    return found
