"""People whom a member has taught: weights that came out of one piece of work and serve for more, as consented to.

The file belongs to the job that made it: it goes when that piece of work is deleted, withdrawn or past its time, and
nobody can download it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from jobs.models import Artifact

from .blocks import BlockedPicture
from .models import Generation, GenerationInput

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import User

    from .consents import Consent

PREFIX: Final = "learned:"
SOURCE: Final = "source"


@dataclass(frozen=True, slots=True)
class LearnedFace:
    """One person, by the piece of work that taught them, with the consent under which that was done."""

    generation: UUID
    name: str
    artifact: Artifact
    consent: Consent
    created: datetime
    source: Artifact | None = None  # what they were taught from, while it is kept

    @property
    def identity(self) -> str:
        return f"{PREFIX}{self.generation}"


def of(user: User) -> list[LearnedFace]:
    """Those that may be used now, the newest first."""
    return _faces(user)


def find(user: User, identity: str) -> LearnedFace | None:
    """By `learned:<number of the piece of work>`; None for another's, and for one that may not be used any more."""
    number = number_of(identity)
    return None if number is None else next(iter(_faces(user, number)), None)


def number_of(identity: str) -> UUID | None:
    """Which piece of work taught them."""
    try:
        return UUID(identity.removeprefix(PREFIX))
    except ValueError:
        return None


def is_taken_down(identity: str) -> bool:
    """Whether what they were taught from is refused by now: who was learned from it is refused with it."""
    number = number_of(identity)
    sources = GenerationInput.objects.filter(generation=number, role=SOURCE) if number is not None else None
    return sources is not None and bool(BlockedPicture.among(sources.values_list("sha256", "perceptual_hash")))


def forget_taken_down() -> None:
    """Delete the weights of whoever was learned from something that is refused by now, whoever taught them. Part of the
    transaction that takes it down."""
    for artifact in Artifact.objects.filter(role=Artifact.LEARNED).select_related("job__generation"):
        generation = getattr(artifact.job, "generation", None)
        if generation is not None and is_taken_down(f"{PREFIX}{generation.pk}"):
            artifact.delete()


def _faces(user: User, number: UUID | None = None) -> list[LearnedFace]:
    pieces = Generation.objects.filter(owner=user, withdrawn=None, job__artifacts__role=Artifact.LEARNED)
    if number is not None:
        pieces = pieces.filter(pk=number)
    held = GenerationInput.objects.filter(
        generation__in=pieces, role=SOURCE, consent__isnull=False, consent__revoked=None, consent__owner=user
    ).select_related("consent", "generation", "artifact")
    found = list(held.order_by("-generation__created"))
    refused = BlockedPicture.among([(part.sha256, part.perceptual_hash) for part in found])
    found = [part for part in found if (part.sha256, part.perceptual_hash) not in refused]
    jobs = [part.generation.job_id for part in found]
    files = {each.job_id: each for each in Artifact.objects.filter(job__in=jobs, role=Artifact.LEARNED)}
    return [
        LearnedFace(
            part.generation_id,
            str(part.generation.facts.get("person") or part.generation.heading),
            files[part.generation.job_id],
            part.consent,
            part.generation.created,
            part.artifact,
        )
        for part in found
        if part.consent is not None and part.generation.job_id in files
    ]
