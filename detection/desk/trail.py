"""The audit trail: who did what on the desk, and when. Lines are added here and changed nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from .codes import Event
from .models import JudgementEntry

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from django.contrib.auth.models import User

    from .models import Judgement, ReviewItem


def write(
    event: Event,
    item: ReviewItem | None = None,
    *,
    by: User | None = None,
    role: str = "",
    verdict: str = "",
    judgement: Judgement | None = None,
    about: int | None = None,
    check_ref: UUID | None = None,
    **facts: Any,
) -> JudgementEntry:
    """Part of the transaction that does what is told."""
    entry = JudgementEntry(
        event=event,
        actor=None if by is None else by.pk,
        role=role,
        verdict=verdict,
        judgement_ref=None if judgement is None else judgement.pk,
        about=about,
        check_ref=check_ref,
        facts=facts,
    )
    if item is not None:
        check = item.subject
        entry.check_ref = item.pk
        entry.media, entry.machine_level = check.media, check.level
        entry.machine_probability, entry.weights_version = check.probability, check.weights_version
        if event == Event.SETTLED:
            entry.waited_seconds = max(0.0, (timezone.now() - item.flagged).total_seconds())
    entry.save()
    return entry


def of(check: UUID) -> Iterable[JudgementEntry]:
    """All that was done about a check, the oldest first."""
    return JudgementEntry.objects.filter(check_ref=check).order_by("pk")
