"""The threads of an engine's servers: each takes the next sample from the pool and asks its server.

Everything but the asking happens with the engine's lock held.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from workers.engines.connection import Connection
from workers.engines.endpoints import Outcome, Server
from workers.engines.pool import Job, Pool

Settle = Callable[[Server, Job, Outcome | Exception, bool], None]
"""Called with what became of a job, and whether it was a probe of its server."""


class Crew:
    """Threads, started when they are needed; an idle one waits for its server's bell."""

    def __init__(self, servers: Sequence[Server], lock: threading.Lock, settle: Settle) -> None:
        self._servers, self._lock, self._settle = servers, lock, settle
        self._pool = Pool(len(servers))
        self._era = 0
        """Grows when all is given up: what threads bring afterwards is dropped."""
        self._closed = False

    def put(self, jobs: Sequence[Job]) -> None:
        """Add jobs for whichever thread comes first."""
        for job in jobs:
            self._pool.put(job)
        self.rouse(time.monotonic())

    def rouse(self, now: float) -> None:
        """Send threads to work: each job's own server's first, then any that is free."""
        waiting = len(self._pool) - sum(server.woken for server in self._servers)
        for server in self._servers if waiting > 0 else ():
            own = max(0, self._pool.count(server.place) - server.woken)
            begun = min(own, server.free(now))
            for _ in range(begun):
                self._wake(server)
            waiting -= min(own, begun + server.keeps(now))
        while waiting > 0:
            free = [server for server in self._servers if server.free(now)]
            if not free:
                return
            self._wake(min(free, key=Server.load))
            waiting -= 1

    def give_up(self) -> None:
        """Drop all jobs, those under way included; their servers see the connections end."""
        self._era += 1
        self._pool.clear()
        for server in self._servers:
            server.abort()

    def close(self) -> list[threading.Thread]:
        """Give up and send the threads home; return them."""
        self._closed = True
        self.give_up()
        for server in self._servers:
            server.bell.notify_all()
        return [thread for server in self._servers for thread in server.threads]

    def _wake(self, server: Server) -> None:
        if server.idle:
            server.idle -= 1
            server.bell.notify()
        else:
            name = f"{server.endpoint.root} {len(server.threads)}"
            thread = threading.Thread(target=self._work, args=(server,), name=name, daemon=True)
            thread.start()
            server.threads.append(thread)
        server.woken += 1

    def _work(self, server: Server) -> None:
        connection = server.connect()
        with self._lock:
            while True:
                server.woken -= 1
                while job := self._next(server):
                    self._carry_out(server, connection, job)
                if self._closed:
                    break
                # What it was woken for may be another server's by now: a thread there takes it.
                self.rouse(time.monotonic())
                server.idle += 1
                server.bell.wait()
        connection.close()

    def _next(self, server: Server) -> Job | None:
        now = time.monotonic()
        if self._closed or not server.breaker.room(now, len(server.under_way)):
            return None
        return self._pool.take(server.place, lambda other: self._servers[other].ready(now))

    def _carry_out(self, server: Server, connection: Connection, job: Job) -> None:
        probe, era = server.breaker.begin(), self._era
        server.under_way.add(connection)
        connection.begin()
        self._lock.release()
        try:
            outcome: Outcome | Exception = server.ask(connection, job.sample)
        except Exception as error:  # a fault of ours: the caller must hear of it
            outcome = error
        finally:
            self._lock.acquire()
        server.under_way.remove(connection)
        if era == self._era:
            self._settle(server, job, outcome, probe)
        else:
            server.breaker.withdrawn(probe)
