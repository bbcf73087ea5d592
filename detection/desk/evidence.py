"""One item with all that is known about it, for one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from detection import pictures

from . import claims, consequences, history, judgements, lookalikes
from .codes import Stand
from .forms import JudgeForm
from .permissions import SETTLE
from .reports import Report

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from detection.models import Check

    from .models import ReviewItem


def context(item: ReviewItem, user: User, form: JudgeForm | None = None) -> dict[str, Any]:
    check = item.subject
    faces = pictures.faces_of(check)
    pictures.address(check, faces, pictures.for_owner)
    held = item.is_held_by(user)
    return {
        "item": item,
        "check": check,
        "faces": faces,
        "frames": pictures.frames_of(check, pictures.for_owner),
        "preview_url": pictures.preview_of(check, pictures.for_owner),
        "original_url": check.original.url if check.original else "",
        "bands": check.bands,
        "can_manage": True,  # the desk sees of a file's origin what its owner sees
        "flags": list(item.flags.all()),
        "reports": list(Report.objects.filter(subject=check).select_related("reporter")),
        "history": history.of(item),
        "alike": lookalikes.like(check)[:6],
        "held": held,
        "why_not": "" if held else _why_not(item, user),
        "form": form or _form(check) if held else None,
        "hold_seconds": round((item.claimed_until - timezone.now()).total_seconds()) if held else 0,
        "renew_url": reverse("detection:desk_renew", args=[item.pk]),
        "claim_minutes": settings.DETECTION_CLAIM_MINUTES,
        "undo_minutes": settings.DETECTION_UNDO_MINUTES,
        "recent": judgements.recent(user),
        "reviewers": settings.DETECTION_REVIEWERS,
    }


def _form(check: Check) -> JudgeForm:
    return JudgeForm(to_decide=consequences.reports_to_decide(check))


def _why_not(item: ReviewItem, user: User) -> str:
    """Why this person cannot take it up; empty: they can."""
    if not item.is_open:
        return "settled"
    if item.is_held:
        return "held"
    if item.subject.owner_id == user.pk:
        return "own"
    if item.state == Stand.ESCALATED and not user.has_perm(SETTLE):
        return "escalated"
    return "" if claims.within_reach(user).filter(pk=item.pk).exists() else "judged"
