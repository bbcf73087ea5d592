"""The only way out: a sealed file whose manifest this process has verified, its ledger line, its registry row.

Part of the transaction that ends the job: all of it or none. What the inference process says about its own work is not
believed: the bytes are hashed and the manifest is read again here, against the certificate of this site.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.conf import settings

from jobs import outputs, sealed
from jobs.sealed import Unsealed

from . import keeping, ledger, making
from .admission import check_picture, still_allowed
from .exchange import GenerationResult, SealedOutput

if TYPE_CHECKING:
    from jobs.models import Artifact, Job
    from jobs.outcomes import Shown

    from .models import Generation

POSTER: Final = "poster"  # the role of a small sealed picture of the result, for lists


def publish(job: Job, result: GenerationResult) -> None:
    generation = still_allowed(job)
    if not isinstance(result, GenerationResult) or not result.outputs:
        raise Unsealed(f"job {job.pk} ended without a sealed output")
    _check_looks(result)
    artifacts = [publish_output(job, generation, output) for output in result.outputs]
    keeping.for_owner(job, result)
    generation.result = artifacts[0]
    generation.poster = next((artifact for artifact in artifacts if artifact.role == POSTER), None)
    generation.facts = result.facts
    generation.save(update_fields=["result", "poster", "facts"])
    for role, seen in result.seen.items():
        if seen:
            generation.inputs.filter(role=role).update(perceptual_hash=seen)
    ledger.append(
        "made",
        user=generation.owner,
        job_ref=job.pk,
        kind=job.kind,
        generation=str(generation.pk),
        terms=generation.terms.version,
        consents=[fact.id for fact in making.consent_facts(generation)],
        inputs={part.role: part.sha256 or f"identity:{part.identity}" for part in generation.inputs.all()},
        outputs={artifact.role: artifact.sha256 for artifact in artifacts},
        weights=dict(result.weights),
        device=result.device,
    )


def _check_looks(result: GenerationResult) -> None:
    """Of what it was made from, and of what was made: the list may have grown since the work began. Raises Refused."""
    made = (output.perceptual_hash for output in result.outputs if isinstance(output, SealedOutput))
    for look in (*result.seen.values(), *made):
        if look:
            outputs.bands_of(look)  # raises for what is no hash: the answer comes from the inference process
            check_picture("", look)


def publish_output(job: Job, generation: Generation, output: SealedOutput) -> Artifact:
    """Keep one sealed file. Raises Unsealed for anything else, and for a seal that is not this job's."""
    if not isinstance(output, SealedOutput):
        raise Unsealed(f"job {job.pk}: {type(output).__name__} is no sealed output")
    sealed.check_type(job, output)
    _verify(job, generation, output)
    return sealed.keep(job, output, mark=outputs.mark_of(job.pk))


def vet(job: Job, shown: Shown) -> None:
    """A preview of unfinished work is kept only while the work is allowed, and only sealed like what is made of it."""
    generation = still_allowed(job)
    if shown.picture:
        preview = SealedOutput(shown.picture, shown.content_type, "", shown.width, shown.height)
        _verify(job, generation, preview)


def _verify(job: Job, generation: Generation, output: SealedOutput) -> None:
    # The one part of ml that this process may load: it brings c2pa and no model library (docs/adr/0012).
    from ml.provenance.verification import InvalidSeal, verify

    try:
        seal = verify(output.data, output.content_type, settings.GENERATION_AUTHORITY_DIR)
    except InvalidSeal as error:
        raise Unsealed(f"job {job.pk}: {error}") from error
    consents = {fact.id for fact in making.consent_facts(generation)}
    if seal.job != str(job.pk) or seal.kind != job.kind or set(seal.consents) != consents or not seal.has_mark:
        raise Unsealed(f"job {job.pk}: the manifest speaks of job {seal.job}, consents {sorted(seal.consents)}")
