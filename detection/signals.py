"""What a visitor checked goes along into the account that they sign in to."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.signals import user_logged_in
from django.db import transaction
from django.db.models import F
from django.dispatch import receiver
from django.utils.translation import ngettext

from jobs.models import Artifact, Job

from .desk.keeping import hold_what_is_open
from .models import Check, Report

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest


@receiver(user_logged_in)
def take_over_checks(request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    """The key is that of the request's cookie: signing in has already changed the session's own.

    jobs.signals hands over the jobs and the files; here follow the checks, and how long all of it is kept.
    """
    key = None if request is None else request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if request is None or not key:
        return
    with transaction.atomic():
        checks = list(Check.objects.filter(owner=None, session_key=key).values_list("pk", "job_id"))
        if not checks:
            return
        mine = Check.objects.filter(pk__in=[pk for pk, _ in checks])
        jobs = Job.objects.filter(pk__in=[job for _, job in checks])
        keep = timedelta(hours=settings.JOBS_KEEP_MEMBER_HOURS)
        mine.update(owner=user, session_key="")
        # Empty means kept until a report is decided, which stays so.
        for rows in (mine, jobs, Artifact.objects.filter(job__in=jobs)):
            rows.filter(purge_after__isnull=False).update(purge_after=F("created") + keep)
        hold_what_is_open(list(mine))
        Report.objects.filter(subject__in=mine, reporter=None, session_key=key).update(reporter=user, session_key="")
    messages.info(
        request,
        ngettext(
            "The picture that you checked before signing in is now in your history.",
            "The %(count)d pictures that you checked before signing in are now in your history.",
            len(checks),
        )
        % {"count": len(checks)},
    )
