"""Published kinds of PRMs, as tiny random models: our scores are those of their own definitions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    AutoModelForTokenClassification,
    PreTrainedTokenizerFast,
)

from tests.tiny_models import make_tiny_qwen
from trainer import checkpoints
from trainer.encoding import EncodingError
from trainer.formats import open_encoder
from trainer.model import ModelError
from trainer.scoring import Scorer

SOLUTION = ("What is 2 + 3?", ("2 + 3 = 5.", "So the answer\nis 5.", "Done."))


@pytest.fixture(scope="module")
def causal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random causal model that knows the step tokens of every published kind."""
    path = make_tiny_qwen(tmp_path_factory.mktemp("causal"))
    tokenizer = PreTrainedTokenizerFast.from_pretrained(str(path))
    tokenizer.add_tokens(["ки", "\n\n"])
    tokenizer.bos_token = "<|endoftext|>"
    tokenizer.save_pretrained(str(path))
    model = AutoModelForCausalLM.from_pretrained(str(path))
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    model.save_pretrained(str(path))
    return path


def states(folder: Path, form: str) -> tuple[Any, list[int]]:
    """Return a causal model's last states for the solution, and where its steps end."""
    (encoded,) = open_encoder(form, folder).encode_many([SOLUTION])
    model = AutoModelForCausalLM.from_pretrained(str(folder), dtype=torch.float32)
    with torch.no_grad():
        out = model(torch.tensor([encoded.ids]), output_hidden_states=True)
    return out, encoded.positions


def check(scores: list[float], expected: torch.Tensor) -> None:
    assert scores == pytest.approx(expected.tolist(), abs=1e-5)
    assert max(scores) - min(scores) > 0.01  # or anything would look alike


def test_a_causal_model_that_says_plus_or_minus_scores_as_published(causal: Path) -> None:
    out, places = states(causal, "math-shepherd")
    vocabulary = PreTrainedTokenizerFast.from_pretrained(str(causal)).get_vocab()
    signs = out.logits[0, places][:, [vocabulary["+"], vocabulary["-"]]]
    check(Scorer(causal, "cpu", form="math-shepherd").score(*SOLUTION), signs.softmax(-1)[:, 0])


def test_a_value_head_scores_as_published(causal: Path, tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(str(causal))
    PreTrainedTokenizerFast.from_pretrained(str(causal)).save_pretrained(str(tmp_path))
    model.save_pretrained(str(tmp_path))
    torch.manual_seed(3)
    summary = nn.Linear(32, 1)
    head = {f"v_head.summary.{name}": t.detach() for name, t in summary.named_parameters()}
    save_file(head, str(tmp_path / "head.safetensors"), metadata={"format": "pt"})
    out, places = states(causal, "skywork")
    with torch.no_grad():
        expected = summary(out.hidden_states[-1][0, places]).sigmoid()[:, 0]
    check(Scorer(tmp_path, "cpu", form="skywork").score(*SOLUTION), expected)


def test_a_talk_about_steps_is_scored_as_by_one_question_per_step(causal: Path) -> None:
    # run_eval_prm_rlhflow.py: the talk so far, "+" for every earlier answer, one pass per step.
    tokenizer = PreTrainedTokenizerFast.from_pretrained(str(causal))
    model = AutoModelForCausalLM.from_pretrained(str(causal), dtype=torch.float32)
    vocabulary, talk, expected = tokenizer.get_vocab(), [], []
    for step in SOLUTION[1]:
        talk.append({"role": "user", "content": step if talk else f"{SOLUTION[0]} {step}"})
        text = tokenizer.apply_chat_template(talk, tokenize=False, add_generation_prompt=True)
        with torch.no_grad():
            ids = tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
            logits = model(ids).logits[0, -1]
        signs = logits[[vocabulary["+"], vocabulary["-"]]]
        expected.append(signs.softmax(-1)[0])
        talk.append({"role": "assistant", "content": "+"})
    check(Scorer(causal, "cpu", form="rlhflow").score(*SOLUTION), torch.stack(expected))
    (cut,) = open_encoder("rlhflow", causal, max_length=60).encode_many([SOLUTION])
    assert (len(cut.positions), cut.dropped) == (1, 2)


def test_a_talk_needs_a_template(causal: Path, tmp_path: Path) -> None:
    tokenizer = PreTrainedTokenizerFast.from_pretrained(str(causal))
    tokenizer.chat_template = None
    tokenizer.save_pretrained(str(tmp_path))
    with pytest.raises(EncodingError, match="no chat template"):
        open_encoder("rlhflow", tmp_path)


def test_a_model_without_a_value_head_is_refused(causal: Path) -> None:
    with pytest.raises(ModelError, match="has no value head"):
        Scorer(causal, "cpu", form="skywork")


@pytest.mark.parametrize("form", ["trl", "trl-paragraphs"])
def test_trls_token_classifier_on_a_qwen_scores_as_transformers_does(
    causal: Path, tmp_path: Path, form: str
) -> None:
    torch.manual_seed(4)
    theirs = AutoModelForTokenClassification.from_pretrained(str(causal), num_labels=2).eval()
    theirs.score.weight.data.normal_(0, 0.1)
    theirs.save_pretrained(str(tmp_path))
    PreTrainedTokenizerFast.from_pretrained(str(causal)).save_pretrained(str(tmp_path))
    (encoded,) = open_encoder(form, tmp_path).encode_many([SOLUTION])
    with torch.no_grad():
        logits = theirs(torch.tensor([encoded.ids])).logits[0, encoded.positions]
    scorer = Scorer(tmp_path, "cpu", form=form)
    check(scorer.score(*SOLUTION), logits.softmax(-1)[:, 1])
    assert checkpoints.layout(scorer.model) == "Qwen2ForTokenClassification"


def test_a_head_of_another_size_is_refused(causal: Path, tmp_path: Path) -> None:
    tensors = load_file(causal / "model.safetensors")
    save_file(
        {**tensors, "score.weight": torch.zeros(3, 32)},
        str(tmp_path / "model.safetensors"),
        metadata={"format": "pt"},
    )
    (tmp_path / "config.json").write_text((causal / "config.json").read_text())
    with pytest.raises(ModelError, match="the head does not fit"):
        checkpoints.load(tmp_path)


def test_half_precision_moves_scores_little(causal: Path) -> None:
    exact = Scorer(causal, "cpu", form="math-shepherd").score(*SOLUTION)
    half = Scorer(causal, "cpu", form="math-shepherd", dtype="bfloat16").score(*SOLUTION)
    assert half == pytest.approx(exact, abs=0.05)
    assert half != exact
