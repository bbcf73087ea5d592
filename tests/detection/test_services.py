"""What changes a check, on the real database and storage."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from django.utils import timezone

from detection import publishing, services
from detection.models import Check, FaceFinding, Report
from jobs import intake, lifecycle
from jobs.errors import IntakeError, QuotaExceeded
from jobs.models import Artifact, Job
from jobs.retention import purge_due
from jobs.states import JobState
from tests.detection import factories

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.core.files.uploadedfile import UploadedFile
    from pytest_django import DjangoCaptureOnCommitCallbacks
    from pytest_django.fixtures import SettingsWrapper

    from jobs.requester import Requester

pytestmark = pytest.mark.django_db
VISITOR = factories.requester(session_key="visitor-one")


def files() -> list[Path]:
    return [path for path in Path(django_settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_submit_keeps_original_job_and_check_together(ada: User) -> None:
    data = factories.jpeg("navy")
    check = services.submit_check(factories.requester(ada), factories.upload("holiday.jpg", data))
    assert check.title == "holiday.jpg"
    assert check.owner == ada
    assert check.job.state == JobState.QUEUED
    assert check.original.job == check.job
    assert [path.read_bytes() for path in files()] == [data]
    assert check.level == ""


def test_a_refused_file_leaves_nothing(ada: User) -> None:
    with pytest.raises(IntakeError) as refused:
        services.submit_check(factories.requester(ada), factories.upload("x.jpg", b"not a picture"))
    assert refused.value.code == "not_an_image"
    assert not Check.objects.exists()
    assert not Job.objects.exists()
    assert not Artifact.objects.exists()
    assert files() == []


@pytest.mark.django_db(transaction=True)
def test_what_breaks_after_the_intake_leaves_nothing(monkeypatch: pytest.MonkeyPatch, media_root: Path) -> None:
    def full(*args: object) -> Job:
        raise QuotaExceeded("full", retry_after=3)

    monkeypatch.setattr(lifecycle, "submit", full)
    with pytest.raises(QuotaExceeded):
        factories.queued(VISITOR)
    assert not Artifact.objects.exists()
    assert files() == []


@pytest.mark.django_db(transaction=True)
def test_a_place_lost_between_intake_and_queue_leaves_no_orphan(
    monkeypatch: pytest.MonkeyPatch, settings: SettingsWrapper, media_root: Path
) -> None:
    """The first look passes; before the job is queued another request takes the last place."""
    settings.JOBS_WAITING_VISITOR = 1
    accept = intake.accept_picture

    def slow_accept(upload: UploadedFile, owner: Requester, kind: str) -> Artifact:
        artifact = accept(upload, owner, kind)
        lifecycle.submit("check", owner)
        return artifact

    monkeypatch.setattr(intake, "accept_picture", slow_accept)
    with pytest.raises(QuotaExceeded):
        factories.queued(VISITOR)
    assert not Artifact.objects.exists()
    assert files() == []


def test_publish_writes_verdict_faces_and_pictures(ada: User) -> None:
    check = factories.finished(factories.queued(factories.requester(ada)))
    assert check.job.state == JobState.SUCCEEDED
    assert check.level == "likely_manipulated"
    assert check.probability == pytest.approx(0.91)
    assert check.interval == (0.82, 0.96)
    assert check.bands == {"low": 40, "high": 60}
    assert check.not_checked == ["provenance"]
    assert check.weights_version == "weights-test"
    assert factories.content(check.display) == factories.RESULT.display_jpeg
    first, second = check.faces.all()
    assert (first.x0, first.y0, first.x1, first.y1) == (10, 8, 50, 48)
    assert first.detectors == {"meso4": 0.88, "mesoinception4": 0.94}
    assert factories.content(first.crop) == factories.FACE.crop_jpeg
    assert first.gradcam.content_type == "image/jpeg"
    assert second.level == "likely_authentic"
    assert first.left_percent == pytest.approx(100 * 10 / 96, abs=0.001)
    assert first.height_percent == pytest.approx(100 * 40 / 64, abs=0.001)


def test_a_publish_that_breaks_half_way_leaves_neither_rows_nor_files(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = factories.queued(factories.requester(ada))
    job = factories.claimed(check)
    before = files()

    def broken(*args: object) -> FaceFinding:
        raise RuntimeError("disk full")

    monkeypatch.setattr(publishing, "_finding", broken)
    with pytest.raises(RuntimeError, match="disk full"):
        lifecycle.succeed(job.pk, job.attempt, factories.RESULT)
    check.refresh_from_db()
    assert check.level == ""
    assert check.display is None
    assert check.job.state == JobState.RUNNING
    assert files() == before
    assert Artifact.objects.count() == 1


def test_what_its_owner_decides_while_the_verdict_is_written_holds(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where rows are not locked by one writer, a change that comes in between must not be written over."""
    check = services.submit_check(VISITOR, factories.upload(), improve=True)

    def meanwhile(**asked: str) -> list[object]:
        Check.objects.filter(pk=check.pk).update(owner=ada, session_key="", training_consent=None)
        return []

    monkeypatch.setattr(publishing.outputs, "find", meanwhile)
    factories.finished(check)
    assert (check.owner, check.session_key, check.training_consent) == (ada, "", None)
    assert check.level == "likely_manipulated"
    assert check.provenance == {}


