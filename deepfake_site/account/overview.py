"""What an account may do, and what is left of it: the settings decide, the rows count."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from allauth.account.models import EmailAddress
from allauth.mfa.utils import is_mfa_enabled
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from detection.models import ApiToken, Check
from generation import admission
from generation.models import Generation
from jobs.models import Job
from jobs.states import JobState

from .holdings import stored_bytes

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import User


@dataclass(frozen=True, slots=True)
class Share:
    """So much of so much. `note` says what is counted, `free_at` when the next place is free of itself."""

    label: str
    used: int
    limit: int
    note: str
    free_at: datetime | None = None

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)


def shares(user: User) -> list[Share]:
    mine = Job.objects.filter(owner=user)
    day = timezone.now() - timedelta(days=1)
    checks = Check.objects.filter(owner=user, created__gt=day).count()
    made = Generation.objects.filter(owner=user, created__gt=day)
    used, limit = admission.made_today(user), settings.GENERATION_DAILY_QUOTA
    oldest = made.order_by("created").values_list("created", flat=True).first() if used >= limit else None
    return [
        Share(
            _("Pictures and videos that wait"),
            mine.filter(state=JobState.QUEUED).count(),
            settings.JOBS_WAITING_MEMBER,
            _("Checks are not counted by the day. In the last 24 hours: %(count)d.") % {"count": checks},
        ),
        Share(
            _("Work that runs side by side"),
            mine.filter(state=JobState.RUNNING).count(),
            settings.JOBS_ACTIVE_MEMBER,
            _("More of it waits for its turn."),
        ),
        Share(
            _("Creations of the last 24 hours"),
            used,
            limit,
            _("Deleted ones count too."),
            None if oldest is None else oldest + timedelta(days=1),
        ),
    ]


def facts(user: User) -> dict[str, object]:
    files, size = stored_bytes(user)
    return {
        "shares": shares(user),
        "files": files,
        "bytes": size,
        "keep_days": settings.JOBS_KEEP_MEMBER_HOURS // 24,
        "checks": Check.objects.filter(owner=user).count(),
        "tokens": ApiToken.objects.filter(owner=user, revoked=None).count(),
        "sessions": UserSession.objects.filter(user=user).count(),
        "second_factor": is_mfa_enabled(user),
        "confirmed": EmailAddress.objects.filter(user=user, email__iexact=user.email, verified=True).exists(),
    }
