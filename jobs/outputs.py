"""The registry of what was made here, by which a check recognises it: by bytes, by looks, by its invisible mark.

Rows outlive the files: a hash says that something was made here, not what it shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from uuid import UUID

    from .models import Job

BANDS: Final = 4
BAND_BITS: Final = 16
MARK_DIGITS: Final = 12
ODD_COLUMNS: Final = 0x952AA5554AAAA955
"""The bits of a perceptual hash that stand for odd horizontal frequencies, in the order of ml.provenance."""
LOOK_ALIKE: Final = 10
"""Bits of 64 by which two perceptual hashes of one picture may differ. Of four bands of 16 bits at least one then
differs in at most two, so four indexed look-ups of 137 values each find every such row (4 times 3 would be 12)."""


def mark_of(job_id: UUID) -> str:
    """What the invisible mark of a job's output carries: the first 48 bits of its id, which are random."""
    return job_id.hex[:MARK_DIGITS]


def bands_of(perceptual_hash: str) -> list[int]:
    """The hash, 16 hex digits, as four numbers of 16 bits. Raises ValueError for anything else."""
    if len(perceptual_hash) != BANDS * BAND_BITS // 4:
        raise ValueError("a perceptual hash has 16 hex digits")
    return [int(perceptual_hash[at : at + 4], 16) for at in range(0, 16, 4)]


def distance(one: str, other: str) -> int:
    """In how many bits two perceptual hashes differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def mirrored(perceptual_hash: str) -> str:
    """About the hash of the same picture seen in a mirror, as ml.provenance.perceptual_hash has it: most such copies
    are within LOOK_ALIKE of it (docs/provenance.md)."""
    return f"{int(perceptual_hash, 16) ^ ODD_COLUMNS:016x}"


def near_bands(band: int) -> list[int]:
    """The band and all those that differ from it in at most two bits."""
    one = [1 << bit for bit in range(BAND_BITS)]
    two = [a | b for a, b in combinations(one, 2)]
    return [band, *(band ^ bits for bits in (*one, *two))]


class MadeOutputQuerySet(models.QuerySet["MadeOutput"]):
    def looking_like(self, perceptual_hash: str) -> Self:
        """The rows that may be within `LOOK_ALIKE` bits: a superset, from the indexes alone."""
        near = Q()
        for index, band in enumerate(bands_of(perceptual_hash)):
            near |= Q(**{f"band{index}__in": near_bands(band)})
        return self.filter(near)


class MadeOutput(models.Model):
    job = models.ForeignKey("jobs.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="outputs")
    job_ref = models.UUIDField(db_index=True)  # stays when the job's row goes with its owner
    kind = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64, db_index=True)
    perceptual_hash = models.CharField(max_length=16, blank=True, default="")
    band0 = models.PositiveIntegerField(null=True, db_index=True)
    band1 = models.PositiveIntegerField(null=True, db_index=True)
    band2 = models.PositiveIntegerField(null=True, db_index=True)
    band3 = models.PositiveIntegerField(null=True, db_index=True)
    mark = models.CharField(max_length=MARK_DIGITS, blank=True, default="", db_index=True)
    created = models.DateTimeField(default=timezone.now, editable=False)
    withdrawn = models.DateTimeField(null=True, blank=True)

    objects = MadeOutputQuerySet.as_manager()

    class Meta:
        verbose_name = _("made output")
        verbose_name_plural = _("made outputs")
        ordering = ("-created",)

    def __str__(self) -> str:
        return f"{self.kind} of job {self.job_ref}"


@dataclass(frozen=True, slots=True)
class Match:
    """One output that was made here. `by`: "bytes", "mark" or "looks", the surest that holds; `bits` apart by looks.
    `generated`: it shows what never was; a photograph that was merely made better carries no mark, and is not."""

    job: UUID
    kind: str
    created: datetime
    withdrawn: bool
    by: str
    bits: int | None = None
    generated: bool = True

    def as_json(self) -> dict[str, Any]:
        return {
            "job": str(self.job),
            "kind": self.kind,
            "created": self.created.isoformat(),
            "date": self.created.date().isoformat(),
            "withdrawn": self.withdrawn,
            "by": self.by,
            "bits": self.bits,
            "generated": self.generated,
        }


def record(job: Job, *, sha256: str, perceptual_hash: str = "", mark: str = "") -> MadeOutput:
    """Remember an output. Part of the transaction that publishes it."""
    bands: list[int] | list[None] = bands_of(perceptual_hash) if perceptual_hash else [None] * BANDS
    return MadeOutput.objects.create(
        job=job,
        job_ref=job.pk,
        kind=job.kind,
        sha256=sha256,
        perceptual_hash=perceptual_hash,
        mark=mark,
        **{f"band{index}": band for index, band in enumerate(bands)},
    )


def looks() -> bytes:
    """The perceptual hashes of all that was made here, and of the same seen in a mirror, 8 bytes each: to look for a
    likeness without a database."""
    hashes = MadeOutput.objects.exclude(perceptual_hash="").values_list("perceptual_hash", flat=True).distinct()
    return bytes.fromhex("".join(look + mirrored(look) for look in hashes))


def find(sha256: str = "", perceptual_hash: str = "", mark: str = "") -> list[Match]:
    """Outputs made here that this may be, seen in a mirror too, the surest first; each job once."""
    found: dict[UUID, Match] = {}
    for by, row, bits in _rows(sha256, perceptual_hash, mark):
        withdrawn, generated = row.withdrawn is not None, bool(row.mark or row.perceptual_hash)
        found.setdefault(row.job_ref, Match(row.job_ref, row.kind, row.created, withdrawn, by, bits, generated))
    return list(found.values())


def _rows(sha256: str, perceptual_hash: str, mark: str) -> Iterator[tuple[str, MadeOutput, int | None]]:
    rows = MadeOutput.objects.all()
    if sha256:
        yield from (("bytes", row, None) for row in rows.filter(sha256=sha256))
    if mark:
        yield from (("mark", row, None) for row in rows.filter(mark=mark))
    if perceptual_hash:
        seen = (perceptual_hash, mirrored(perceptual_hash))
        apart = [(distance(look, row.perceptual_hash), row) for look in seen for row in rows.looking_like(look)]
        near = sorted(((bits, row) for bits, row in apart if bits <= LOOK_ALIKE), key=lambda pair: pair[0])
        yield from (("looks", row, bits) for bits, row in near)


def withdraw(job_id: UUID) -> int:
    """Mark what a job made as taken away; it stays known. Returns how many outputs."""
    return MadeOutput.objects.filter(job_ref=job_id, withdrawn=None).update(withdrawn=timezone.now())
