"""From the child's answer to rows and files. Part of the transaction that ends the job: all of it or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from jobs import outputs
from jobs.models import Artifact

from .desk.flags import raise_flags
from .models import Check, FaceFinding, Frame
from .pictures import PREVIEW

if TYPE_CHECKING:
    from jobs.models import Job

    from .exchange import CheckJobResult, FaceJobResult


def publish(job: Job, result: CheckJobResult) -> None:
    """Write the verdict. The check is there: it was made with the job, and deleting it cancels the job first."""
    check = Check.objects.get(job=job)
    verdict = _verdict(job, check, result)
    for name, value in verdict.items():
        setattr(check, name, value)
    check.save(update_fields=verdict)  # all else is its owner's, who may be changing it at this moment
    faces = [_finding(job, check, index, face) for index, face in enumerate(result.faces)]
    FaceFinding.objects.bulk_create(faces)
    if result.preview_mp4 is not None:
        Artifact.store(role=PREVIEW, data=result.preview_mp4, content_type="video/mp4", suffix=".mp4", job=job)
    Frame.objects.bulk_create(
        Frame(
            subject=check,
            index=index,
            seconds=frame.seconds,
            probability=frame.probability,
            picture=_picture(job, "frame", frame.jpeg),
        )
        for index, frame in enumerate(result.frames)
    )
    raise_flags(check, faces)


def _verdict(job: Job, check: Check, result: CheckJobResult) -> dict[str, Any]:
    """The fields of the check that the detectors have a say in."""
    low, high = result.interval if result.interval is not None else (None, None)
    band_low, band_high = result.band if result.band is not None else (None, None)
    own = _made_here(check, result)
    return {
        "level": str(result.level),
        "probability": result.probability,
        "interval_low": low,
        "interval_high": high,
        "band_low": band_low,
        "band_high": band_high,
        "reason_code": result.reason_code,
        "reason": result.reason,
        "width": result.width,
        "height": result.height,
        "weights_version": result.weights_version,
        "thresholds_version": result.thresholds_version,
        "device": result.device,
        "seconds": result.seconds,
        "timings": dict(result.timings),
        "not_checked": list(result.not_checked),
        "provenance": {**result.provenance, **({"own": own} if own else {})},
        "perceptual_hash": result.perceptual_hash,
        "duration": result.duration,
        "people": list(result.people),
        "timeline": list(result.timeline),
        "display": _picture(job, "display", result.display_jpeg),
    }


def _made_here(check: Check, result: CheckJobResult) -> list[dict[str, Any]]:
    """What of this site's own work this is, the surest first: by its bytes, its invisible mark, its looks."""
    original = check.original
    found = outputs.find(
        sha256="" if original is None else original.sha256,
        perceptual_hash=result.perceptual_hash,
        mark=str(result.provenance.get("mark") or ""),
    )
    words = {
        "bytes": _("This very file."),
        "mark": _("It carries this site's invisible mark."),
        "looks": _("It looks like what was made here."),
    }
    better = _("This very file: a picture that was made better here, not one that was generated.")
    return [{**match.as_json(), "words": words[match.by] if match.generated else better} for match in found]


def _finding(job: Job, check: Check, index: int, face: FaceJobResult) -> FaceFinding:
    x0, y0, x1, y1 = face.box
    return FaceFinding(
        subject=check,
        index=index,
        x0=x0,
        y0=y0,
        x1=x1,
        y1=y1,
        level=str(face.level),
        probability=face.probability,
        detectors=dict(face.detectors),
        quality=dict(face.quality),
        yaw=face.yaw,
        reason_code=face.reason_code or "",
        reason=face.reason or "",
        crop=_picture(job, "crop", face.crop_jpeg),
        gradcam=_picture(job, "gradcam", face.gradcam_jpeg),
        boundary=_picture(job, "boundary", face.boundary_jpeg),
    )


def _picture(job: Job, role: str, jpeg: bytes | None) -> Artifact | None:
    if jpeg is None:
        return None
    return Artifact.store(role=role, data=jpeg, content_type="image/jpeg", suffix=".jpg", job=job)
