"""How long a check is kept: its owner's time, or until people have looked at it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from jobs.models import Artifact, Job

from .codes import OPEN
from .models import ReviewItem
from .reports import Report

if TYPE_CHECKING:
    from datetime import datetime

    from detection.models import Check


def keep(check: Check, until: datetime | None) -> None:
    """The check, its job and its files go together; None keeps them until somebody decides."""
    Job.objects.filter(pk=check.job_id).update(purge_after=until)
    Artifact.objects.filter(job_id=check.job_id).update(purge_after=until)
    type(check).objects.filter(pk=check.pk).update(purge_after=until)
    check.purge_after = until


def hold(check: Check) -> None:
    """Keep what lies on the desk. What somebody reported waits for as long as it takes; what the site flagged by itself
    no longer than the settings say, so that a desk without people does not fill up with strangers' pictures."""
    if Report.objects.filter(subject=check, status=Report.Status.OPEN).exists():
        keep(check, None)
        return
    days = settings.DETECTION_FLAGGED_DAYS
    longest = check.created + timedelta(days=days)
    if not days:
        keep(check, None)
    elif check.purge_after is None or check.purge_after < longest:
        keep(check, longest)


def let_go(check: Check) -> None:
    """What is off the desk has its owner's time once more, in which whoever reported it reads what came of it."""
    if Report.objects.filter(subject=check, status=Report.Status.OPEN).exists():
        keep(check, None)
        return
    hours = settings.JOBS_KEEP_MEMBER_HOURS if check.owner_id else settings.JOBS_KEEP_VISITOR_HOURS
    keep(check, timezone.now() + timedelta(hours=hours))


def hold_what_is_open(checks: list[Check]) -> None:
    """After the owner has changed, and with it the owner's time."""
    on_desk = set(ReviewItem.objects.filter(subject__in=checks, state__in=OPEN).values_list("subject_id", flat=True))
    for check in checks:
        if check.pk in on_desk:
            hold(check)
