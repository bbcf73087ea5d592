"""Everything that changes a check: submit, try again, delete, share, report. Views and API call only these."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from jobs import intake, lifecycle
from jobs.models import Artifact
from jobs.states import JobState

from .desk import flags, trail
from .desk.codes import Event
from .kinds import NAME, VIDEO
from .models import Check, Report

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.core.files.uploadedfile import UploadedFile

    from jobs.requester import Requester


class NotRetryable(Exception):
    """Only a check that ended without a verdict can be tried again, and only while its original is there."""


def submit_check(requester: Requester, upload: UploadedFile, *, improve: bool = False) -> Check:
    """Take a picture or video in and queue its check. Raises IntakeError for the file, QuotaExceeded for the moment."""
    media = Check.Media.VIDEO if intake.is_video(upload) else Check.Media.PICTURE
    kind = VIDEO if media == Check.Media.VIDEO else NAME
    accept = intake.accept_video if media == Check.Media.VIDEO else intake.accept_picture
    original = accept(upload, requester, kind)
    stored = original.id
    try:
        with transaction.atomic():
            job = lifecycle.submit(kind, requester, [original])
            return Check.objects.create(
                job=job,
                owner=requester.user,
                session_key=requester.session_key or "",
                media=media,
                title=original.original_name or str(media.label),
                original=original,
                created=job.created,
                purge_after=job.purge_after,
                training_consent=timezone.now() if improve else None,
            )
    except BaseException:
        # The transaction took back whatever was done to the artifact inside it, its deletion too.
        for artifact in Artifact.objects.filter(pk=stored):
            artifact.delete()
        raise


def can_retry(check: Check) -> bool:
    return check.job.state in (JobState.FAILED, JobState.CANCELLED) and check.original_id is not None


def retry_check(check: Check, requester: Requester) -> Check:
    """Queue the same original once more; the check keeps its address. Raises QuotaExceeded and NotRetryable."""
    with transaction.atomic():
        if not can_retry(check):
            raise NotRetryable
        old = check.job
        # Not handed to submit(): it would throw the evidence away when there is no place in the queue.
        job = lifecycle.submit(old.kind, requester)
        Artifact.objects.filter(pk=check.original_id).update(job=job, purge_after=job.purge_after)
        if not Check.objects.filter(pk=check.pk, job=old).update(job=job, purge_after=job.purge_after):
            raise NotRetryable  # somebody else pressed the button first
        lifecycle.purge(old.pk)
    check.refresh_from_db()
    return check


def delete_check(check: Check) -> None:
    """Take the check away now: its rows and its files, and its job if that still goes on."""
    with transaction.atomic():
        lifecycle.forget(check.job_id)
        # A job that runs has been told to stop, and ends without publishing. Nothing of the picture waits for that.
        for artifact in Artifact.objects.filter(job_id=check.job_id):
            artifact.delete()
        Check.objects.filter(pk=check.pk).delete()


def share_check(check: Check, days: int | None = None) -> str:
    """A new link, good for some days; an earlier one stops working. Returns the token."""
    token = secrets.token_urlsafe(24)
    expires = timezone.now() + timedelta(days=days or settings.DETECTION_SHARE_DAYS)
    Check.objects.filter(pk=check.pk).update(share_token=token, share_expires=expires)
    check.share_token, check.share_expires = token, expires
    return token


def unshare_check(check: Check) -> None:
    Check.objects.filter(pk=check.pk).update(share_token=None, share_expires=None)
    check.share_token = check.share_expires = None


def allow_training(check: Check, allowed: bool) -> None:
    """Whether cut-outs of its faces may train and measure the detectors. Off unless its owner said yes."""
    given = (check.training_consent or timezone.now()) if allowed else None
    Check.objects.filter(pk=check.pk).update(training_consent=given)
    check.training_consent = given


def report_check(check: Check, requester: Requester, reason: str, comment: str = "") -> Report:
    """Ask people to look: the check is laid on the desk and kept until they have. One open report a person."""
    with transaction.atomic():
        report = _report(check, requester, reason, comment)
        flags.report_arrived(check)
        return report


def _report(check: Check, requester: Requester, reason: str, comment: str) -> Report:
    mine = Report.objects.filter(subject=check, status=Report.Status.OPEN, **_reporter(requester))
    earlier = mine.first()
    if earlier is not None:
        earlier.reason, earlier.comment = reason, comment
        earlier.save(update_fields=["reason", "comment"])
        return earlier
    try:
        with transaction.atomic():
            return Report.objects.create(subject=check, reason=reason, comment=comment, **_reporter(requester))
    except IntegrityError:  # the same person's other click came first
        return mine.get()


def decide_report(report: Report, status: str, by: User | None = None) -> bool:
    """A decision outside the queue, or its taking back. Retention rests while a report is open, then starts anew.
    False, with nothing done, where it is about an upload of the very person: nobody judges their own, here neither."""
    if by is not None and report.subject.owner_id == by.pk:
        return False
    with transaction.atomic():
        decided = None if status == Report.Status.OPEN else timezone.now()
        Report.objects.filter(pk=report.pk).update(status=status, decided=decided, seen=None)
        report.status, report.decided = status, decided
        trail.write(Event.REPORT_DECIDED, by=by, check_ref=report.subject_id, report=report.pk, status=str(status))
        if status == Report.Status.OPEN:
            flags.report_arrived(report.subject)
        else:
            flags.report_left(report.subject)
        return True


def _reporter(requester: Requester) -> dict[str, object]:
    return {"reporter": requester.user, "session_key": requester.session_key or ""}
