"""The census of workers: a real worker behind the real Redis is counted, a stopped one is not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from labeling.models import QueuePresence
from labeling.services import presence
from workers import attendance, tasks

QUEUE = f"census-{os.getpid()}"
"""A queue of this run's own: other tests may have workers on the same Redis."""


@pytest.fixture
def worker() -> Iterator[subprocess.Popen[bytes]]:
    arguments = ["worker", "--queues", QUEUE, "--concurrency", "2", "--hostname", f"{QUEUE}@%h"]
    arguments += ["--without-gossip", "--without-mingle", "--loglevel", "ERROR"]
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "annotator.celery", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield process
    process.kill()
    process.wait()


def until_counted() -> dict[str, int]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        served = attendance.served()
        if QUEUE in served:
            return served
    raise AssertionError("the worker was never counted")


@pytest.mark.django_db
def test_a_workers_processes_are_counted_until_it_stops(worker):
    assert until_counted()[QUEUE] == 2
    before = timezone.now()
    tasks.census()
    row = QueuePresence.objects.get(queue=QUEUE)
    assert row.workers == 2
    assert before <= row.seen_at <= timezone.now()
    worker.terminate()
    worker.wait()
    tasks.census()
    after = QueuePresence.objects.get(queue=QUEUE)
    assert after.seen_at == row.seen_at  # when it was last served
    assert QueuePresence.objects.get(queue="default").seen_at > after.seen_at


@pytest.mark.django_db
def test_a_count_replaces_the_one_before_and_nobody_leaves_no_trace():
    now = timezone.now()
    presence.record(queues={"mc": 2, "judge": 0}, now=now)
    presence.record(queues={"mc": 3}, now=now + timedelta(seconds=15))
    row = QueuePresence.objects.get()
    assert (row.queue, row.workers, row.seen_at) == ("mc", 3, now + timedelta(seconds=15))
    presence.record(queues={}, now=now)
    assert QueuePresence.objects.count() == 1


def test_a_worker_that_tells_no_size_counts_as_one_process():
    assert attendance._processes(None) == 1
    assert attendance._processes({"pool": {"max-concurrency": "many"}}) == 1
    assert attendance._processes({"pool": {"max-concurrency": 4}}) == 4
