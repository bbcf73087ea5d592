"""Taking back: what was made goes at once from everywhere, the ledger stays, and the same pictures are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from jobs import books, lifecycle, outputs
from jobs.models import Artifact, Job, MadeOutput
from jobs.states import TERMINAL

from . import learned, ledger
from .blocks import BlockedPicture
from .consents import Consent
from .models import DELETED, NOTHING_LEFT, Generation
from .refusals import Reason

if TYPE_CHECKING:
    from uuid import UUID

    from django.contrib.auth.models import User


def revoke_consent(consent: Consent) -> int:
    """The person no longer agrees: waiting work is stopped, running work publishes nothing, what was made goes.
    Returns how many pieces of work it ended. A second call does nothing."""
    with transaction.atomic():
        # The row's lock first: work that is just being published either is seen below or sees this.
        if not Consent.objects.filter(pk=consent.pk, revoked=None).update(revoked=timezone.now()):
            return 0
        ledger.append("consent_revoked", user=consent.owner, consent=str(consent.pk), relation=consent.relation)
        used = Generation.objects.filter(Q(consent=consent) | Q(inputs__consent=consent), withdrawn=None).distinct()
        ended = [withdraw(generation, Reason.CONSENT_WITHDRAWN) for generation in used]
        consent.refresh_from_db()
        return len(ended)


def withdraw(generation: Generation, why: str) -> None:
    """End the work and delete every file of it, inputs too; and what others made of it, unless it is merely deleted."""
    with transaction.atomic():
        # In the order in which publishing takes them, or each would wait for the other.
        list(Job.objects.select_for_update().filter(pk=generation.job_id).values_list("pk", flat=True))
        Generation.objects.filter(pk=generation.pk).update(
            withdrawn=timezone.now(), withdrawn_for=str(why), **NOTHING_LEFT
        )
        lifecycle.cancel(generation.job_id)
        _delete_files(Artifact.objects.filter(job_id=generation.job_id))
        outputs.withdraw(generation.job_id)
        ledger.append("withdrawn", user=generation.owner, job_ref=generation.job_id, why=str(why))
        if why != DELETED:
            books.take_back(generation.job_id)


def take_down(job_ref: UUID, *, by: User | None = None, note: str = "") -> bool:
    """Remove what a job made, wherever a copy of it lies on this site, and refuse the same pictures from now on.
    False where nothing was ever made under that number."""
    with transaction.atomic():
        generation = Generation.objects.filter(job_id=job_ref).first()
        if generation is not None and generation.withdrawn is None:
            # First of all: where it is just being published, this waits until what was made is there to be listed.
            withdraw(generation, "takedown")
        if generation is None and not MadeOutput.objects.filter(job_ref=job_ref).exists():
            return False
        sums = _block_outputs(job_ref, note)
        if generation is not None:
            for part in generation.inputs.exclude(sha256=""):
                BlockedPicture.block(sha256=part.sha256, perceptual_hash=part.perceptual_hash, note=note)
        books.take_back(job_ref)
        _delete_copies(sums, note)
        learned.forget_taken_down()
        outputs.withdraw(job_ref)
        ledger.append("taken_down", user=by, job_ref=job_ref, outputs=sorted(sums))
        return True


def _block_outputs(job_ref: UUID, note: str) -> set[str]:
    made = list(MadeOutput.objects.filter(job_ref=job_ref))
    for row in made:
        BlockedPicture.block(sha256=row.sha256, perceptual_hash=row.perceptual_hash, note=note)
    return {row.sha256 for row in made}


def _delete_copies(sums: set[str], note: str) -> None:
    """Somebody may have uploaded the very file again, to check it or to make something of it: that goes too, with all
    that was made from it, and from that, and so on."""
    left, seen = set(sums), set(sums)
    while left:
        jobs = set(Artifact.objects.filter(sha256__in=left).values_list("job_id", flat=True)) - {None}
        # By the row too: of what is public the file that it was made from may have had its time.
        made_of_it = Q(job_id__in=jobs) | Q(inputs__sha256__in=left)
        left = set()
        for generation in Generation.objects.filter(made_of_it, withdrawn=None).distinct():
            withdraw(generation, "takedown")
            left |= _block_outputs(generation.job_id, note)
        _delete_files(Artifact.objects.filter(Q(sha256__in=seen) | Q(job_id__in=jobs)))
        left -= seen
        seen |= left


def _delete_files(artifacts: object) -> None:
    for artifact in artifacts:  # type: ignore[attr-defined]
        artifact.delete()  # one at a time: each takes its file along


def delete_own(generation: Generation) -> None:
    """Its owner wants it gone: files now, job stopped or purged; nothing is blocked."""
    with transaction.atomic():
        withdraw(generation, DELETED)
        if Job.objects.filter(pk=generation.job_id, state__in=TERMINAL).exists():
            lifecycle.purge(generation.job_id)
