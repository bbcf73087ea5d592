"""Enhancements as the site makes them; only the networks' answer is made up, and signed as the real one is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

from enhancement import services
from enhancement.exchange import (
    DetectorJobFigure,
    EnhanceJobResult,
    MeasuresJobFigure,
    MethodJobResult,
    SealedPicture,
)
from enhancement.wishes import Wish
from jobs import lifecycle, outputs
from ml.provenance.authority import Authority
from ml.provenance.plan import PARENT, Ingredient, ManifestPlan, Work
from ml.provenance.signing import sign
from tests.detection.factories import content, jpeg, upload

if TYPE_CHECKING:
    from enhancement.models import Enhancement
    from jobs.models import Job
    from jobs.requester import Requester

PLAIN, GENERATED = "algorithmicallyEnhanced", "compositeWithTrainedAlgorithmicMedia"
TWO_METHODS = Wish("upscale", ("compact", "bicubic"), 2)
SIZE = (96, 64)


def queued(
    owner: Requester, wish: Wish = TWO_METHODS, name: str = "photo.jpg", data: bytes | None = None
) -> Enhancement:
    return services.submit_enhancement(owner, upload(name, data), wish)


def claimed(enhancement: Enhancement) -> Job:
    """The job of the enhancement, as the worker that took it sees it."""
    for _turn in range(50):
        job = lifecycle.claim("tests", ["enhancement"])
        assert job is not None, "nothing left to claim"
        if job.pk == enhancement.job_id:
            return job
        assert lifecycle.requeue(job.pk, job.attempt)
    raise AssertionError("never came to its turn")


def sealed(
    enhancement: Enhancement, work: Work = Work.ENHANCEMENT, role: str = "enhanced", **changes: Any
) -> SealedPicture:
    data = jpeg("orchid", (SIZE[0] * 2, SIZE[1] * 2))
    original = enhancement.source
    assert original is not None
    facts = {"kind": "enhancement", "job": str(enhancement.job_id), "mark": outputs.mark_of(enhancement.job_id)}
    plan = ManifestPlan(
        work=work,
        site="Unmask",
        ingredients=(Ingredient(PARENT, content(original), original.content_type),),
        **facts | changes,
    )
    signed = sign(data, "image/jpeg", plan, Authority(settings.GENERATION_AUTHORITY_DIR))
    return SealedPicture(signed, "image/jpeg", ".jpg", SIZE[0] * 2, SIZE[1] * 2, "", role)


def answer(
    enhancement: Enhancement, work: Work = Work.ENHANCEMENT, kind: str = "enhancement", **changes: Any
) -> EnhanceJobResult:
    source_type = PLAIN if work is Work.ENHANCEMENT else GENERATED
    results = tuple(
        MethodJobResult(
            method=name,
            label=name.capitalize(),
            origin="classical",
            strength=1.0,
            source_type=source_type,
            picture=sealed(enhancement, work, kind=kind),
            shown=None,
            measures=MeasuresJobFigure(12.5, 1.5, 31.25, 0.9),
            detector=DetectorJobFigure("likely_authentic", 0.06, 1, "below_threshold"),
            seconds=0.4,
            notes=("The picture had printing colours (CMYK); the copy has screen colours (sRGB).",),
        )
        for name in enhancement.methods
    )
    told: dict[str, Any] = {
        "results": results,
        "width": SIZE[0],
        "height": SIZE[1],
        "before": MeasuresJobFigure(6.25, 2.5, None, None),
        "before_detector": DetectorJobFigure("inconclusive", 0.48, 1, "in_the_band"),
        "before_copy": jpeg(),
        "before_size": SIZE,
        "poster": sealed(enhancement, work, "poster", kind=kind),
        "perceptual_hash": "00ff00ff00ff00ff",
        "mark": "",
        "generated": work is not Work.ENHANCEMENT,
        "weights_version": "weights-test",
        "device": "CPU (tests)",
        "seconds": 1.5,
    }
    return EnhanceJobResult(**told | changes)


def finished(enhancement: Enhancement, result: EnhanceJobResult | None = None) -> Enhancement:
    job = claimed(enhancement)
    lifecycle.succeed(job.pk, job.attempt, result or answer(enhancement))
    enhancement.refresh_from_db()
    return enhancement


def failed(enhancement: Enhancement, code: str = "no_face", message: str = "No face was found.") -> Enhancement:
    job = claimed(enhancement)
    assert lifecycle.fail(job.pk, job.attempt, code, message, "")
    enhancement.refresh_from_db()
    return enhancement
