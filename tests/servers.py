"""Pytest plugin, loaded before Django's: real servers and a database of this run's own.

The servers keep their data in var/test and give up durability for speed; runs side by side use
databases of different names.
"""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("API_RATE", "1000000/min")
os.environ.setdefault("API_ADDRESS_RATE", "1000000/min")
os.environ.setdefault("VAR_DIR", str(ROOT / "var" / "test"))
os.environ.setdefault("TEST_DATABASE_NAME", f"test_annotator_{os.getpid()}")

from annotator.embedded.environment import prepare  # noqa: E402 - reads VAR_DIR

prepare(["manage.py", "test"], durable=False)
