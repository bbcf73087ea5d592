"""What is asked of, and told to, the app that keeps the ledger and the list of pictures that were taken down.

Apps know nothing of each other; one that publishes pictures still may not publish what another has taken down, and
what it makes stands in the same ledger. An app without books to write into publishes nothing: `kept()` raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.dispatch import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from uuid import UUID

    from .models import Job

taken_back = Signal()
"""Sent inside the transaction that takes something away for good: `job_ref`, the number of the job that had made it.
Not for what its owner merely deletes. Whoever made something of it takes that away too."""


@dataclass(frozen=True, slots=True)
class Books:
    """`check(sha256)` raises PersonError for a file that was taken down; `looks()` are the perceptual hashes of all
    such pictures; `block(sha256, perceptual_hash)` adds one, where either may be empty; `write(job, event, facts)` adds
    a line to the ledger, in the transaction that it tells of; `gone_since(job_ref)` is when what that job had made was
    taken back for good, None where it was not."""

    check: Callable[[str], None]
    looks: Callable[[], Iterable[str]]
    block: Callable[[str, str], None]
    write: Callable[[Job, str, dict[str, Any]], None]
    gone_since: Callable[[UUID], datetime | None]


_books: list[Books] = []


def keep(books: Books) -> None:
    """Called once, from the `ready()` of the app that keeps them."""
    _books[:] = [books]


def kept() -> Books:
    if not _books:
        raise RuntimeError("no app keeps a ledger here: what is made could not be accounted for")
    return _books[0]


def take_back(job_ref: UUID) -> None:
    """Tell everybody who may have made something of what that job had made."""
    taken_back.send(sender=Books, job_ref=job_ref)
