"""The worker with a real inference child: every way a handler can end, and what the next job then finds."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from jobs import lifecycle
from jobs import worker as worker_module
from jobs.database import in_database
from jobs.models import Artifact, Job

from .conftest import asubmit, ended, reread, results, running, submit, until

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_job_runs_in_the_child_and_its_result_is_published(worker: worker_module.Worker) -> None:
    job = await ended(await asubmit())
    assert (job.state, job.attempt, job.device, job.worker) == ("succeeded", 1, "test device", worker.name)
    assert job.started is not None and job.finished is not None
    assert await in_database(results, job) == ["0 bytes"]
    assert worker.children[0].pid not in (None, os.getpid())


async def test_the_child_stays_warm_between_jobs(worker: worker_module.Worker) -> None:
    first = worker.children[0].pid
    for _ in range(3):
        assert (await ended(await asubmit())).state == "succeeded"
    assert worker.children[0].pid == first


async def test_a_persons_error_is_said_and_not_retried(worker: worker_module.Worker) -> None:
    job = await ended(await asubmit(do="refuse"))
    assert (job.state, job.error_code, job.attempt) == ("failed", "no_face", 1)
    assert job.error_message == "No face was found in this picture."
    assert job.error_id == ""


@pytest.mark.parametrize("trick", ["bug", "leave", "prepare_fails", "unpicklable", "foreign"])
async def test_a_bug_costs_its_own_job_and_is_found_in_the_log_by_its_id(
    worker: worker_module.Worker, caplog: pytest.LogCaptureFixture, trick: str
) -> None:
    child = worker.children[0].pid
    job = await ended(await asubmit(do=trick))
    assert (job.state, job.error_code, job.attempt) == ("failed", "internal", 1)
    assert job.error_id in job.error_text
    assert "secret" not in job.error_text
    logged = [record.getMessage() for record in caplog.records if job.error_id in record.getMessage()]
    assert (len(logged) == 1 and "Traceback" in logged[0]) or trick == "foreign"
    assert (await ended(await asubmit())).state == "succeeded"
    assert worker.children[0].pid == child


async def test_a_taken_over_child_cannot_run_code_in_the_worker(worker: worker_module.Worker) -> None:
    trace = Path("/tmp/unmask-test-taken-over")  # noqa: S108
    trace.unlink(missing_ok=True)
    job = await ended(await asubmit(do="hostile"))
    assert (job.state, job.error_code) == ("failed", "internal")
    assert not trace.exists()


async def test_a_failing_publish_leaves_neither_result_nor_file(worker: worker_module.Worker, house: Any) -> None:
    job = await ended(await asubmit(do_not_publish=True))
    assert (job.state, job.error_code) == ("failed", "internal")
    assert await in_database(results, job) == []
    assert [path for path in Path(house.MEDIA_ROOT).rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("trick", ["transient", "segfault_once", "hang_once"])
async def test_a_passing_trouble_is_retried(
    worker: worker_module.Worker, test_kind: Callable[..., None], trick: str
) -> None:
    test_kind(stall_seconds=0.6)
    job = await ended(await asubmit(do=trick))
    assert (job.state, job.attempt, job.error_code) == ("succeeded", 2, "")
    assert await in_database(results, job) == ["second time lucky"]


@pytest.mark.parametrize(
    ("trick", "code"),
    [("segfault", "crashed"), ("memory_error", "crashed"), ("hang", "stalled"), ("devour", "out_of_memory")],
)
async def test_what_always_breaks_the_child_fails_plainly_in_the_end(
    worker: worker_module.Worker, test_kind: Callable[..., None], house: Any, trick: str, code: str
) -> None:
    test_kind(stall_seconds=0.5, max_attempts=2)
    house.JOBS_CHILD_MEMORY_MB = 160
    job = await ended(await asubmit(do=trick), 30)
    assert (job.state, job.error_code, job.attempt) == ("failed", code, 2)
    assert job.error_text.startswith("This could not be done after 2 attempts: ")
    assert job.error_id
    house.JOBS_CHILD_MEMORY_MB = 6000
    assert (await ended(await asubmit())).state == "succeeded"


async def test_the_deadline_ends_a_job_that_goes_on_reporting(
    worker: worker_module.Worker, test_kind: Callable[..., None]
) -> None:
    test_kind(deadline_seconds=0.8)
    job = await ended(await asubmit(do="chatter"))
    assert (job.state, job.error_code, job.attempt) == ("failed", "took_too_long", 1)


@pytest.mark.parametrize(("trick", "same_child"), [("chatter", True), ("hang", False)])
async def test_cancel_asks_first_and_kills_after_the_grace(
    worker: worker_module.Worker, trick: str, same_child: bool
) -> None:
    child = worker.children[0].pid
    job = await running(await asubmit(do=trick))
    assert await in_database(lifecycle.cancel, job.pk) == "running"
    assert (await ended(job, 5)).state == "cancelled"
    assert (await ended(await asubmit())).state == "succeeded"
    assert (worker.children[0].pid == child) is same_child


async def test_kill_9_of_the_child_costs_an_attempt_of_its_job_and_no_more(worker: worker_module.Worker) -> None:
    job = await running(await asubmit(seconds=1.0, steps=20))
    other = await asubmit("visitor-b")
    assert worker.children[0].pid is not None
    os.kill(worker.children[0].pid, signal.SIGKILL)
    done, beside = await asyncio.gather(ended(job), ended(other))
    assert (done.state, done.attempt) == ("succeeded", 2)
    assert (beside.state, beside.attempt) == ("succeeded", 1)
    assert await in_database(results, job) == ["0 bytes"]


async def test_an_idle_child_that_is_killed_is_replaced_before_the_next_job(worker: worker_module.Worker) -> None:
    first = worker.children[0].pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(lambda: worker.children[0].is_alive and worker.children[0].pid != first and worker.children[0].device)
    job = await ended(await asubmit())
    assert (job.state, job.attempt) == ("succeeded", 1)


async def test_drain_puts_the_running_job_back_without_costing_an_attempt(
    worker: worker_module.Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await running(await asubmit(seconds=20.0, steps=200))
    child = worker.children[0].pid
    await worker.drain()
    back = await reread(job)
    assert (back.state, back.worker, back.attempt, back.max_attempts) == ("queued", "", 1, 4)
    assert back.lease_expires is None
    assert child is not None and not psutil.pid_exists(child)

    again = worker_module.Worker()
    again.start()
    try:
        assert (await running(job)).attempt == 2
    finally:
        await again.drain()


async def test_drain_gives_back_what_is_claimed_at_that_very_moment(
    worker: worker_module.Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, claiming = lifecycle.claim, threading.Event()

    def slow_claim(*args: Any, **kwargs: Any) -> Job | None:
        job = real(*args, **kwargs)
        if job is not None:
            claiming.set()
            time.sleep(0.6)
        return job

    monkeypatch.setattr(lifecycle, "claim", slow_claim)
    job = await asubmit()
    await asyncio.to_thread(claiming.wait, 10)
    await worker.drain()
    back = await reread(job)
    assert (back.state, back.attempt, back.max_attempts) == ("queued", 1, 4)


async def test_drain_lets_a_job_end_that_is_nearly_done(worker: worker_module.Worker, house: Any) -> None:
    house.JOBS_DRAIN_SECONDS = 10.0
    job = await running(await asubmit(seconds=0.6, steps=6))
    await worker.drain()
    assert (await reread(job)).state == "succeeded"


async def test_nudges_are_idempotent(worker: worker_module.Worker) -> None:
    jobs = [await asubmit() for _ in range(3)]
    for _ in range(50):
        worker.wake()
    for job in jobs:
        assert (await ended(job)).attempt == 1
    assert await in_database(lambda: Artifact.objects.filter(role="result").count()) == 3


async def test_jobs_are_found_without_any_nudge(worker: worker_module.Worker) -> None:
    await asyncio.sleep(0.1)
    job = await in_database(_insert_silently)
    assert (await ended(job, 5)).state == "succeeded"


def _insert_silently() -> Job:
    from django.utils import timezone

    return Job.objects.create(
        kind="test", session_key="s", owner_key="session:s", purge_after=timezone.now(), params={}, seq=1
    )


async def test_a_stale_attempt_ends_without_writing(worker: worker_module.Worker) -> None:
    job = await running(await asubmit(seconds=3.0, steps=30))

    def another_takes_it() -> None:
        Job.objects.filter(pk=job.pk).update(attempt=7, worker="another")

    await in_database(another_takes_it)
    await until(lambda: not worker._attempts)
    after = await reread(job)
    assert (after.state, after.attempt, after.worker) == ("running", 7, "another")
    assert await in_database(results, job) == []


async def test_the_lease_is_renewed_while_progress_is_made(worker: worker_module.Worker, house: Any) -> None:
    house.JOBS_LEASE_SECONDS = 1.5
    job = await running(await asubmit(seconds=3.0, steps=60))
    first = job.lease_expires
    await asyncio.sleep(1.3)
    renewed = await reread(job)
    assert first is not None and renewed.lease_expires is not None and renewed.lease_expires > first
    assert await in_database(lifecycle.sweep) == 0
    assert (await ended(job)).attempt == 1


async def test_the_worker_outlives_a_failing_claim(
    worker: worker_module.Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = lifecycle.claim, iter(range(2))

    def claim(*args: Any, **kwargs: Any) -> Job | None:
        if next(failures, None) is not None:
            raise RuntimeError("the table has gone for a walk")
        return real(*args, **kwargs)

    monkeypatch.setattr(lifecycle, "claim", claim)
    assert (await ended(await asubmit(), 15)).state == "succeeded"


def test_submit_is_all_that_a_view_needs() -> None:
    assert submit().state == "queued"
