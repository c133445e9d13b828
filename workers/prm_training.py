"""Carry out a leased training: `python -m trainer` in processes of its own, watched."""

from __future__ import annotations

import ctypes
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from labeling.domain.training_settings import OPTIONS, SCRATCH
from labeling.models import TrainingRun, User
from labeling.models.rewards import TrainingState
from labeling.services import training
from labeling.services.snapshots import folder_of

log = logging.getLogger("workers")

WATCH_SECONDS = 1.0
PR_SET_PDEATHSIG = 1  # linux/prctl.h
LOG = "train_log.jsonl"


class TrainerFailed(Exception):
    """The trainer ended with an error; its own words."""


def carry_out(*, by: User, run: TrainingRun) -> None:
    """Train, evaluate and register the PRM; a run whose worker died is resumed where it was."""
    started = time.monotonic()
    folder = Path(settings.VAR_DIR) / "prms" / run.uid
    folder.mkdir(parents=True, exist_ok=True)
    try:
        metrics = _train(run, folder)
    except TrainerFailed as error:
        log.warning("training %s: %s", run.uid, error)
        training.fail(by=by, run=run, reason=str(error), now=timezone.now())
        return
    training.finish(
        by=by,
        run=run,
        folder=run.uid,
        metrics=metrics,
        seconds=time.monotonic() - started,
        now=timezone.now(),
    )


def _train(run: TrainingRun, folder: Path) -> dict[str, Any]:
    """Train and evaluate in one process (loading torch takes seconds); return the metrics."""
    data = folder_of(run.snapshot) / "train.jsonl"
    config = run.config
    command = ["train", "--data", str(data), "--backbone", _backbone(run, data, folder)]
    command += ["--out", str(folder), "--resume"]
    for option in OPTIONS:
        if option in config:
            command += [f"--{option}", str(config[option])]
    if run.evaluation_set is None:
        _watched(run, command, folder / LOG)
        return {}
    command += ["--evaluate", str(folder_of(run.evaluation_set) / "test.jsonl")]
    command += ["--predictions", str(folder / "predictions.jsonl")]
    report = _watched(run, command, folder / LOG)["evaluation"]
    items = sum(split["erroneous"] + split["correct"] for split in report["splits"].values())
    return {"f1": report["mean_f1"], "n": items, **report}


def _backbone(run: TrainingRun, data: Path, folder: Path) -> str:
    name = run.config["backbone"]
    if name != SCRATCH:
        return str(Path(settings.BASE_DIR) / name)
    backbone = folder / "backbone"
    if not (backbone / "config.json").exists():
        _watched(run, ["init", "--data", str(data), "--out", str(backbone)])
    return str(backbone)


def _watched(
    run: TrainingRun, command: Sequence[str], log_file: Path | None = None
) -> dict[str, Any]:
    """Run the trainer to its end, renewing the lease; return its last line's JSON."""
    child = subprocess.Popen(
        [sys.executable, "-m", "trainer", *command, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=settings.BASE_DIR,
        env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        preexec_fn=_die_with_parent,
    )
    try:
        out, err = _output(child, run, log_file)
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
    if child.returncode:
        raise TrainerFailed((err or out).strip()[-2000:] or f"exit status {child.returncode}")
    lines = [line for line in out.splitlines() if line.startswith("{")]
    return dict(json.loads(lines[-1])) if lines else {}


def _die_with_parent() -> None:
    """End with this worker: its successor resumes the training in the same folder."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _output(
    child: subprocess.Popen[str], run: TrainingRun, log_file: Path | None
) -> tuple[str, str]:
    while True:
        try:
            return child.communicate(timeout=WATCH_SECONDS)
        except subprocess.TimeoutExpired:
            progress = _progress(log_file)
            done = bool(progress) and progress["step"] == progress["steps"]
            training.progressed(
                run=run,
                state=TrainingState.EVALUATING if done else TrainingState.TRAINING,
                progress=progress,
                now=timezone.now(),
            )


def _progress(log_file: Path | None) -> dict[str, Any]:
    """Return the last line of the trainer's log; only its tail is read, whatever its length."""
    if log_file is None or not log_file.exists():
        return {}
    with log_file.open("rb") as file:
        file.seek(max(0, log_file.stat().st_size - 4096))
        lines = file.read().splitlines()
    for line in reversed(lines):
        try:
            last = json.loads(line)
        except ValueError:  # the line is being written
            continue
        return {
            "step": last["iteration"],
            "steps": last["iterations"],
            "loss": last["loss"],
        }
    return {}
