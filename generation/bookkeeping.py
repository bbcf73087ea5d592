"""The books of this app as others meet them, through `jobs.books`: what was taken down, and a line of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jobs.books import Books

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    from jobs.models import Job


def check(sha256: str) -> None:
    from . import admission

    admission.check_picture(sha256)


def looks() -> Iterable[str]:
    from .blocks import BlockedPicture

    return BlockedPicture.looks()


def block(sha256: str, perceptual_hash: str) -> None:
    from .blocks import BlockedPicture

    BlockedPicture.block(sha256=sha256, perceptual_hash=perceptual_hash, note="what was taken down was made of it")


def write(job: Job, event: str, facts: dict[str, Any]) -> None:
    from . import ledger

    ledger.append(event, user=job.owner, job_ref=job.pk, **facts)


def gone_since(job_ref: UUID) -> datetime | None:
    """Taken down, or a consent was withdrawn; what its owner merely deleted is not among them."""
    from .models import DELETED, Generation

    gone = Generation.objects.filter(job_id=job_ref, withdrawn__isnull=False).exclude(withdrawn_for=DELETED)
    return gone.values_list("withdrawn", flat=True).first()


BOOKS: Final = Books(check, looks, block, write, gone_since)
