"""From the child's answer to rows and files. Part of the transaction that ends the job: all of it or none.

What the inference process says about its own work is not believed: the manifest of every file is verified again here,
and whatever is known to be generated must say so.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

from jobs import books, outputs, sealed
from jobs.errors import PersonError
from jobs.models import Artifact
from jobs.sealed import Unsealed

from . import catalogue
from .exchange import EnhanceJobResult, SealedPicture
from .refusals import Gone

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from jobs.models import Job
    from jobs.outputs import Match

    from .exchange import MethodJobResult
    from .models import Enhancement

BEFORE: Final = "before"
WORDS_OF_GENERATED: Final = frozenset({"compositeWithTrainedAlgorithmicMedia", "trainedAlgorithmicMedia"})


def publish(job: Job, result: EnhanceJobResult) -> None:
    from .models import Enhancement, Parent

    enhancement = Enhancement.objects.select_related("source").get(job=job)
    if enhancement.withdrawn is not None or enhancement.source is None:
        raise PersonError("deleted", "The picture was deleted while the work went on.")
    if not isinstance(result, EnhanceJobResult) or [each.method for each in result.results] != enhancement.methods:
        raise Unsealed(f"job {job.pk} ended with other methods than were asked for")
    sha256 = enhancement.source.sha256
    parents = outputs.find(sha256, result.perceptual_hash, result.mark)
    _still_allowed(job, sha256, result.perceptual_hash, parents)
    generated = result.generated or any(match.generated for match in parents)
    enhancement.width, enhancement.height = result.width, result.height
    enhancement.figures = {"measures": asdict(result.before), "detector": asdict(result.before_detector)}
    enhancement.generated, enhancement.perceptual_hash = generated, result.perceptual_hash
    enhancement.weights_version, enhancement.device = result.weights_version, result.device
    enhancement.seconds = result.seconds
    enhancement.before_picture = Artifact.store(
        role=BEFORE,
        data=result.before_copy,
        content_type=result.before_type,
        suffix=sealed.SUFFIXES[result.before_type],
        job=job,
        width=result.before_size[0],
        height=result.before_size[1],
    )
    if result.poster is not None:
        source_type = result.results[0].source_type
        enhancement.poster = _keep(job, result.poster, source_type, generated or _may_invent(enhancement, 0))
    # Its own fields only: what the owner changes meanwhile is kept.
    enhancement.save(
        update_fields=[
            "width", "height", "figures", "generated", "perceptual_hash", "weights_version", "device", "seconds",
            "before_picture", "poster",
        ]
    )  # fmt: skip
    made = [_publish_one(job, enhancement, index, each, generated) for index, each in enumerate(result.results)]
    Parent.objects.bulk_create(
        Parent(enhancement=enhancement, job_ref=match.job, kind=match.kind, by=match.by, made=match.created)
        for match in parents
    )
    books.kept().write(
        job,
        "enhanced",
        {
            "kind": job.kind,
            "enhancement": str(enhancement.pk),
            "task": enhancement.task,
            "methods": enhancement.methods,
            "inputs": {"target": sha256},
            "parents": [str(match.job) for match in parents],
            "outputs": {artifact.role: artifact.sha256 for artifact in made},
            "generated": [each.source_type in WORDS_OF_GENERATED for each in result.results],
            "weights": result.weights_version,
            "device": result.device,
        },
    )


def _still_allowed(job: Job, sha256: str, perceptual_hash: str, parents: list[Match]) -> None:
    """Asked once more: something may have been taken down, or a consent withdrawn, while the work went on.

    What merely looks like something that went before the work began is not refused: a photograph looks like what was
    made of it.
    """
    kept = books.kept()
    kept.check(sha256)
    if perceptual_hash and any(outputs.distance(perceptual_hash, look) <= outputs.LOOK_ALIKE for look in kept.looks()):
        raise PersonError("blocked_picture", "This picture was taken down on request and cannot be used here.")
    for parent in parents:
        gone = _gone_since(parent.job)
        if gone is not None and (parent.by != "looks" or gone >= job.created):
            raise Gone


def _gone_since(job_ref: UUID) -> datetime | None:
    """Of what this app made, and of what others did."""
    from .models import Enhancement

    own = Enhancement.objects.filter(job_id=job_ref, withdrawn__isnull=False).values_list("withdrawn", flat=True)
    return own.first() or books.kept().gone_since(job_ref)


def _publish_one(job: Job, enhancement: Enhancement, index: int, result: MethodJobResult, generated: bool) -> Artifact:
    from .models import EnhancedPicture

    must_say_so = generated or _may_invent(enhancement, index)
    file = _keep(job, result.picture, result.source_type, must_say_so)
    shown = None if result.shown is None else _keep(job, result.shown, result.source_type, must_say_so)
    EnhancedPicture.objects.create(
        enhancement=enhancement,
        index=index,
        method=result.method,
        label=result.label,
        origin=result.origin,
        strength=result.strength,
        source_type=result.source_type,
        file=file,
        shown=shown,
        width=result.picture.width,
        height=result.picture.height,
        figures={"measures": asdict(result.measures), "detector": asdict(result.detector)},
        notes=list(result.notes),
        seconds=result.seconds,
    )
    return file


def _may_invent(enhancement: Enhancement, index: int) -> bool:
    method = catalogue.find(enhancement.task, enhancement.methods[index])
    return method is None or method.generative


def _keep(job: Job, output: SealedPicture, source_type: str, must_say_so: bool) -> Artifact:
    """Verify one file and keep it. Raises Unsealed for anything that is not sealed as it must be."""
    if not isinstance(output, SealedPicture):
        raise Unsealed(f"job {job.pk}: {type(output).__name__} is no sealed picture")
    sealed.check_type(job, output)
    says_generated = _verify(job, output)
    if (must_say_so or source_type in WORDS_OF_GENERATED) and not says_generated:
        raise Unsealed(f"job {job.pk}: it may hold what was generated, and its manifest does not say so")
    return sealed.keep(job, output, mark=outputs.mark_of(job.pk) if says_generated else "")


def _verify(job: Job, output: SealedPicture) -> bool:
    """Whether the manifest, which holds, says that AI edited the picture."""
    # The one part of ml that this process may load: it brings c2pa and no model library (docs/adr/0012).
    from ml.provenance.verification import InvalidSeal, verify

    try:
        seal = verify(output.data, output.content_type, settings.GENERATION_AUTHORITY_DIR)
    except InvalidSeal as error:
        raise Unsealed(f"job {job.pk}: {error}") from error
    if seal.job != str(job.pk) or seal.kind != job.kind or seal.consents:
        raise Unsealed(f"job {job.pk}: the manifest speaks of job {seal.job} of kind {seal.kind}")
    return _code(seal.source_type) in WORDS_OF_GENERATED


def _code(source_type: str) -> Any:
    return source_type.rpartition("/")[2]
