"""The committed checkpoint does what its card says: it solves, slips and judges."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import demo
from demo import measure, world
from demo.sampling import complete, load

CHECKPOINT = Path(demo.__file__).parent / "checkpoint"
SEED = 77


@pytest.fixture(scope="module")
def loaded() -> Any:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield load(CHECKPOINT)
    torch.set_num_threads(threads)


def solved(loaded: Any, count: int, seed: int | None) -> list[measure.Case]:
    problems = world.problems(SEED, count)
    texts = complete(*loaded, [world.solve_prompt(p.statement) for p in problems], seed=seed)
    return [
        measure.Case(p, steps := world.split_steps(text), world.truth(p.statement, steps))
        for p, text in zip(problems, texts, strict=True)
    ]


def test_it_solves_greedily_with_every_step_right(loaded: Any) -> None:
    cases = solved(loaded, 20, None)
    assert sum(case.answered and case.truth.first_error == -1 for case in cases) >= 19


def test_it_slips_at_temperature_one_and_sometimes_answers_right_in_spite_of_it(
    loaded: Any,
) -> None:
    cases = solved(loaded, 200, 0)
    wrong = sum(not case.answered for case in cases)
    lucky = sum(case.answered and case.truth.first_error >= 0 for case in cases)
    # The card says .257 of 200 = 51, with a standard deviation of 6.2: four of them either way.
    assert 26 <= wrong <= 76
    assert lucky >= 6


def test_it_judges_its_own_slips(loaded: Any) -> None:
    cases = solved(loaded, 100, 1)
    judged = measure.judge(*loaded, cases)
    exact = [j == case.truth.first_error for j, case in zip(judged, cases, strict=True)]
    slipped = [hit for hit, case in zip(exact, cases, strict=True) if case.truth.first_error >= 0]
    assert sum(exact) >= 88
    assert sum(slipped) >= 0.75 * len(slipped) > 15


def test_it_goes_on_from_first_steps_and_ends_by_itself(loaded: Any) -> None:
    steps = world.reference_steps("9 + 4 * 5 + 2?")
    prompts = [world.solve_prompt("9 + 4 * 5 + 2?", steps[:end]) for end in range(5)]
    texts = complete(*loaded, prompts, seed=None)
    assert texts == [world.solution_text(steps[end:]) for end in range(5)]


def test_sampling_follows_from_its_seed(loaded: Any) -> None:
    prompts = [world.solve_prompt(p.statement) for p in world.problems(SEED, 30)]
    first, again, other = (complete(*loaded, prompts, seed=seed) for seed in (3, 3, 4))
    assert first == again != other


def test_its_directory_is_small_and_says_how_it_is_to_be_used() -> None:
    from transformers import AutoTokenizer

    assert (CHECKPOINT / "model.safetensors").stat().st_size <= 4_000_000
    config = json.loads((CHECKPOINT / "config.json").read_text())
    assert config["architectures"] == ["Qwen2ForCausalLM"]
    assert config["tie_word_embeddings"] is True
    assert config["hidden_size"] // config["num_attention_heads"] == 32  # vLLM's smallest on CPU
    assert json.loads((CHECKPOINT / "prm_encoder.json").read_text()) == {
        "template": "plain",
        "step_token": "<extra_0>",
        "init_step_token_from": "\n\n",
    }
    text = world.check_prompt("9 + 4 * 5?", world.reference_steps("9 + 4 * 5?"))
    tokenizer = AutoTokenizer.from_pretrained(str(CHECKPOINT))
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert len(tokenizer) == config["vocab_size"]
    assert tokenizer.eos_token_id == config["eos_token_id"]
