"""A site whose workers run the test kind, submitted and looked at from outside, straight in its database."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.live_site import LiveSite, Process, manage_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SUBMIT = """
from jobs import lifecycle
from jobs.requester import Requester
for number in range({count}):
    owner = Requester(user=None, session_key="visitor-%d" % number)
    print(lifecycle.submit("test", owner, (), {params!r}).pk)
"""


class House:
    """One site, or its workers alone, over one data directory."""

    def __init__(self, directory: Path) -> None:
        self.log = directory / "attempts.log"
        self.gate = directory / "gate"
        self.site = LiveSite(
            directory / "var",
            {
                "JOBS_EXTRA_KINDS": "tests.jobs.handlers_for_tests.TEST_KIND",
                "JOBS_WORKER_KINDS": "test,purge",
                "JOBS_POLL_SECONDS": "0.2",
                "JOBS_SWEEP_SECONDS": "0.5",
                "JOBS_RETRY_DELAY_SECONDS": "0.1",
                "JOBS_DRAIN_SECONDS": "0.3",
                "UNMASK_TEST_JOB_LOG": str(self.log),
            },
        )
        self.site.prepare()
        self.workers: list[Process] = []

    def work(self) -> Process:
        name = f"work-{len(self.workers)}"
        log = self.log.parent / f"{name}.log"
        self.workers.append(Process(name, manage_command("work"), self.site.environment, log))
        return self.workers[-1]

    def submit(self, count: int) -> list[str]:
        """Jobs that are at work until `let_end()`."""
        params = {"gate": str(self.gate)}
        return self.site.manage("shell", "--verbosity", "0", "-c", SUBMIT.format(count=count, params=params)).split()

    def let_end(self) -> None:
        self.gate.touch()

    def begun(self) -> list[str]:
        """The job of each attempt that has begun."""
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
        return [line.split()[0] for line in lines]

    def job(self, job_id: str) -> tuple[Any, ...]:
        """state, attempt, max_attempts, error_code"""
        hexed = uuid.UUID(job_id).hex
        query = "SELECT state, attempt, max_attempts, error_code FROM jobs_job WHERE id = ?"
        return self.site.rows(query, hexed)[0]

    def until(self, condition: Callable[[], Any], timeout: float = 60) -> Any:
        deadline = time.monotonic() + timeout
        while not (answer := condition()):
            assert time.monotonic() < deadline, (
                f"it did not happen in time; jobs: {self.site.rows(ALL)}\n{self.output()}"
            )
            time.sleep(0.05)
        return answer

    def until_running(self) -> str:
        """Until some job is past its first report; returns the name of the worker that runs it."""
        running = "SELECT worker FROM jobs_job WHERE kind = 'test' AND state = 'running' AND stage <> ''"
        return str(self.until(lambda: self.site.rows(running))[0][0])

    def assert_each_ended_once(self, jobs: list[str]) -> Counter[str]:
        """Every job succeeded with exactly one result; returns how often each was begun."""
        self.until(lambda: all(self.job(job)[0] not in ("queued", "running") for job in jobs))
        assert {self.job(job)[0] for job in jobs} == {"succeeded"}
        results = dict(
            self.site.rows("SELECT job_id, count(*) FROM jobs_artifact WHERE role = 'result' GROUP BY job_id")
        )
        assert results == {uuid.UUID(job).hex: 1 for job in jobs}
        files = [path for path in (self.site.data_dir / "files").rglob("*") if path.is_file()]
        assert len(files) == len(jobs)
        return Counter(self.begun())

    def children(self, pid: int) -> list[psutil.Process]:
        return list(psutil.Process(pid).children(recursive=True))

    def output(self) -> str:
        return self.site.output() + "".join(worker.output() for worker in self.workers)

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()
        if self.site.process is not None:
            self.site.kill()


ALL = "SELECT id, kind, state, attempt, worker, stage, error_code FROM jobs_job"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()
