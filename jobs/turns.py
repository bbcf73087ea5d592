"""Who is next: the waiting jobs, in the order in which workers may take them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from . import quotas
from .models import Job
from .states import JobState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .models import JobQuerySet


def anybody_waits(kinds: Iterable[str]) -> bool:
    """Whether a job of these kinds may be begun now."""
    waiting = Job.objects.filter(state=JobState.QUEUED, kind__in=tuple(kinds), not_before__lte=timezone.now())
    return waiting.exists()


def in_turn(waiting: JobQuerySet) -> JobQuerySet:
    """Owners take turns: who was served longest ago comes first, and who has as many running as their share waits."""
    same_owner = Job.objects.filter(owner_key=OuterRef("owner_key")).order_by()
    running = same_owner.filter(state=JobState.RUNNING).values("owner_key").annotate(n=Count("pk")).values("n")
    served = same_owner.filter(started__isnull=False).order_by("-started").values("started")[:1]
    candidates: JobQuerySet = (
        waiting.annotate(running=Coalesce(Subquery(running), 0), served=Subquery(served))
        .filter(
            Q(owner_key=quotas.SYSTEM)
            | Q(owner__isnull=True, running__lt=settings.JOBS_ACTIVE_VISITOR)
            | Q(owner__isnull=False, running__lt=settings.JOBS_ACTIVE_MEMBER)
        )
        .order_by(F("served").asc(nulls_first=True), "created", "pk")
    )
    return candidates
