from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from tests.tiny_models import make_tiny_qwen
from trainer.encoding import SYSTEM, EncodingError, load_tokenizer
from trainer.formats import FORMATS, open_encoder, vllm_flags
from trainer.published import MathShepherd

PROMPT = "What is 2 + 3?"
STEPS = ("2 + 3 = 5.", "So the answer is 5.")
PUBLISHED = sorted(set(FORMATS) - {"checkpoint"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tokenizer of characters that knows every format's step token, and a beginning."""
    path = make_tiny_qwen(tmp_path_factory.mktemp("formats"))
    tokenizer = PreTrainedTokenizerFast.from_pretrained(str(path))
    tokenizer.add_special_tokens({"additional_special_tokens": ["<extra_0>"]})
    tokenizer.add_tokens(["\n\n", "ки"])
    tokenizer.bos_token = "<|im_start|>"
    tokenizer.save_pretrained(str(path))
    return path


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Any:
    return PreTrainedTokenizerFast.from_pretrained(str(folder))


def test_qwens_format_is_its_chat_with_a_token_behind_each_step(
    folder: Path, tokenizer: Any
) -> None:
    messages = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": PROMPT},
        {"role": "assistant", "content": "<extra_0>".join(STEPS) + "<extra_0>"},
    ]
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    whole = tokenizer(text, add_special_tokens=False)["input_ids"]
    (encoded,) = open_encoder("qwen-prm", folder).encode_many([(PROMPT, STEPS)])
    # Behind the last step only the end of the turn is left out: nothing before it sees it.
    assert encoded.ids == whole[: len(encoded.ids)]
    assert tokenizer.decode(whole[len(encoded.ids) :]) == "<|im_end|>\n"


@pytest.mark.parametrize(("name", "separator"), [("trl", "\n"), ("trl-paragraphs", "\n\n")])
def test_trls_format_is_what_its_trainer_tokenizes(
    folder: Path, tokenizer: Any, name: str, separator: str
) -> None:
    # PRMTrainer.tokenize_row: bos, the prompt, then each completion and the separator, by tokens.
    def ids(text: str) -> list[int]:
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    expected = [tokenizer.bos_token_id, *ids(PROMPT)]
    places = []
    for step in STEPS:
        expected += [*ids(step), *ids(separator)]
        places.append(len(expected) - 1)
    (encoded,) = open_encoder(name, folder).encode_many([(PROMPT, STEPS)])
    assert encoded.ids == expected
    assert encoded.positions == places


def test_trls_format_needs_no_beginning_where_the_tokenizer_has_none(tmp_path: Path) -> None:
    plain = make_tiny_qwen(tmp_path)
    (encoded,) = open_encoder("trl", plain).encode_many([("ab", ("cd",))])
    assert len(encoded.ids) == len("abcd\n")


def test_math_shepherds_format_is_the_published_text(folder: Path, tokenizer: Any) -> None:
    text = f"{PROMPT} Step 1: 2 + 3 = 5. ки\nStep 2: So the answer is 5. ки"
    encoder = open_encoder("math-shepherd", folder)
    (encoded,) = encoder.encode_many([(PROMPT, STEPS)])
    assert encoded.ids == tokenizer(text)["input_ids"]
    tag = tokenizer.get_vocab()["ки"]
    assert encoded.positions == [i for i, token in enumerate(encoded.ids) if token == tag]


def test_a_sign_is_the_token_with_a_space_where_the_vocabulary_has_one(tmp_path: Path) -> None:
    # SentencePiece's kind, as Mistral's under Math-Shepherd: the published candidates 648 and 387
    # are the tokens of "+" and "-" behind a space, not those of the bare signs.
    words = ["<unk>", "<s>", "+", "-", "\u2581+", "\u2581-", "\u2581a", "\u2581\u043a\u0438"]
    raw = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, "<unk>"))
    raw.pre_tokenizer = pre_tokenizers.Metaspace()
    PreTrainedTokenizerFast(
        tokenizer_object=raw, unk_token="<unk>", bos_token="<s>"
    ).save_pretrained(str(tmp_path))
    encoder = open_encoder("math-shepherd", tmp_path)
    assert isinstance(encoder, MathShepherd)
    assert encoder.signs == (5, 4)
    assert '["\u2581-", "\u2581+"]' in vllm_flags(encoder, "math-shepherd")


def test_skyworks_format_is_what_its_script_feeds(folder: Path, tokenizer: Any) -> None:
    # prepare_input: encode(bos + problem + "\n"), then each step's tokens and that of "\n".
    def ids(text: str) -> list[int]:
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    expected, places = [tokenizer.bos_token_id, *ids("a\nb\n")], []
    for step in ("c d", "e"):  # lines inside a step are scored there, and are one step here
        expected += [*ids(step), *ids("\n")]
        places.append(len(expected) - 1)
    (encoded,) = open_encoder("skywork", folder).encode_many([("a\nb", ("c\nd", "e"))])
    assert encoded.ids == expected
    assert encoded.positions == places
    (cut,) = open_encoder("skywork", folder, max_length=10).encode_many([("ab", ("cd", "efghij"))])
    assert (len(cut.positions), cut.dropped) == (1, 1)


