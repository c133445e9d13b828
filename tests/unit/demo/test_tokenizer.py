"""Texts and tokens are two spellings of one thing, however the tokenizer is loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo import documents, tokenizer, world
from tests.unit.demo.test_world import RIGHT, STATEMENT, chains

BUILT = tokenizer.build()


@pytest.fixture(scope="module", params=["built", "fast", "auto"])
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The tokenizer as built, and read back from a directory that says it is a Qwen2."""
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    directory: Path = tmp_path_factory.mktemp("tokenizer")
    tokenizer.write(directory)
    (directory / "config.json").write_text(json.dumps({"model_type": "qwen2"}))
    if request.param == "built":
        return BUILT
    loader = AutoTokenizer if request.param == "auto" else PreTrainedTokenizerFast
    return loader.from_pretrained(str(directory))


def ids(loaded: Any, text: str) -> list[int]:
    found: list[int] = loaded(text)["input_ids"]
    return found


def test_every_way_to_load_gives_the_same_tokens(loaded: Any) -> None:
    prompt = world.check_prompt(STATEMENT, RIGHT)
    reply = world.check_reply((1, 1, -1))
    for text in (prompt, reply, STATEMENT, "Janet’s 16 ducks, Step 12: ok?\n\n\n é"):
        assert ids(loaded, text) == ids(BUILT, text)
        assert loaded.decode(ids(loaded, text)) == text
    # Problem: 9 + 4 * 5 ? ⏎ | 2 lines of 7 | Answer: 5 ⏎ | Check: = 8 + 14 + 3 + 1
    assert len(ids(loaded, prompt)) == 26


def test_special_tokens_have_their_parts(loaded: Any) -> None:
    assert (loaded.eos_token, loaded.pad_token, loaded.unk_token) == ("<eos>", "<pad>", "<unk>")
    assert ids(loaded, "Answer: 5<extra_0>")[-1] == loaded.get_vocab()["<extra_0>"]
    assert loaded.decode(ids(loaded, "Answer: 5<eos>"), skip_special_tokens=True) == "Answer: 5"


@given(chains)
def test_texts_of_the_world_are_words_and_come_back_whole(chain: world.Chain) -> None:
    lines = world.reference_steps(chain.statement)
    text = world.check_prompt(chain.statement, lines) + world.check_reply([1] * len(lines))
    assert BUILT.decode(ids(BUILT, text)) == text
    assert set(BUILT.convert_ids_to_tokens(ids(BUILT, text))) <= {*tokenizer.WORDS, "?"}
    assert BUILT.decode(ids(BUILT, chain.statement)) == chain.statement


@given(st.lists(st.sampled_from([*tokenizer.WORDS, "?"]), max_size=40))
def test_whatever_words_a_model_writes_are_read_back_as_the_same_tokens(words: list[str]) -> None:
    assert ids(BUILT, "".join(words)) == BUILT.convert_tokens_to_ids(words)


@given(chains, st.data())
def test_tokens_of_a_prompt_begin_the_tokens_of_its_continuation(
    chain: world.Chain, data: st.DataObject
) -> None:
    lines = world.reference_steps(chain.statement)
    end = data.draw(st.integers(0, len(lines)))
    prompt = world.solve_prompt(chain.statement, lines[:end])
    rest = world.solution_text(lines[end:])
    assert ids(BUILT, prompt + rest) == ids(BUILT, prompt) + ids(BUILT, rest)


@given(st.text(alphabet=st.characters(max_codepoint=0x24F, exclude_categories=["Cs"])))
def test_other_text_comes_back_too(text: str) -> None:
    import unicodedata

    normal = unicodedata.normalize("NFC", text)
    assert BUILT.decode(ids(BUILT, normal)) == normal


def test_documents_are_made_of_the_tokens_of_their_text() -> None:
    import random

    rng = random.Random(0)
    for document in [documents.draw(rng, progress / 50) for progress in range(50)]:
        text = "".join(document.words)
        assert BUILT.convert_tokens_to_ids(list(document.words)) == ids(BUILT, text)
