"""What is seen of unfinished work, ending it early, going on after a crash, and work that takes minutes."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from channels.testing import WebsocketCommunicator
from django.test import Client
from django.urls import reverse

from jobs import kinds, lifecycle, midway, workdirs
from jobs import worker as worker_module
from jobs.database import in_database
from jobs.errors import PersonError
from jobs.models import Artifact, Job
from jobs.outcomes import Shown
from jobs.reporting import as_report
from jobs.snapshot import snapshot

from .conftest import asubmit, ended, reread, results, running, submit, until
from .handlers_for_tests import TEST_KIND

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

PICTURE = Shown(b"picture", "image/jpeg", 4, 3)


def claimed(**params: Any) -> Job:
    submit(**params)
    job = lifecycle.claim("tests", ["test"])
    assert job is not None
    return job


def files(house: Any) -> list[Path]:
    return [path for path in Path(house.MEDIA_ROOT).rglob("*") if path.is_file()]


# --- Rows -------------------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_one_preview_a_job_and_the_facts_stay_beside_it(house: Any) -> None:
    job = claimed()
    assert midway.keep(job, PICTURE)
    first = snapshot(job)["preview"]["url"]
    assert midway.keep(job, Shown(facts='{"loss": [1, 0.5]}'))
    assert midway.keep(job, Shown(b"better", "image/png", 8, 6))
    job.refresh_from_db()
    shown = snapshot(job)
    assert shown["facts"] == {"loss": [1, 0.5]}
    assert shown["preview"]["width"] == 8
    assert shown["preview"]["url"] not in ("", first)
    artifact = Artifact.objects.get(job=job)
    assert (artifact.role, artifact.session_key) == ("preview", "visitor-a")
    assert len(files(house)) == 1
    assert not midway.enough(job.pk)  # this kind has no half-way


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "shown",
    [
        Shown(b"<script>", "text/html", 1, 1),
        Shown(b"x" * (midway.LARGEST_PICTURE + 1), "image/jpeg", 1, 1),
        Shown(facts="[]"),
        Shown(facts='{"a": "%s"}' % ("x" * midway.LARGEST_FACTS)),
        Shown(facts="{"),
    ],
)
def test_what_is_not_shown(shown: Shown, house: Any) -> None:
    job = claimed()
    with pytest.raises(ValueError):
        midway.keep(job, shown)
    assert not Artifact.objects.exists()
    assert files(house) == []


@pytest.mark.django_db(transaction=True)
def test_nothing_is_kept_of_a_job_that_is_not_wanted_or_not_ours(test_kind: Callable[..., None], house: Any) -> None:
    job = claimed()
    other = Job(pk=job.pk, attempt=job.attempt + 1, kind=job.kind)
    assert not midway.keep(other, PICTURE)
    lifecycle.cancel(job.pk)
    assert not midway.keep(job, PICTURE)

    def vet(job: Job, shown: Shown) -> None:
        raise PersonError("no", "No.")

    test_kind(vet=vet)
    with pytest.raises(PersonError):
        midway.keep(claimed(key="visitor-b"), PICTURE)
    assert files(house) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("end", ["failed", "cancelled", "purged"])
def test_previews_and_folders_go_with_what_has_come_to_nothing(end: str, house: Any) -> None:
    job = claimed()
    midway.keep(job, PICTURE)
    folder = workdirs.lasting(job)
    if end == "failed":
        lifecycle.fail(job.pk, job.attempt, "no_face", "No face.")
    elif end == "cancelled":
        lifecycle.cancelled(job.pk, job.attempt)
    else:
        lifecycle.fail(job.pk, job.attempt, "no_face", "No face.")
        lifecycle.purge(job.pk)
    job.refresh_from_db()
    assert (job.state, job.shown) == (end, {})
    assert files(house) == []
    assert not folder.exists()


@pytest.mark.django_db
def test_the_scan_takes_folders_of_jobs_that_are_not_there(house: Any) -> None:
    job = submit()
    gone = Job()
    folders = [workdirs.lasting(job), workdirs.lasting(gone)]
    assert workdirs.remove_abandoned() == 0
    assert workdirs.remove_ended() == 1
    assert [folder.exists() for folder in folders] == [True, False]


@pytest.mark.django_db
def test_only_the_owner_ends_it_early(test_kind: Callable[..., None]) -> None:
    test_kind(may_finish_early=True)
    job = submit("somebody-else")
    address = reverse("jobs:finish", args=[job.pk])
    assert Client().post(address).status_code == 404
    assert Client().get(address).status_code == 405
    assert not Job.objects.get(pk=job.pk).enough_requested
    assert midway.enough(job.pk)
    assert midway.enough(job.pk)


@pytest.mark.django_db
def test_learned_faces_are_given_to_nobody(house: Any, admin_client: Client) -> None:
    job = submit()
    artifact = Artifact.store(role=Artifact.LEARNED, data=b"w", content_type="application/zip", suffix=".zip", job=job)
    assert admin_client.get(artifact.url).status_code == 404


# --- The worker -------------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
async def test_previews_are_told_and_the_job_ends_early(
    worker: worker_module.Worker, test_kind: Callable[..., None], house: Any
) -> None:
    from deepfake_site.asgi import application

    test_kind(may_finish_early=True)
    client = Client()
    session = await in_database(lambda: client.session)
    session["seen"] = True
    await in_database(session.save)
    job = await running(await asubmit(session.session_key, do="show"))
    headers = [(b"host", b"testserver"), (b"origin", b"http://testserver")]
    headers.append((b"cookie", f"sessionid={session.session_key}".encode()))
    socket = WebsocketCommunicator(application, f"/ws/jobs/{job.pk}/", headers)
    assert (await socket.connect(timeout=5))[0]
    told: dict[str, Any] = {}
    async with asyncio.timeout(15):
        while not (told.get("preview") and told.get("facts", {}).get("number", 0) > 1):
            told = await socket.receive_json_from(timeout=10)
    assert told["may_finish"]
    assert not told["finishing"]
    assert await in_database(midway.enough, job.pk)
    async with asyncio.timeout(15):
        while told["type"] != "finished":
            told = await socket.receive_json_from(timeout=10)
    await socket.disconnect()
    assert told["state"] == "succeeded"
    assert (await in_database(results, job))[0].startswith("enough at ")
    assert told["preview"]["url"]  # the last one stays with what was made
    assert await in_database(lambda: Artifact.objects.filter(job=job, role="preview").count()) == 1


@pytest.mark.django_db(transaction=True)
async def test_what_was_shown_goes_when_it_fails(worker: worker_module.Worker, house: Any) -> None:
    job = await ended(await asubmit(do="show_and_fail"))
    assert (job.state, job.error_code, job.shown) == ("failed", "no_face", {})
    assert not await in_database(lambda: Artifact.objects.filter(job=job).exists())
    await until(lambda: not files(house))  # files go once the rows are gone for good


@pytest.mark.django_db(transaction=True)
async def test_a_child_that_shows_what_may_not_be_shown_costs_nobody_the_job(
    worker: worker_module.Worker, house: Any
) -> None:
    job = await ended(await asubmit(do="show_what_is_not_shown"))
    assert (job.state, job.shown) == ("succeeded", {})


@pytest.mark.django_db(transaction=True)
async def test_a_killed_attempt_leaves_its_folder_to_the_next(worker: worker_module.Worker, house: Any) -> None:
    job = await ended(await asubmit(do="go_on", lasting=True))
    assert (job.state, job.attempt) == ("succeeded", 2)
    assert await in_database(results, job) == ["half and half"]
    await until(lambda: not list(Path(house.JOBS_WORK_DIR).iterdir()))


@pytest.mark.django_db(transaction=True)
async def test_a_full_disk_is_said_plainly(worker: worker_module.Worker) -> None:
    job = await ended(await asubmit(do="no_room"))
    assert (job.state, job.error_code, job.attempt) == ("failed", "disk_full", 1)
    assert "no room left" in job.error_message
    job = await ended(await asubmit(no_room_to_publish=True))
    assert (job.state, job.error_code) == ("failed", "disk_full")
    assert await in_database(results, job) == []


@pytest.fixture
async def two_lanes(transactional_db: None, house: Any) -> AsyncIterator[worker_module.Worker]:
    house.JOBS_LONG_IDLE_SECONDS = 0.5
    kinds.register(LONG)
    made = worker_module.Worker()
    await in_database(lambda: lifecycle.submit_system("purge"))
    made.start()
    await asyncio.wait_for(made.warm.wait(), 30)
    yield made
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(made.drain(), 20)
    kinds.unregister("test_long")


LONG = kinds.JobKind(
    name="test_long",
    label="Long test",
    handler=TEST_KIND.handler,
    prepare=TEST_KIND.prepare,
    publish=TEST_KIND.publish,
    stages=TEST_KIND.stages,
    deadline_seconds=60,
    long=True,
)


async def test_short_work_does_not_wait_behind_long_work(two_lanes: worker_module.Worker, tmp_path: Path) -> None:
    from .conftest import visitor

    (child,) = two_lanes.long_children
    assert not child.is_alive  # nobody needs it yet
    gate = tmp_path / "gate"
    params = {"gate": str(gate)}
    long = await in_database(lambda: lifecycle.submit("test_long", visitor("visitor-a"), (), params))
    await running(long)
    short = await ended(await asubmit("visitor-b"))
    assert short.state == "succeeded"
    assert (await reread(long)).state == "running"
    gate.touch()
    assert (await ended(long)).state == "succeeded"
    async with asyncio.timeout(10):
        while child.is_alive:  # and nobody needs it any more
            await asyncio.sleep(0.05)


def test_without_a_child_for_it_long_work_is_done_by_the_others() -> None:
    lanes = worker_module.lanes_of(0)
    assert lanes.short(LONG)
    assert not lanes.long(LONG)
    assert worker_module.lanes_of(1).long(LONG)
    assert not worker_module.lanes_of(1).short(LONG)


def test_a_plain_function_is_report_enough() -> None:
    told: list[tuple[str, int, int]] = []
    report = as_report(lambda *line: told.append(line))
    report("train", 1, 2)
    report.show(b"picture", "image/jpeg", (1, 1), {})
    assert not report.enough
    assert as_report(report) is report
    assert told == [("train", 1, 2)]
