"""A site as separate processes on real PostgreSQL and Redis servers: web processes, workers, one data directory."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
import redis
from psycopg.rows import dict_row

from tests.live_site import Process, Visitor, free_port, manage_command, site_environment, wait_for_page

if TYPE_CHECKING:
    from pathlib import Path

# Short, so that a killed worker's jobs are taken back within the test; the ratios are those of the defaults.
TIMES = {
    "JOBS_LEASE_SECONDS": "8",
    "JOBS_HEARTBEAT_SECONDS": "2",
    "JOBS_SWEEP_SECONDS": "2",
    "JOBS_POLL_SECONDS": "1",
}


class Database:
    """A new database on the server, dropped again at the end; a copy of another one, to which nobody is connected."""

    def __init__(self, server_url: str, copied: Database | None = None) -> None:
        self.server_url = server_url
        self.name = f"unmask_test_{uuid.uuid4().hex[:12]}"
        self._on_server(f'CREATE DATABASE "{self.name}" TEMPLATE "{copied.name if copied else "template1"}"')

    @property
    def url(self) -> str:
        return urlsplit(self.server_url)._replace(path=f"/{self.name}").geturl()

    def drop(self) -> None:
        self._on_server(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            return connection.execute(query, values).fetchall()

    def _on_server(self, statement: str) -> None:
        with psycopg.connect(self.server_url, autocommit=True) as connection:
            connection.execute(statement)


class ScaledOutSite:
    def __init__(self, data_dir: Path, database: Database, redis_url: str) -> None:
        self.data_dir = data_dir
        self.database = database
        self.redis_url = redis_url
        self.environment = site_environment(
            data_dir,
            {
                "DATABASE_URL": database.url,
                "REDIS_URL": redis_url,
                "DJANGO_SETTINGS_MODULE": "deepfake_site.settings",
                **TIMES,
            },
        )
        self.webs: dict[str, Process] = {}
        self.workers: list[Process] = []
        data_dir.mkdir(parents=True)

    def start_web(self) -> str:
        """Start a web process as an operator would, without a worker; return its address."""
        port = free_port()
        process = Process(
            f"web{len(self.webs)}",
            manage_command("serve", "--no-worker", "--port", str(port)),
            self.environment,
            self.data_dir / f"web{len(self.webs)}.log",
        )
        url = f"http://127.0.0.1:{port}"
        self.webs[url] = process
        wait_for_page(f"{url}/healthz", process, 60)
        return url

    def start_worker(self) -> Process:
        name = f"worker{len(self.workers)}"
        process = Process(name, manage_command("work"), self.environment, self.data_dir / f"{name}.log")
        self.workers.append(process)
        return process

    def worker_named(self, name: str) -> Process:
        """The process behind the name that a worker writes into the rows that it claims; its third part is the pid."""
        pid = int(name.split("~")[2])
        return next(worker for worker in self.workers if worker.pid == pid)

    def visitor(self, url: str) -> Visitor:
        return Visitor(url)

    def wipe_redis(self) -> None:
        with redis.Redis.from_url(self.redis_url) as client:
            client.flushdb()

    def stop(self) -> None:
        for process in [*self.workers, *self.webs.values()]:
            process.stop()

    def output(self) -> str:
        processes = [*self.webs.values(), *self.workers]
        return "\n".join(f"--- {process.name}\n{process.output()[-4000:]}" for process in processes)
