"""A whole site in processes of its own, as a person or an operator would start it, for tests to talk to over HTTP."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import requests

if TYPE_CHECKING:
    from collections.abc import Mapping

REPOSITORY = Path(__file__).resolve().parent.parent
MANAGE = REPOSITORY / "manage.py"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def site_environment(data_dir: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a site under test: the machine's, less what this suite or its caller set for Django."""
    own = ("DJANGO_SETTINGS_MODULE", "DATABASE_URL", "REDIS_URL")
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in own and (not name.startswith("UNMASK_") or name == "UNMASK_SHARED_DATA")
    }
    environment.update(UNMASK_DATA_DIR=str(data_dir), PYTHONUNBUFFERED="1", TF_CPP_MIN_LOG_LEVEL="2")
    environment.update(extra or {})
    return environment


def manage_command(*arguments: str) -> list[str]:
    return [sys.executable, str(MANAGE), *arguments]


@cache
def empty_database() -> bytes:
    """The SQLite file of a migrated site without content; made once a process, for to migrate takes many seconds."""
    with tempfile.TemporaryDirectory(prefix="unmask-test-") as folder:
        directory = Path(folder)
        subprocess.run(
            manage_command("migrate", "--noinput", "--verbosity", "0"),
            env=site_environment(directory),
            cwd=REPOSITORY,
            check=True,
            stdin=subprocess.DEVNULL,
            timeout=240,
        )
        with contextlib.closing(sqlite3.connect(directory / "db.sqlite3")) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return (directory / "db.sqlite3").read_bytes()


class Process:
    """One process of a site, with a process group of its own and its output in a log file."""

    def __init__(self, name: str, command: list[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self.popen = subprocess.Popen(
                command,
                env=dict(environment),
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that kill() takes the inference child along, as a power cut would
            )

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def alive(self) -> bool:
        return self.popen.poll() is None

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def kill(self, *, group: bool = True) -> None:
        """`kill -9`: of the process alone, or with everything that it started."""
        with contextlib.suppress(ProcessLookupError):
            if group:
                os.killpg(self.pid, signal.SIGKILL)
            else:
                os.kill(self.pid, signal.SIGKILL)
        self.popen.wait(30)

    def stop(self, timeout: float = 30) -> int:
        """SIGTERM, as a service manager would; what is left of the group after `timeout` is killed."""
        if self.alive:
            self.popen.terminate()
        try:
            code = self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            code = -signal.SIGKILL
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.popen.wait(30)
        return code


class LiveSite:
    """`manage.py serve` on a free port with a data directory of its own.

    start() waits until the front page answers; kill() and start() again is a crash and a restart.
    """

    def __init__(self, data_dir: Path, environment: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self.log = data_dir.parent / f"{data_dir.name}.log"
        self.port = free_port()
        self.environment = site_environment(data_dir, environment)
        self.process: Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def websocket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self.process is not None, "the site was never started"
        return self.process.pid

    def manage(self, *arguments: str, timeout: float = 120) -> str:
        """Run one management command to its end and return what it printed."""
        done = subprocess.run(
            manage_command(*arguments),
            env=self.environment,
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"manage.py {' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def prepare(self) -> None:
        """The data directory with an empty database, unless it is there."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        if not self.database.exists():
            self.database.write_bytes(empty_database())

    @property
    def database(self) -> Path:
        return self.data_dir / "db.sqlite3"

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Ask the database, or change it: in no time, where `manage("shell")` takes seconds."""
        with contextlib.closing(sqlite3.connect(self.database, timeout=30)) as connection, connection:
            return connection.execute(query, parameters).fetchall()

    def start(self, *arguments: str, timeout: float = 120) -> Self:
        self.prepare()
        command = manage_command("serve", "--port", str(self.port), *arguments)
        self.process = Process("serve", command, self.environment, self.log)
        wait_for_page(f"{self.url}/", self.process, timeout)
        return self

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def kill(self, *, group: bool = True) -> None:
        assert self.process is not None
        self.process.kill(group=group)

    def stop(self) -> int:
        return self.process.stop() if self.process is not None else 0

    def visitor(self) -> Visitor:
        return Visitor(self.url)


class Visitor:
    """A person with a browser's cookies and no browser: keeps a session and sends the CSRF token with every form."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = requests.Session()
        self.http.trust_env = False  # no proxy and no certificates of the machine's own between a test and its site
        self.http.headers["Accept"] = "application/json"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def token(self) -> str:
        if "csrftoken" not in self.http.cookies:
            self.http.get(f"{self.url}/", headers={"Accept": "text/html"}, timeout=30).raise_for_status()
        return str(self.http.cookies["csrftoken"])

    def post(self, path: str, **options: Any) -> requests.Response:
        headers = {"X-CSRFToken": self.token(), "Referer": f"{self.url}/", **options.pop("headers", {})}
        return self.http.post(f"{self.url}{path}", headers=headers, timeout=60, allow_redirects=False, **options)

    def upload(self, picture: bytes, name: str = "photo.jpg", content_type: str = "image/jpeg") -> requests.Response:
        return self.post("/", files=[("files", (name, picture, content_type))])

    def job(self, job_id: str) -> dict[str, Any]:
        response = self.http.get(f"{self.url}/jobs/{job_id}.json", timeout=30)
        response.raise_for_status()
        state: dict[str, Any] = response.json()
        return state

    def wait(self, job_id: str, timeout: float = 120) -> dict[str, Any]:
        """Poll the job until it has ended."""
        deadline = time.monotonic() + timeout
        state = self.job(job_id)
        while state["state"] in {"queued", "running"}:
            assert time.monotonic() < deadline, f"job {job_id} has not ended after {timeout:.0f} s: {state}"
            time.sleep(0.2)
            state = self.job(job_id)
        return state

    @property
    def cookie_header(self) -> str:
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.http.cookies)


def wait_for_page(url: str, process: Process, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if not process.alive:
            raise AssertionError(f"{process.name} ended with {process.popen.returncode}:\n{process.output()}")
        try:
            if requests.get(url, timeout=5, headers={"Accept": "text/html"}).ok:
                return
        except requests.RequestException:
            time.sleep(0.1)
    raise AssertionError(f"{process.name} did not answer within {timeout:.0f} s:\n{process.output()}")
