"""A real vLLM server behind the HTTP engine: it completes, estimates and judges for real."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.world import problems as world_problems
from labeling.domain.judging import Parsed, Reading
from labeling.domain.monte_carlo import McMode
from labeling.domain.steps import SplitRule
from tests.engine_contract import check_contract
from tests.unit.workers.labeling.talking import held
from tests.vllm_server import ROOT, VllmServer, vllm_environment, vllm_python, vllm_server
from workers.engines.openai_engine import OpenAIEngine
from workers.engines.protocol import (
    Completion,
    Engine,
    EngineUnavailable,
    Message,
    Prompt,
    Sample,
    complete,
)
from workers.engines.transformers_engine import TransformersEngine
from workers.grading import shared_grader
from workers.labeling.generate import GenerateConfig, GenerateTask, generate
from workers.labeling.judge import JudgeConfig, JudgeTask, judge
from workers.labeling.mc import McConfig, McTask, estimate

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
    talks = [generate(task, shared_grader(), config) for task in tasks]
    samples = [sample for samples in held(embedded, talks) for sample in samples]
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
        for number, sample in enumerate(samples)
    ]


def test_vllm_keeps_the_contract_of_engines(engine: OpenAIEngine) -> None:
    check_contract(engine, PROMPTS)


def test_greedy_texts_equal_those_of_transformers(
    engine: OpenAIEngine, embedded: TransformersEngine
) -> None:
    asked = [Sample(prompt, 0, 60, 0.0) for prompt in PROMPTS]
    assert complete(engine, asked) == complete(embedded, asked)


def test_an_assistants_last_message_is_continued(engine: OpenAIEngine) -> None:
    plain = _text(engine, PROMPTS[0])
    begun = plain.partition("\n\n")[0] + "\n\n"
    chat = (Message("user", PROMPTS[0]), Message("assistant", begun))
    assert begun + _text(engine, chat) == plain


def _text(engine: Engine, prompt: Prompt) -> str:
    (answer,) = complete(engine, [Sample(prompt, 0, 60, 0.0)])
    assert isinstance(answer, Completion)
    return answer.text


def test_seeds_are_honored_whatever_else_the_server_does(engine: OpenAIEngine) -> None:
    many = [Sample(PROMPTS[0], seed, 60, 2.0) for seed in range(64)]
    first = complete(engine, many)
    crowd = [Sample(PROMPTS[1], seed, 60, 1.0) for seed in range(900, 964)]
    again = complete(engine, [*crowd, *many])[64:]
    # Float noise between batches may turn one draw in a million.
    assert sum(a != b for a, b in zip(first, again, strict=True)) <= 1
    assert len(set(first)) > 1


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
    config = JudgeConfig("check-v1", 0.0, 80, "vllm")

    def readings(judge_engine: Engine) -> dict[int, Reading]:
        talks = [
            judge(JudgeTask(task.solution_id, task.statement, task.steps), config.judge(), config)
            for task in solutions
        ]
        return {result.solution_id: result.reading for result in held(judge_engine, talks)}

    theirs = readings(engine)
    assert theirs == readings(embedded)
    parsed = [reading for reading in theirs.values() if isinstance(reading, Parsed)]
    assert len(parsed) >= 0.9 * len(solutions)
    assert len({reading.first_error for reading in parsed}) > 1


def test_a_dead_engine_is_unavailable_and_named(tmp_path: Path) -> None:
    with vllm_server(CHECKPOINT, tmp_path) as doomed:
        engine = OpenAIEngine(doomed.url, doomed.model, patience=1.0)
        sample = Sample(PROMPTS[0], 1, 20, 1.0)
        assert isinstance(complete(engine, [sample])[0], Completion)
        os.killpg(doomed.process.pid, signal.SIGKILL)
        doomed.process.wait()
        with pytest.raises(EngineUnavailable, match=re.escape(doomed.url)):
            complete(engine, [sample])
        engine.close()


IN_PROCESS = """
import json, multiprocessing, os, signal, sys
from dataclasses import asdict
from tests.engine_contract import check_contract
from tests.unit.workers.labeling.talking import held
from workers.engines.protocol import EngineUnavailable, Sample, complete
from workers.engines.registry import open_engine

def main():
    options = dict(dtype="float32", max_model_len=1024, enforce_eager=True,
                   kv_cache_memory_bytes=134217728, enable_chunked_prefill=False,
                   max_num_batched_tokens=8192)
    said = {}
    try:
        open_engine("vllm", sys.argv[1], options | {"kv_cache_memory_bytes": 1024})
    except EngineUnavailable as error:
        said["too small"] = [str(error), error.retry]
    engine = open_engine("vllm", sys.argv[1], options)
    prompts = json.loads(sys.argv[2])
    check_contract(engine, tuple(prompts))
    greedy = [Sample(prompt, 0, 60, 0.0) for prompt in prompts]
    said["greedy"] = [asdict(answer) for answer in complete(engine, greedy)]
    engine.submit([Sample(prompts[0], seed, 900, 2.0) for seed in range(1000)])
    while not engine.finished(1.0):
        pass
    for child in multiprocessing.active_children():
        os.kill(child.pid, signal.SIGKILL)
    try:
        while True:
            engine.finished(1.0)
    except EngineUnavailable as error:
        said["died"] = [str(error), error.retry]
    said["again"] = [asdict(answer) for answer in complete(engine, greedy)]
    engine.close()
    print("RESULT" + json.dumps(said))

if __name__ == "__main__":
    main()
"""


def test_vllm_in_process_keeps_the_contract_and_comes_back_from_the_dead(
    embedded: Engine, tmp_path: Path
) -> None:
    script = tmp_path / "in_process.py"
    script.write_text(IN_PROCESS)
    done = subprocess.run(
        [str(vllm_python()), str(script), str(CHECKPOINT), json.dumps(PROMPTS)],
        env=vllm_environment() | {"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT")]
    assert lines, done.stdout[-2_000:] + done.stderr[-3_000:]
    said = json.loads(lines[0].removeprefix("RESULT"))
    ours = complete(embedded, [Sample(prompt, 0, 60, 0.0) for prompt in PROMPTS])
    assert [Completion(**row) for row in said["greedy"]] == ours
    assert said["again"] == said["greedy"]
    message, retry = said["died"]
    assert "the engine died" in message
    assert retry
    message, retry = said["too small"]
    assert "vLLM does not start" in message
    assert not retry


def _estimated(tasks: list[McTask], engine: Engine) -> dict[int, int]:
    found = {}
    for result in held(engine, [estimate(task, shared_grader(), MC) for task in tasks]):
        assert result.estimate is not None
        found[result.solution_id] = result.estimate.first_error
    return found