def test_a_stale_attempt_publishes_nothing(ada: User) -> None:
    check = factories.queued(factories.requester(ada))
    job = factories.claimed(check)
    lifecycle.requeue(job.pk, job.attempt)
    factories.finished(check)
    with pytest.raises(lifecycle.LeaseLost):
        lifecycle.succeed(job.pk, job.attempt, factories.RESULT)
    assert FaceFinding.objects.count() == 2


@pytest.mark.parametrize("stage", ["queued", "running", "succeeded", "failed"])
def test_delete_leaves_nothing(
    ada: User, stage: str, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    check = factories.queued(factories.requester(ada))
    match stage:
        case "running":
            factories.claimed(check)
        case "succeeded":
            factories.finished(check)
            services.report_check(check, VISITOR, "other")
        case "failed":
            factories.failed(check)
    with django_capture_on_commit_callbacks(execute=True):
        services.delete_check(check)
    assert files() == []
    assert not Check.objects.exists()
    assert not FaceFinding.objects.exists()
    assert not Report.objects.exists()
    assert not Artifact.objects.exists()
    job = Job.objects.get()
    assert job.state == (JobState.RUNNING if stage == "running" else JobState.PURGED)
    assert job.cancel_requested is (stage == "running")


def test_a_check_deleted_while_it_runs_is_not_published(ada: User) -> None:
    check = factories.queued(factories.requester(ada))
    job = factories.claimed(check)
    services.delete_check(check)
    assert lifecycle.succeed(job.pk, job.attempt, factories.RESULT) is JobState.CANCELLED
    assert not Artifact.objects.exists()
    purge_due(lambda *args: None)
    job.refresh_from_db()
    assert job.state == JobState.PURGED


def test_retry_takes_the_same_original_and_keeps_the_address(ada: User) -> None:
    check = factories.failed(factories.queued(factories.requester(ada)))
    old, original = check.job_id, check.original_id
    again = services.retry_check(check, factories.requester(ada))
    assert (again.pk, again.original_id) == (check.pk, original)
    assert again.job_id != old
    assert again.job.state == JobState.QUEUED
    assert Job.objects.get(pk=old).state == JobState.PURGED
    assert factories.finished(again).level == "likely_manipulated"


def test_only_what_ended_without_verdict_can_be_retried(ada: User) -> None:
    check = factories.queued(factories.requester(ada))
    with pytest.raises(services.NotRetryable):
        services.retry_check(check, factories.requester(ada))
    factories.finished(check)
    with pytest.raises(services.NotRetryable):
        services.retry_check(check, factories.requester(ada))
    assert Job.objects.count() == 1


def test_a_retry_without_a_place_in_the_queue_keeps_the_original(ada: User, settings: SettingsWrapper) -> None:
    check = factories.failed(factories.queued(factories.requester(ada)))
    settings.JOBS_WAITING_MEMBER = 0
    with pytest.raises(QuotaExceeded):
        services.retry_check(check, factories.requester(ada))
    check.refresh_from_db()
    assert services.can_retry(check)
    assert factories.content(check.original) == factories.jpeg()


def test_share_expires_and_is_revoked(ada: User) -> None:
    check = factories.finished(factories.queued(factories.requester(ada)))
    first = services.share_check(check)
    assert len(first) >= 32
    assert check.share_expires - timezone.now() > timedelta(days=6, hours=23)
    assert Check.objects.shared().get(share_token=first) == check
    second = services.share_check(check)
    assert second != first
    assert not Check.objects.shared().filter(share_token=first).exists()
    services.unshare_check(check)
    assert not Check.objects.shared().exists()
    token = services.share_check(check)
    Check.objects.filter(pk=check.pk).update(share_expires=timezone.now() - timedelta(seconds=1))
    assert not Check.objects.shared().filter(share_token=token).exists()


def test_a_reported_check_is_kept_until_it_is_decided(
    ada: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    check = factories.finished(factories.queued(VISITOR))
    report = services.report_check(check, VISITOR, Report.Reason.WRONG_VERDICT, "that is me")
    other = services.report_check(check, factories.requester(ada), Report.Reason.OTHER)
    assert check.job.artifacts.filter(purge_after=None).count() == 6
    later = timezone.now() + timedelta(days=400)
    Job.objects.update(finished=later)

    def purge() -> None:
        with django_capture_on_commit_callbacks(execute=True), pytest.MonkeyPatch.context() as patch:
            patch.setattr("django.utils.timezone.now", lambda: later)
            purge_due(lambda *args: None)

    purge()
    assert Check.objects.filter(pk=check.pk).exists()
    services.decide_report(report, Report.Status.DISMISSED)
    purge()
    assert Check.objects.filter(pk=check.pk).exists(), "another report is still open"
    services.decide_report(other, Report.Status.UPHELD)
    purge()
    assert not Check.objects.exists()
    assert files() == []


def test_one_open_report_a_person(ada: User) -> None:
    check = factories.finished(factories.queued(factories.requester(ada)))
    services.report_check(check, factories.requester(ada), "other", "first")
    services.report_check(check, factories.requester(ada), "harmful", "second")
    report = Report.objects.get()
    assert (report.reason, report.comment) == ("harmful", "second")
    services.decide_report(report, Report.Status.DISMISSED)
    services.report_check(check, factories.requester(ada), "other")
    assert Report.objects.count() == 2


def test_purge_after_the_visitors_day(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> None:
    check = factories.finished(factories.queued(VISITOR))
    assert check.purge_after - check.created < timedelta(hours=24, minutes=1)
    Job.objects.update(purge_after=timezone.now() - timedelta(seconds=1))
    with django_capture_on_commit_callbacks(execute=True):
        purge_due(lambda *args: None)
    assert not Check.objects.exists()
    assert files() == []


def test_members_keep_for_thirty_days(ada: User) -> None:
    check = factories.queued(factories.requester(ada))
    assert timedelta(days=29, hours=23) < check.purge_after - timezone.now() < timedelta(days=30, minutes=1)


def test_deleting_an_account_deletes_its_pictures(
    ada: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    factories.finished(factories.queued(factories.requester(ada)))
    with django_capture_on_commit_callbacks(execute=True):
        ada.delete()
    assert not Check.objects.exists()
    assert files() == []


def test_rows_refuse_what_no_verdict_can_be(ada: User) -> None:
    from django.db import IntegrityError

    check = factories.finished(factories.queued(factories.requester(ada)))
    for wrong in ({"probability": 1.2}, {"interval_low": 0.9, "interval_high": 0.1}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Check.objects.filter(pk=check.pk).update(**wrong)
