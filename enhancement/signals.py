"""What was made of something that is taken away goes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.dispatch import receiver

from jobs.books import taken_back

from . import services
from .models import Enhancement

if TYPE_CHECKING:
    from uuid import UUID


@receiver(taken_back)
def take_back(job_ref: UUID, **kwargs: Any) -> None:
    """The enhancements of what that job made, and the job's own where it was one."""
    of_it = Q(job_id=job_ref) | Q(parents__job_ref=job_ref)
    for enhancement in Enhancement.objects.filter(of_it, withdrawn=None).distinct():
        # What it was made of is on the list already; of its own source nobody else knows.
        services.take_back(enhancement, block=enhancement.job_id == job_ref)
