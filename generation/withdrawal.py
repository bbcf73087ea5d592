"""Taking back: what was made goes at once from everywhere, the ledger stays, and the same pictures are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from jobs import books, lifecycle, outputs
from jobs.models import Artifact, Job, MadeOutput
from jobs.states import TERMINAL

from . import ledger
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
        made = list(MadeOutput.objects.filter(job_ref=job_ref))
        generation = Generation.objects.filter(job_id=job_ref).first()
        if not made and generation is None:
            return False
        sums = {row.sha256 for row in made}
        for row in made:
            BlockedPicture.block(sha256=row.sha256, perceptual_hash=row.perceptual_hash, note=note)
        if generation is not None:
            for part in generation.inputs.exclude(sha256=""):
                BlockedPicture.block(sha256=part.sha256, perceptual_hash=part.perceptual_hash, note=note)
            if generation.withdrawn is None:
                withdraw(generation, "takedown")
        books.take_back(job_ref)
        _delete_copies(sums)
        outputs.withdraw(job_ref)
        ledger.append("taken_down", user=by, job_ref=job_ref, outputs=sorted(sums))
        return True


def _delete_copies(sums: set[str]) -> None:
    """Somebody may have uploaded the very file again, to check it: that and all that was made from it goes too."""
    jobs = set(Artifact.objects.filter(sha256__in=sums).values_list("job_id", flat=True))
    _delete_files(Artifact.objects.filter(Q(sha256__in=sums) | Q(job_id__in=jobs - {None})))


def _delete_files(artifacts: object) -> None:
    for artifact in artifacts:  # type: ignore[attr-defined]
        artifact.delete()  # one at a time: each takes its file along


def delete_own(generation: Generation) -> None:
    """Its owner wants it gone: files now, job stopped or purged; nothing is blocked."""
    with transaction.atomic():
        withdraw(generation, DELETED)
        if Job.objects.filter(pk=generation.job_id, state__in=TERMINAL).exists():
            lifecycle.purge(generation.job_id)
