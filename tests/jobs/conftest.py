"""A test kind, a requester, and a worker with a real inference child."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from jobs import estimates, kinds, lifecycle
from jobs import worker as worker_module
from jobs.database import in_database
from jobs.models import Artifact, Job
from jobs.requester import Requester

from .handlers_for_tests import TEST_KIND

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def house(settings: Any, tmp_path: Path) -> Iterator[Any]:
    """Quick clocks, files of the test's own, the test kind alone: no app's models are warmed."""
    settings.MEDIA_ROOT = tmp_path / "files"
    settings.JOBS_WORK_DIR = tmp_path / "work"
    settings.JOBS_POLL_SECONDS = 0.2
    settings.JOBS_WATCH_SECONDS = 0.1
    settings.JOBS_HEARTBEAT_SECONDS = 0.5
    settings.JOBS_RETRY_DELAY_SECONDS = 0.05
    settings.JOBS_CANCEL_GRACE_SECONDS = 0.5
    settings.JOBS_DRAIN_SECONDS = 0.3
    settings.JOBS_PURGE_SECONDS = 3600.0
    registered = {kind.name: kind for kind in kinds.registered()}
    for name in registered:
        if name != "purge":
            kinds.unregister(name)
    kinds.register(TEST_KIND)
    estimates.forget_medians()
    yield settings
    kinds.unregister("test")
    for name, kind in registered.items():
        if name != "purge":
            kinds.register(kind)


@pytest.fixture
def test_kind() -> Callable[..., None]:
    """Change the test kind for one test."""

    def change(**changes: Any) -> None:
        kinds.unregister("test")
        kinds.register(dataclasses.replace(TEST_KIND, **changes))

    return change


def visitor(key: str = "visitor-a", address: str = "") -> Requester:
    return Requester(user=None, session_key=key, address_hash=address)


def submit(key: str = "visitor-a", **params: Any) -> Job:
    return lifecycle.submit("test", visitor(key), (), params)


def results(job: Job) -> list[str]:
    """What was published of a job: one text for each time that it was done."""
    found = []
    for artifact in Artifact.objects.filter(job=job, role="result"):
        with artifact.file.open("rb") as stored:
            found.append(stored.read().decode())
    return found


async def asubmit(key: str = "visitor-a", **params: Any) -> Job:
    return await in_database(submit, key, **params)


async def reread(job: Job) -> Job:
    return await in_database(lambda: Job.objects.get(pk=job.pk))


async def until(condition: Callable[[], Any], timeout: float = 20.0) -> Any:
    """Wait until a database question is answered with something true."""
    deadline = time.monotonic() + timeout
    while True:
        answer = await in_database(condition)
        if answer:
            return answer
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.03)


async def ended(job: Job, timeout: float = 20.0) -> Job:
    await until(lambda: Job.objects.terminal().filter(pk=job.pk).exists(), timeout)
    return await reread(job)


async def running(job: Job, timeout: float = 20.0) -> Job:
    await until(lambda: Job.objects.filter(pk=job.pk, state="running").exclude(stage="").exists(), timeout)
    return await reread(job)


@pytest_asyncio.fixture
async def worker(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[worker_module.Worker]:
    """The worker of this process, started, warm, and drained afterwards."""
    made = worker_module.Worker()
    monkeypatch.setattr(worker_module, "_worker", made)
    await in_database(lambda: lifecycle.submit_system("purge"))  # so that none is due during the test
    made.start()
    await asyncio.wait_for(made.warm.wait(), 30)
    yield made
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(made.drain(), 20)
