"""The processes of one machine serve every queue, and identities survive the reuse of pids."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from annotator.embedded import programs
from annotator.embedded.keeper import socket_folder
from annotator.embedded.processes import Identity, identify, program_of
from labeling import dispatch


def test_every_queue_has_exactly_one_embedded_worker() -> None:
    served = [
        queue
        for worker in programs.workers()
        for queue in worker.argv[worker.argv.index("--queues") + 1].split(",")
    ]
    assert sorted(served) == sorted(dispatch.QUEUES)


def test_web_stops_before_the_schedule_and_that_before_the_workers() -> None:
    stages = {program.name: program.stage for program in programs.application(8000)}
    workers = {stages[worker.name] for worker in programs.workers()}
    assert len(workers) == 1
    assert stages["web"] > stages["beat"] > workers.pop()


def test_asking_all_of_it_to_stop_takes_seven_seconds_at_most() -> None:
    # of the ten that a Ctrl-C may take; the rest is for the servers
    patience = {program.stage: program.patience for program in programs.application(8000)}
    assert sum(patience.values()) <= 7


def test_the_web_server_listens_on_this_machine_only() -> None:
    web = next(program for program in programs.application(8123) if program.name == "web")
    assert "127.0.0.1:8123" in web.argv


def test_a_process_is_told_apart_from_a_later_one_with_its_pid() -> None:
    me = identify(os.getpid())
    assert me
    assert me.is_alive()
    assert not Identity(me.pid, "1").is_alive()


def test_a_pid_of_no_process_has_no_identity_and_no_program() -> None:
    highest = int(Path("/proc/sys/kernel/pid_max").read_text())
    assert identify(highest + 1) is None
    assert program_of(highest + 1) == ""


def test_a_socket_fits_its_107_characters_even_where_the_temporary_folder_is_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/" + "long" * 25)
    folder = socket_folder(Path("/some/where"))
    assert len(str(folder / ".s.PGSQL.5432.lock")) <= 107


def test_two_folders_have_sockets_of_their_own() -> None:
    assert socket_folder(Path("/a")) != socket_folder(Path("/b"))
