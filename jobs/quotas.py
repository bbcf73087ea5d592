"""Fair shares: what one owner, one address and the whole site may have waiting at once."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext as _

from . import estimates
from .errors import QuotaExceeded
from .models import Artifact, Job
from .states import UNFINISHED, JobState

if TYPE_CHECKING:
    from .requester import Requester

SYSTEM = "system"  # owner_key of the site's own jobs, which count against nobody


def waiting_limit(requester: Requester) -> int:
    return int(settings.JOBS_WAITING_MEMBER if requester.is_member else settings.JOBS_WAITING_VISITOR)


def _retry_after(kind: str, least: int) -> int:
    """When a place is likely to be free: one job's time, spread a little so that not all come back in one second."""
    median = estimates.median_seconds(kind) or 10.0
    return min(600, max(least, round(median))) + random.randint(0, 4)  # noqa: S311


def check_files(requester: Requester) -> None:
    """Raise QuotaExceeded where as many files of one owner lie here without a job as may wait at all. Wizards take
    files in before there is a job; without a bound they would fill the disk before the purge comes."""
    limit = waiting_limit(requester)
    if Artifact.objects.filter(owner=requester.user, job=None).count() >= limit:
        raise QuotaExceeded(
            _("You have %(limit)d pictures waiting already. Please wait until some are done.") % {"limit": limit},
            _retry_after("", 600),
        )


def check(requester: Requester, kind: str) -> None:
    """Raise QuotaExceeded when one more job would be too many.

    Exact only inside a transaction that `database.serialise("submit")` has made the only one; elsewhere a first look
    that spares a hopeless upload the work.
    """
    unfinished = Job.objects.filter(state__in=UNFINISHED).exclude(owner_key=SYSTEM)
    if unfinished.count() >= settings.JOBS_GLOBAL_CAP:
        raise QuotaExceeded(
            _("The site is busy and cannot take more work just now. Please try again in a little while."),
            _retry_after(kind, 10),
            status=503,
        )
    waiting = unfinished.filter(state=JobState.QUEUED)
    limit = waiting_limit(requester)
    if waiting.filter(owner_key=requester.owner_key).count() >= limit:
        raise QuotaExceeded(
            _("You have %(limit)d pictures waiting already. Please wait until some are done.") % {"limit": limit},
            _retry_after(kind, 5),
        )
    if (
        not requester.is_member
        and requester.address_hash
        and waiting.filter(address_hash=requester.address_hash, owner__isnull=True).count() >= settings.JOBS_PER_ADDRESS
    ):
        raise QuotaExceeded(
            _("Too many pictures from your network are waiting. Please try again in a little while."),
            _retry_after(kind, 10),
        )
