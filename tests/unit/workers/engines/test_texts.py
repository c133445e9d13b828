"""Tokens that may end a stop string: none that does is missed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from tests.tiny_models import make_tiny_qwen
from workers.engines.protocol import EngineRefused, EngineUnavailable, Message
from workers.engines.texts import Texts, _completes, load_tokenizer

words = st.text("ab", min_size=1, max_size=4)


@given(words, words, words)
def test_a_piece_completes_a_stop_string_if_the_string_can_end_in_it(
    before: str, piece: str, stop: str
) -> None:
    comes = stop in before + piece and stop not in before
    if comes:
        assert _completes(piece, stop)
    # And if it can end there, then behind some text it does.
    if _completes(piece, stop):
        assert any(stop in stop[:end] + piece for end in range(len(stop) + 1))


@pytest.fixture(scope="module")
def spaced(tmp_path_factory: pytest.TempPathFactory) -> Texts:
    """A tokenizer whose decoder drops the space before the first word."""
    vocab = {"<unk>": 0, "▁a": 1, "▁b": 2, "▁": 3, "b": 4}
    raw = Tokenizer(models.WordLevel(vocab, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.Metaspace()
    raw.decoder = decoders.Metaspace()
    folder = tmp_path_factory.mktemp("spaced")
    PreTrainedTokenizerFast(tokenizer_object=raw, unk_token="<unk>").save_pretrained(folder)
    return Texts(str(folder))


def test_a_space_that_a_token_loses_alone_counts(spaced: Texts) -> None:
    assert spaced._text([1, 2]) == "a b"
    assert spaced._text([2]) == "b"
    # "a " ends with the space of the next word, whichever it is.
    assert spaced.may_end(("a ",)) >= {1, 2, 3}
    assert spaced.may_end(("b",)) == {2, 4}
    assert spaced.may_end(()) == frozenset()


def test_a_text_goes_on_with_its_space_and_is_cut_at_the_first_stop(spaced: Texts) -> None:
    assert spaced.decode([1], [2, 1]) == " b a"
    assert spaced.cut("one two three", ("three", "two")) == "one "
    assert spaced.cut("one", ("x",)) == "one"


def test_a_template_that_refuses_a_chat_refuses_the_sample(tmp_path: Path) -> None:
    texts = Texts(str(make_tiny_qwen(tmp_path)))
    texts.tokenizer.chat_template = "{{ raise_exception('no system role') }}"
    with pytest.raises(EngineRefused, match="no system role"):
        texts.encode((Message("system", "be brief"),))


def test_a_model_without_a_tokenizer_is_not_tried_again(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="cannot load") as failure:
        load_tokenizer(str(tmp_path))
    assert not failure.value.retry
