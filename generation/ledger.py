"""The ledger: who made what, from what, when and with which weights. Lines are only added, each chained to the last.

A line's hash covers the hash of the line before and its own canonical JSON, so no line can be changed, taken out or
slipped in without every later hash being wrong. The model, its query sets and database triggers refuse updates and
deletions. Whoever owns the database can still drop it all: keep exports elsewhere, and compare their last hash.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final, NoReturn

from django.db import models, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from jobs.database import serialise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.auth.models import User

GENESIS: Final = "0" * 64


class AppendOnly(TypeError):
    """Somebody tried to change or remove a line of the ledger."""


def _refuse() -> NoReturn:
    raise AppendOnly("the ledger is append-only")


class LedgerQuerySet(models.QuerySet["LedgerEntry"]):
    def update(self, **kwargs: Any) -> NoReturn:
        _refuse()

    def delete(self) -> NoReturn:
        _refuse()

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse()

    def bulk_create(self, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse()  # a line is chained to the one before it: one at a time, by append()


class LedgerEntry(models.Model):
    number = models.PositiveBigIntegerField(unique=True)
    created = models.DateTimeField()
    event = models.CharField(max_length=40)
    job_ref = models.UUIDField(null=True, blank=True, db_index=True)
    body = models.TextField()  # the canonical JSON, as it was hashed
    previous = models.CharField(max_length=64, unique=True)  # a chain does not fork
    hash = models.CharField(max_length=64, unique=True)

    objects = LedgerQuerySet.as_manager()

    class Meta:
        verbose_name = _("ledger line")
        verbose_name_plural = _("ledger")
        ordering = ["number"]

    def __str__(self) -> str:
        return f"{self.number} {self.event}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly("the ledger is append-only")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse()

    @property
    def facts(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.body)
        return read


def canonical(facts: dict[str, Any]) -> str:
    """One text for one set of facts (RFC 8785 in spirit: sorted keys, no spaces; no floats are ever put in)."""
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def chained(previous: str, body: str) -> str:
    return hashlib.sha256(f"{previous}\n{body}".encode()).hexdigest()


def actor_of(user: User | None) -> str:
    """Whose line it is, without saying who: a keyed hash of the account's number, which outlives the account."""
    return "" if user is None else salted_hmac("generation.ledger.actor", str(user.pk), algorithm="sha256").hexdigest()


def append(event: str, *, user: User | None = None, job_ref: Any = None, **facts: Any) -> LedgerEntry:
    """Add one line. Part of the transaction that it tells of: both or neither."""
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("a ledger line belongs to the transaction that it tells of")
    serialise("ledger")
    last = LedgerEntry.objects.order_by("-number").values_list("number", "hash").first()
    number, previous = (last[0] + 1, last[1]) if last else (1, GENESIS)
    now = timezone.now()
    job = None if job_ref is None else str(job_ref)
    told = {"number": number, "at": now.isoformat(), "event": event, "actor": actor_of(user), "job": job, **facts}
    body = canonical(told)
    entry = LedgerEntry(
        number=number,
        created=now,
        event=event,
        job_ref=job_ref,
        body=body,
        previous=previous,
        hash=chained(previous, body),
    )
    entry.save()
    return entry


def faults() -> Iterator[str]:
    """What is wrong with the chain, in words; nothing when it is whole."""
    previous, number = GENESIS, 1
    for entry in LedgerEntry.objects.order_by("number").iterator(chunk_size=500):
        if entry.number != number:
            yield f"line {number} is missing (line {entry.number} follows)"
        if entry.previous != previous:
            yield f"line {entry.number} does not follow the line before it"
        if entry.hash != chained(entry.previous, entry.body):
            yield f"line {entry.number} was changed: its hash does not fit"
        else:
            facts = entry.facts
            told = (facts["number"], facts["event"], facts["job"], facts["at"])
            if told != (
                entry.number,
                entry.event,
                str(entry.job_ref) if entry.job_ref else None,
                entry.created.isoformat(),
            ):
                yield f"line {entry.number} shows other facts than were hashed"
        previous, number = entry.hash, entry.number + 1


def export() -> Iterator[str]:
    """JSON lines: the hashed body as it stands, with the two hashes beside it."""
    for entry in LedgerEntry.objects.order_by("number").iterator(chunk_size=500):
        yield json.dumps(
            {"previous": entry.previous, "hash": entry.hash, "body": entry.body}, sort_keys=True, ensure_ascii=False
        )