def test_steps_that_are_numbered_already_are_not_numbered_again(folder: Path) -> None:
    encoder = open_encoder("math-shepherd", folder)
    numbered = [f"Step {number}: {step}" for number, step in enumerate(STEPS, start=1)]
    assert encoder.encode_many([(PROMPT, numbered)]) == encoder.encode_many([(PROMPT, STEPS)])


TEXTS = st.lists(
    st.sampled_from(
        [
            "ки",
            " ки",
            "к",
            "и",
            "<extra_0>",
            "<extra",
            "_0>",
            "<|im_end|>",
            "\n",
            "\n\n",
            " ",
            "5",
            "é",
        ]
    ),
    max_size=8,
).map("".join)


@given(prompt=TEXTS, steps=st.lists(TEXTS, min_size=1, max_size=4))
@settings(max_examples=200)
def test_whatever_the_texts_hold_there_is_one_step_token_per_step(
    folder: Path, prompt: str, steps: list[str]
) -> None:
    for name in PUBLISHED:
        encoder = open_encoder_once(name, folder)
        (encoded,) = encoder.encode_many([(prompt, steps)])
        assert encoded.ids.count(encoder.step_id) == len(steps), name
        assert [encoded.ids[place] for place in encoded.positions] == [encoder.step_id] * len(steps)
        assert encoded.flaw(len(steps), encoder.max_length) == ""


_OPEN: dict[tuple[str, Path], Any] = {}


def open_encoder_once(name: str, folder: Path) -> Any:
    if (name, folder) not in _OPEN:
        _OPEN[name, folder] = open_encoder(name, folder, max_length=10_000)
    return _OPEN[name, folder]


def test_a_lines_end_inside_a_text_becomes_a_space(folder: Path) -> None:
    encoder = open_encoder("trl", folder)
    assert encoder.encode_many([("a\nb", ("c\nd",))]) == encoder.encode_many([("a b", ("c d",))])


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_is_too_long_says_so_and_is_never_scored_in_part(folder: Path, name: str) -> None:
    encoder = open_encoder(name, folder, max_length=200)
    short, long, none = encoder.encode_many(
        [("ab", ("cd",)), ("ab", ("cd", "e" * 200)), ("ab", ())]
    )
    assert short.flaw(1, 200) == ""
    assert long.flaw(2, 200) == "1 of 2 steps lie behind the model's 200 tokens"
    assert none.flaw(0, 200) == "the solution has no steps"


def test_the_context_is_the_folders_unless_said_otherwise(folder: Path) -> None:
    assert open_encoder("qwen-prm", folder).max_length == 256
    assert open_encoder("qwen-prm", folder, max_length=100).max_length == 100
    assert open_encoder("math-shepherd", folder, max_length=100).max_length == 100


def test_an_unknown_format_is_refused_with_the_known_ones(folder: Path) -> None:
    with pytest.raises(EncodingError, match="'poem' is none of checkpoint, qwen-prm, trl"):
        open_encoder("poem", folder)


def test_a_folder_that_is_no_checkpoint_of_ours_is_not_taken_for_one(folder: Path) -> None:
    with pytest.raises(EncodingError, match=r"has no prm_encoder\.json"):
        open_encoder("checkpoint", folder)


@pytest.mark.parametrize("name", ["qwen-prm", "trl-paragraphs", "math-shepherd"])
def test_a_tokenizer_without_the_step_token_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(EncodingError, match="does not know the token"):
        open_encoder(name, make_tiny_qwen(tmp_path))


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncodingError, match="no tokenizer in"):
        open_encoder("qwen-prm", tmp_path)


def test_the_flags_are_words_of_a_shell(folder: Path) -> None:
    tags = open_encoder("qwen-prm", folder)
    assert shlex.split(vllm_flags(tags)) == [
        "--runner", "pooling", "--pooler-config",
        f'{{"task": "token_classify", "tok_pooling_type": "STEP", "step_tag_id": {tags.step_id}}}',
    ]  # fmt: skip
    signs = open_encoder("math-shepherd", folder)
    assert shlex.split(vllm_flags(signs, "math-shepherd"))[4:] == [
        "--convert", "classify", "--hf-overrides",
        '{"method": "no_post_processing", "classifier_from_token": ["-", "+"]}',
    ]  # fmt: skip
    with pytest.raises(EncodingError, match="vLLM cannot serve the format 'skywork'"):
        vllm_flags(open_encoder("skywork", folder), "skywork")


def test_a_vocabulary_of_bytes_knows_a_lines_end(backbone: Path) -> None:
    encoder = open_encoder("trl", backbone)
    assert encoder.step_id == load_tokenizer(backbone)("\n")["input_ids"][0]
    (encoded,) = encoder.encode_many([("a\nb", ("c\n", "\n"))])
    assert encoded.ids.count(encoder.step_id) == len(encoded.positions) == 2
