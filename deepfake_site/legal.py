"""Terms of use, what is kept and for how long, who answers for it: every figure is that of the settings in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.shortcuts import render
from django.views.decorators.http import require_safe

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


def in_force() -> dict[str, Any]:
    """What the pages say, in the units that people count in."""
    return {
        "operator": settings.OPERATOR,
        "contact": settings.CONTACT,
        "contact_is_mail": "@" in settings.CONTACT and "://" not in settings.CONTACT,
        "visitor_hours": settings.JOBS_KEEP_VISITOR_HOURS,
        "member_days": settings.JOBS_KEEP_MEMBER_HOURS // 24,
        "flagged_days": settings.DETECTION_FLAGGED_DAYS,
        "share_days": settings.DETECTION_SHARE_DAYS,
        "purge_minutes": max(1, round(settings.JOBS_PURGE_SECONDS / 60)),
        "session_days": settings.SESSION_COOKIE_AGE // 86400,
        "picture_bytes": settings.JOBS_PICTURE_BYTES,
        "video_bytes": settings.JOBS_VIDEO_BYTES,
        "video_seconds": round(settings.JOBS_VIDEO_SECONDS),
        "waiting_visitor": settings.JOBS_WAITING_VISITOR,
        "waiting_member": settings.JOBS_WAITING_MEMBER,
        "creations_a_day": settings.GENERATION_DAILY_QUOTA,
        "session_cookie": settings.SESSION_COOKIE_NAME,
        "csrf_cookie": settings.CSRF_COOKIE_NAME,
        "language_cookie": settings.LANGUAGE_COOKIE_NAME,
        "language_days": (settings.LANGUAGE_COOKIE_AGE or 0) // 86400,
    }


@require_safe
def terms(request: HttpRequest) -> HttpResponse:
    return render(request, "legal/terms.html", in_force())


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    return render(request, "legal/privacy.html", in_force())


@require_safe
def imprint(request: HttpRequest) -> HttpResponse:
    return render(request, "legal/imprint.html", in_force())
