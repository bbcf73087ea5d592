"""The copies that running jobs work on do not stay behind, even of workers that were killed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.base import ContentFile

from jobs import lifecycle, workdirs, workplace
from jobs.database import in_database
from jobs.models import Artifact, Job

from .conftest import ended, running, visitor

if TYPE_CHECKING:
    from jobs import worker as worker_module


def test_directories_of_workers_that_are_gone_are_removed(house: Any) -> None:
    mine = workplace.worker_name()
    host, place, _, since, token = mine.split("~")
    theirs = f"{host}~{place}~999999999~{since}~{token}"
    elsewhere = f"{host}~{'0' * 12}~999999999~{since}~{token}"
    assert workdirs.remove_abandoned() == 0
    made = {name: workdirs.make(Job(worker=name)) for name in (mine, theirs, elsewhere)}
    (made[theirs] / "original.jpg").write_bytes(b"x")
    assert workdirs.remove_abandoned() == 1
    assert [path.exists() for path in made.values()] == [True, False, True]


@pytest.mark.django_db(transaction=True)
async def test_the_copy_of_the_original_is_there_while_the_job_runs_and_gone_after(
    worker: worker_module.Worker, house: Any
) -> None:
    def submit_with_original() -> Job:
        artifact = Artifact(role="original", sha256="0" * 64, content_type="image/png", size=3, session_key="v")
        artifact.file.save("original.png", ContentFile(b"abc"), save=False)
        artifact.save()
        return lifecycle.submit("test", visitor(), [artifact], {"seconds": 0.5, "steps": 5})

    job = await running(await in_database(submit_with_original))
    copies = list(Path(house.JOBS_WORK_DIR).rglob("*.png"))
    assert [copy.read_bytes() for copy in copies] == [b"abc"]
    assert (await ended(job)).state == "succeeded"
    assert list(Path(house.JOBS_WORK_DIR).iterdir()) == []
    assert await in_database(lambda: Artifact.objects.get(job=job, role="result").size) == len("3 bytes")
