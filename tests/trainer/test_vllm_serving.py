"""From a backbone to a served PRM by the trainer's commands, with every score as transformers'."""

from __future__ import annotations

import json
import shlex
from itertools import chain
from pathlib import Path

import pytest
import torch

from tests.prms import make_untrained, world_solutions
from tests.tiny_models import make_tiny
from tests.trainer.test_backbones import theirs
from tests.vllm_server import vllm_server
from trainer.cli import main
from trainer.encoding import EncoderSpec, write_spec
from trainer.formats import open_encoder

pytestmark = pytest.mark.vllm

SOLUTIONS = world_solutions(100, 9)
CLOSE = 1e-4
# vLLM's attention on CPU knows heads of 32.
SIZES = {"hidden_size": 64, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 32}


@pytest.mark.parametrize("architecture", ["qwen2", "qwen3", "llama", "mistral", "olmo2"])
def test_an_exported_prm_scores_every_step_as_transformers_does(
    architecture: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = make_tiny(
        tmp_path / "base", architecture, max_position_embeddings=1024, **SIZES,
        initializer_range=0.2,
    )  # fmt: skip
    write_spec(base, EncoderSpec(template="plain", max_length=1024))
    prm, out = make_untrained(base, tmp_path / "prm"), tmp_path / "export"
    assert main(["export", "--model", str(prm), "--out", str(out), "--dtype", "float32"]) == 0
    capsys.readouterr()
    assert main(["serve", "--model", str(out)]) == 0
    _, _, _, *flags = shlex.split(capsys.readouterr().out)
    data, scores = tmp_path / "data.jsonl", tmp_path / "scores.jsonl"
    data.write_text(
        "".join(json.dumps({"prompt": p, "steps": list(s)}) + "\n" for p, s in SOLUTIONS)
    )
    with vllm_server(out, tmp_path, flags) as server:
        words = ["--model", str(out), "--data", str(data), "--out", str(scores)]
        assert main(["score", *words, "--server", server.url]) == 0
    served = [json.loads(line)["scores"] for line in scores.read_text().splitlines()]
    expected = transformers_scores(out, architecture)
    assert [len(row) for row in served] == [len(steps) for _, steps in SOLUTIONS]
    pairs = list(zip(chain(*served), chain(*expected), strict=True))
    apart = max(abs(a - b) for a, b in pairs)
    print(f"{architecture}: {len(pairs)} step scores differ by at most {apart:.1e}")
    assert apart <= CLOSE
    assert max(b for _, b in pairs) - min(b for _, b in pairs) > 0.5  # or all would look alike


def transformers_scores(folder: Path, architecture: str) -> list[list[float]]:
    model = theirs(folder, architecture)
    rows = []
    for item in open_encoder("checkpoint", folder).encode_many(SOLUTIONS):
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([item.ids])).logits[0, item.positions]
        rows.append(logits.softmax(-1)[:, 1].tolist())
    return rows
