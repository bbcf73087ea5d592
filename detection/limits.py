"""What may be uploaded and how long it is kept, as the pages say it. The settings decide; nothing is repeated here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from .forms import ACCEPT

if TYPE_CHECKING:
    from jobs.requester import Requester


def limits_for(requester: Requester) -> dict[str, int | str]:
    return {
        "max_bytes": settings.JOBS_PICTURE_BYTES,
        "max_megabytes": settings.JOBS_PICTURE_BYTES // (1024 * 1024),
        "max_megapixels": settings.JOBS_PICTURE_PIXELS // 1_000_000,
        "files_at_once": settings.DETECTION_FILES_AT_ONCE,
        "active_jobs": settings.JOBS_ACTIVE_MEMBER if requester.is_member else settings.JOBS_ACTIVE_VISITOR,
        "accept": ACCEPT,
        "formats": "JPEG, PNG, WebP",
        "keep_hours": settings.JOBS_KEEP_VISITOR_HOURS,
        "keep_days": settings.JOBS_KEEP_MEMBER_HOURS // 24,
        "share_days": settings.DETECTION_SHARE_DAYS,
    }
