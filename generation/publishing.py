"""The only way out: a sealed file whose manifest this process has verified, its ledger line, its registry row.

Part of the transaction that ends the job: all of it or none. What the inference process says about its own work is not
believed: the bytes are hashed and the manifest is read again here, against the certificate of this site.
"""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils.translation import gettext as _

from jobs import outputs
from jobs.errors import PersonError
from jobs.models import Artifact

from . import ledger, making
from .admission import still_allowed
from .exchange import GenerationResult, SealedOutput

if TYPE_CHECKING:
    from jobs.models import Job

    from .models import Generation

logger = logging.getLogger(__name__)

SUFFIXES: Final = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "video/mp4": ".mp4"}
WITHOUT_MANIFEST: Final = "unsealed"
POSTER: Final = "poster"  # the role of a small sealed picture of the result, for lists


class Unsealed(PersonError):
    """Something was to be published that is not sealed, or whose seal does not hold."""

    def __init__(self, why: str) -> None:
        super().__init__(WITHOUT_MANIFEST, _("The result could not be signed and verified, so it was not kept."))
        self.why = why
        logger.error("refused to publish: %s", why)


def publish(job: Job, result: GenerationResult) -> None:
    generation = still_allowed(job)
    if not isinstance(result, GenerationResult) or not result.outputs:
        raise Unsealed(f"job {job.pk} ended without a sealed output")
    artifacts = [publish_output(job, generation, output) for output in result.outputs]
    generation.result = artifacts[0]
    generation.poster = next((artifact for artifact in artifacts if artifact.role == POSTER), None)
    generation.facts = result.facts
    generation.save(update_fields=["result", "poster", "facts"])
    for role, seen in result.seen.items():
        if seen:
            outputs.bands_of(seen)  # raises for what is no hash: the answer comes from the inference process
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


def publish_output(job: Job, generation: Generation, output: SealedOutput) -> Artifact:
    """Keep one sealed file. Raises Unsealed for anything else, and for a seal that is not this job's."""
    if not isinstance(output, SealedOutput):
        raise Unsealed(f"job {job.pk}: {type(output).__name__} is no sealed output")
    if SUFFIXES.get(output.content_type) != output.suffix:
        raise Unsealed(f"job {job.pk}: {output.content_type} named {output.suffix}")
    _verify(job, generation, output)
    mark = outputs.mark_of(job.pk)
    sha256 = hashlib.sha256(output.data).hexdigest()
    outputs.record(job, sha256=sha256, perceptual_hash=output.perceptual_hash, mark=mark)
    return Artifact.store(
        role=output.role,
        data=output.data,
        content_type=output.content_type,
        suffix=output.suffix,
        job=job,
        width=output.width,
        height=output.height,
    )


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
