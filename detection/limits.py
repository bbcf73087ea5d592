"""What may be uploaded and how long it is kept, as the pages say it. The settings decide; nothing is repeated here."""

from __future__ import annotations

from django.conf import settings

from .forms import ACCEPT


def limits() -> dict[str, int | str]:
    return {
        "picture_bytes": settings.JOBS_PICTURE_BYTES,
        "video_bytes": settings.JOBS_VIDEO_BYTES,
        "video_seconds": round(settings.JOBS_VIDEO_SECONDS),
        "video_samples": settings.DETECTION_VIDEO_SAMPLES,
        "megapixels": settings.JOBS_PICTURE_PIXELS // 1_000_000,
        "files_at_once": settings.DETECTION_FILES_AT_ONCE,
        "accept": ACCEPT,
        "keep_hours": settings.JOBS_KEEP_VISITOR_HOURS,
        "keep_days": settings.JOBS_KEEP_MEMBER_HOURS // 24,
        "share_days": settings.DETECTION_SHARE_DAYS,
        "flagged": bool(settings.DETECTION_AUTOMATIC_FLAGS),
        "flagged_days": settings.DETECTION_FLAGGED_DAYS,
    }
