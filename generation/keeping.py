"""What a piece of work leaves to its owner alone, beside what is published: never shown to anybody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jobs.models import Artifact
from jobs.sealed import Unsealed

if TYPE_CHECKING:
    from jobs.models import Job

    from .exchange import GenerationResult

LARGEST: Final = 128 * 1024 * 1024


def for_owner(job: Job, result: GenerationResult) -> None:
    """What was given, to lie beside what was made of it; and what was learned, to make more of. Raises Unsealed for
    what is neither. Part of the transaction that publishes."""
    for role, data, begins, content_type, suffix in (
        (Artifact.BEFORE, result.before, b"\xff\xd8\xff", "image/jpeg", ".jpg"),
        (Artifact.LEARNED, result.learned, b"PK\x03\x04", "application/zip", ".zip"),
    ):
        if not data:
            continue
        if not data.startswith(begins) or len(data) > LARGEST:
            raise Unsealed(f"job {job.pk}: what should be kept as {role} is not of that kind")
        Artifact.store(role=role, data=data, content_type=content_type, suffix=suffix, job=job)
