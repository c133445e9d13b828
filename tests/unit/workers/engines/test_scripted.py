"""The scripted engine keeps the same contract as the real ones."""

from __future__ import annotations

from hashlib import blake2b

from tests.engine_contract import check_contract
from tests.engines import ScriptedEngine


def test_the_scripted_engine_keeps_the_contract() -> None:
    def script(prompt: str, seed: int) -> str:
        return blake2b(f"{prompt}{seed}".encode()).hexdigest()[: 10 + seed % 20]

    check_contract(ScriptedEngine(script), ("one", "another"))
