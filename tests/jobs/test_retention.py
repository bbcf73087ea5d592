"""What is forgotten, when, and that files and rows never lose each other for long."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from jobs import kinds, lifecycle, retention
from jobs.database import in_database
from jobs.models import Artifact, Job
from jobs.requester import Requester
from jobs.worker import submit_purge_when_due

from .conftest import asubmit, ended, submit, until, visitor
from .handlers_for_tests import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User

    from jobs import worker as worker_module

pytestmark = pytest.mark.django_db(transaction=True)


def quiet(stage: str, done: int, total: int) -> None:
    return None


def original(created: timedelta = timedelta()) -> Artifact:
    artifact = Artifact(role="original", sha256="0" * 64, content_type="image/png", size=3, session_key="visitor-a")
    artifact.created = timezone.now() - created
    artifact.file.save("original.png", ContentFile(b"abc"), save=False)
    artifact.save()
    return artifact


def done_job(**changes: Any) -> Job:
    lifecycle.submit("test", visitor(), [original()], {"secret": "parameter"})
    job = lifecycle.claim("w", ["test"])
    assert job is not None
    lifecycle.succeed(job.pk, job.attempt, Answer("result", 1))
    Job.objects.filter(pk=job.pk).update(**changes)
    job.refresh_from_db()
    return job


def past() -> Any:
    return timezone.now() - timedelta(minutes=1)


def stored(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def test_what_has_had_its_time_is_forgotten(house: Any) -> None:
    root = Path(house.MEDIA_ROOT)
    kept = done_job()
    due = done_job(purge_after=past())
    assert len(stored(root)) == 4
    assert retention.purge_due(quiet) == (1, 0)
    due.refresh_from_db()
    assert (due.state, due.params, due.session_key, due.address_hash) == ("purged", {}, "", "")
    assert due.finished is not None
    assert set(Artifact.objects.values_list("job_id", flat=True)) == {kept.pk}
    assert len(stored(root)) == 2
    assert retention.purge_due(quiet) == (0, 0)


def test_visitors_are_forgotten_after_a_day_and_members_after_thirty(django_user_model: type[User]) -> None:
    member = Requester(user=django_user_model.objects.create_user("m", "m@example.org", "pw"), session_key=None)
    for requester, hours in ((visitor(), 24), (member, 720)):
        job = lifecycle.submit("test", requester)
        assert job.purge_after is not None
        assert job.purge_after - job.created == timedelta(hours=hours)


def test_a_running_job_is_never_purged() -> None:
    submit()
    job = lifecycle.claim("w", ["test"])
    assert job is not None
    Job.objects.filter(pk=job.pk).update(purge_after=past())
    assert retention.purge_due(quiet) == (0, 0)
    assert not lifecycle.purge(job.pk)
    job.refresh_from_db()
    assert job.state == "running"


def test_a_job_that_waited_past_its_time_is_ended_and_forgotten() -> None:
    job = submit()
    Job.objects.filter(pk=job.pk).update(purge_after=past())
    assert retention.purge_due(quiet) == (1, 0)
    job.refresh_from_db()
    assert job.state == "purged"


def test_the_app_forgets_its_part_in_the_same_transaction(test_kind: Callable[..., None]) -> None:
    job = done_job(purge_after=past())
    forgotten: list[Any] = []

    def refuse(job: Job) -> None:
        raise RuntimeError("not now")

    test_kind(forget=refuse)
    with pytest.raises(RuntimeError):
        lifecycle.purge(job.pk)
    job.refresh_from_db()
    assert job.state == "succeeded" and Artifact.objects.filter(job=job).count() == 2
    test_kind(forget=lambda job: forgotten.append(job.pk))
    assert lifecycle.purge(job.pk)
    assert forgotten == [job.pk]


def test_one_job_that_cannot_be_forgotten_does_not_keep_the_others(test_kind: Callable[..., None]) -> None:
    stuck, other = done_job(purge_after=past()), done_job(purge_after=past())

    def forget(job: Job) -> None:
        if job.pk == stuck.pk:
            raise RuntimeError("not now")

    test_kind(forget=forget)
    assert retention.purge_due(quiet) == (1, 0)
    other.refresh_from_db()
    assert other.state == "purged"


def test_jobs_of_a_kind_that_is_no_longer_installed_are_forgotten_too() -> None:
    job = done_job(purge_after=past())
    kinds.unregister("test")
    assert lifecycle.purge(job.pk)


def test_forget_now_ends_what_waits_and_stops_what_runs() -> None:
    waiting = submit("visitor-b")
    lifecycle.forget(waiting.pk)
    waiting.refresh_from_db()
    assert waiting.state == "purged"
    submit()
    job = lifecycle.claim("w", ["test"])
    assert job is not None
    lifecycle.forget(job.pk)
    assert lifecycle.standing(job.pk, 1) is lifecycle.Standing.CANCEL
    assert lifecycle.succeed(job.pk, 1, Answer("too late", 1)) == "cancelled"
    assert retention.purge_due(quiet) == (1, 0)


def test_uploads_that_became_no_job_are_removed_after_the_grace(house: Any) -> None:
    original(created=timedelta(minutes=house.JOBS_ORPHAN_GRACE_MINUTES + 1))
    young = original()
    assert retention.purge_due(quiet) == (0, 1)
    assert list(Artifact.objects.all()) == [young]
    assert len(stored(Path(house.MEDIA_ROOT))) == 1


def test_files_without_rows_go_once_they_are_old(house: Any) -> None:
    root = Path(house.MEDIA_ROOT)
    kept = original()
    old, young = root / "artifacts/ab/cd/old.jpg", root / "artifacts/ab/cd/young.jpg"
    for path in (old, young):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"orphan")
    hours_ago = time.time() - 7200
    os.utime(old, (hours_ago, hours_ago))
    os.utime(root / str(kept.file.name), (hours_ago, hours_ago))
    assert retention.files_without_rows(quiet) == 1
    assert not old.exists() and young.exists() and (root / str(kept.file.name)).exists()


def test_a_file_that_goes_during_the_scan_does_not_end_it(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = Artifact._meta.get_field("file").storage
    names = [storage.save(f"artifacts/ab/{name}/x.png", ContentFile(b"abc")) for name in ("gone", "old")]
    for name in names:
        os.utime(storage.path(name), (0, 0))
    walk = retention._walk

    def and_gone(*scan: Any) -> Any:
        yield from walk(*scan)
        Path(storage.path(names[0])).unlink(missing_ok=True)

    monkeypatch.setattr(retention, "_walk", and_gone)
    assert retention.files_without_rows(quiet) == 1
    assert not storage.exists(names[1])


def test_directories_of_files_that_are_gone_do_not_pile_up(house: Any) -> None:
    storage = Artifact._meta.get_field("file").storage
    gone, kept = original(), original()
    directories = [Path(storage.path(each.file.name)).parent for each in (gone, kept)]
    gone.delete()
    retention.files_without_rows(quiet)
    assert directories[0].is_dir()  # as young as one whose file is being written
    for each in directories:
        os.utime(each, (0, 0))
    retention.files_without_rows(quiet)
    assert [each.is_dir() for each in directories] == [False, True]
    assert directories[0].parent.is_dir()


def test_rows_without_files_go(house: Any) -> None:
    whole, broken = original(), original()
    (Path(house.MEDIA_ROOT) / str(broken.file.name)).unlink()
    assert retention.rows_without_files(quiet) == 1
    assert list(Artifact.objects.all()) == [whole]


def test_rows_stay_while_the_whole_store_is_away(house: Any, caplog: pytest.LogCaptureFixture) -> None:
    kept = original()
    store = Path(house.MEDIA_ROOT) / retention.ROOT
    away = store.rename(store.with_name("not-mounted"))
    assert retention.rows_without_files(quiet) == 0
    assert list(Artifact.objects.all()) == [kept]
    assert "not there" in caplog.text
    away.rename(store)
    assert retention.rows_without_files(quiet) == 0


def test_sessions_that_have_ended_go_with_the_purge() -> None:
    from django.contrib.sessions.models import Session

    for name, days in (("ended", -1), ("lasting", 1)):
        Session.objects.create(session_key=name, session_data="", expire_date=timezone.now() + timedelta(days=days))
    retention.purge_handler(None, quiet)
    assert [session.session_key for session in Session.objects.all()] == ["lasting"]


def test_an_empty_house_is_scanned_without_fuss() -> None:
    assert retention.purge_handler(None, quiet) == retention.Purged()


def test_a_file_goes_only_when_its_row_is_gone_for_good(house: Any) -> None:
    from django.db import transaction

    artifact = original()
    path = Path(house.MEDIA_ROOT) / str(artifact.file.name)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        artifact.delete()
        raise ZeroDivisionError
    assert path.exists()
    Artifact.objects.all().delete()
    assert not path.exists()


def test_the_purge_is_due_once_in_its_interval(house: Any) -> None:
    assert submit_purge_when_due() is not None
    assert submit_purge_when_due() is None
    Job.objects.filter(kind="purge").update(created=timezone.now() - timedelta(seconds=house.JOBS_PURGE_SECONDS + 1))
    assert submit_purge_when_due() is None, "one is unfinished"
    job = lifecycle.claim("w", ["purge"])
    assert job is not None
    lifecycle.succeed(job.pk, job.attempt, None)
    assert submit_purge_when_due() is not None


async def test_the_worker_purges_beside_its_other_work(worker: worker_module.Worker) -> None:
    def purge_has_run() -> bool:
        return Job.objects.filter(kind="purge", state="succeeded").exists()

    await until(purge_has_run)  # the one that the worker found at its start
    long = await asubmit("visitor-b", seconds=2.0, steps=20)
    due = await in_database(
        lambda: Job.objects.create(
            kind="test", owner_key="session:v", state="succeeded", finished=past(), purge_after=past()
        )
    )
    purge = await in_database(lifecycle.submit_system, "purge")
    assert purge is not None
    assert (await ended(purge)).state == "succeeded"
    await in_database(due.refresh_from_db)
    assert due.state == "purged"
    assert await in_database(lambda: Job.objects.get(pk=long.pk).state) in ("queued", "running")


async def test_old_jobs_of_the_site_itself_do_not_pile_up(worker: worker_module.Worker) -> None:
    def purged_site_jobs() -> int:
        return Job.objects.filter(owner_key="system").count()

    await until(lambda: Job.objects.filter(kind="purge", state="succeeded").exists())
    await in_database(lambda: Job.objects.filter(kind="purge").update(purge_after=past()))
    again = await in_database(lifecycle.submit_system, "purge")
    assert again is not None
    await ended(again)
    assert await in_database(purged_site_jobs) == 1
