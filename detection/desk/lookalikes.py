"""The same picture, checked by others: found by its perceptual hash, whatever it was saved as in between."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from jobs.outputs import LOOK_ALIKE, bands_of, distance, near_bands

from .models import Look

if TYPE_CHECKING:
    from detection.models import Check

MOST = 200  # rows of one look; who floods the site with one picture does not make the next check slow


def remember(check: Check) -> None:
    if check.perceptual_hash:
        bands = {f"band{index}": band for index, band in enumerate(bands_of(check.perceptual_hash))}
        Look.objects.update_or_create(subject=check, defaults={**bands, "created": check.created})


def like(check: Check) -> list[Check]:
    """Other checks of the same picture within the days that count, the newest first."""
    if not check.perceptual_hash:
        return []
    near = Q()
    for index, band in enumerate(bands_of(check.perceptual_hash)):
        near |= Q(**{f"band{index}__in": near_bands(band)})
    since = timezone.now() - timedelta(days=settings.DETECTION_REPEAT_DAYS)
    rows = Look.objects.filter(near, created__gte=since).exclude(subject=check).order_by("-created")
    found = [row.subject for row in rows.select_related("subject", "subject__review")[:MOST]]
    return [each for each in found if distance(each.perceptual_hash, check.perceptual_hash) <= LOOK_ALIKE]


def owners(checks: list[Check]) -> set[str]:
    return {f"member {check.owner_id}" if check.owner_id else f"session {check.session_key}" for check in checks}
