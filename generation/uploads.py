"""Files on their way into a wizard: kept between its steps, for their owner alone, and used again for another try."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.utils import timezone

from jobs import lifecycle, quotas
from jobs.models import Artifact

from . import texts
from .consents import Consent
from .models import Generation

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from jobs.requester import Requester


def waiting(user: User, number: str | UUID | None) -> Artifact | None:
    """A file that the member has sent and that no job has taken over yet."""
    parsed = _uuid(number)
    if parsed is None:
        return None
    return Artifact.objects.filter(pk=parsed, owner=user, job=None, role=Artifact.ORIGINAL).first()


def of_earlier(user: User, generation: str | UUID | None, role: str) -> Artifact | None:
    """What an earlier piece of work of the member's was made from, while it is still there."""
    parsed = _uuid(generation)
    if parsed is None:
        return None
    parts = Generation.objects.filter(owner=user, pk=parsed, withdrawn=None)
    return Artifact.objects.filter(
        pk__in=parts.filter(inputs__role=role).values("inputs__artifact"), owner=user
    ).first()


def copied(artifact: Artifact, requester: Requester) -> Artifact:
    """The same bytes once more, for another piece of work: one file belongs to one job, and goes with it. Raises
    QuotaExceeded."""
    quotas.check_files(requester)
    return artifact.copy(owner=requester.user, purge_after=timezone.now() + lifecycle.keep_for(requester))


def consent_for(user: User, artifact: Artifact) -> Consent | None:
    """What the member has stated about these very bytes, in the words in force, and has not withdrawn."""
    held = Consent.objects.filter(owner=user, sha256=artifact.sha256).in_force()
    current = {relation: texts.consent(relation).version for relation in Consent.Relation.values}
    return next(
        (consent for consent in held.order_by("-created") if consent.version == current[consent.relation]), None
    )


def _uuid(number: str | UUID | None) -> UUID | None:
    try:
        return UUID(str(number)) if number else None
    except ValueError:
        return None
