"""The detectors' side of a check: runs in the inference process, and nowhere else imports `ml`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jobs.errors import PersonError
from jobs.sentences import packed

from .exchange import CheckJobResult, FaceJobResult, FrameJobResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from ml.detect.check import CheckResult, FaceFinding
    from ml.detect.video_result import VideoResult

    from .exchange import CheckJobRequest, VideoJobRequest


def warm() -> str:
    """Load the networks and run them once, so that the first person waits no longer than the next.

    Returns the name of the device, which every job then shows.
    """
    from ml.detect.check import checker
    from ml.runtime import device_name

    checker().warm()
    return device_name()


def check(request: CheckJobRequest, report: Callable[[str, int, int], None]) -> CheckJobResult:
    """Check one picture.

    Raises PersonError for a file that cannot be judged. Whatever `report` raises to stop the work passes through.
    """
    from ml.detect import check as ml_check
    from ml.errors import MediaError

    wanted = ml_check.CheckRequest(Path(request.path), explain=request.explain, max_faces=request.max_faces)
    try:
        result = ml_check.run(wanted, report)
    except MediaError as error:
        raise PersonError(error.code, error.message) from error
    thresholds = ml_check.checker().calibration
    return _plain(result, band=(thresholds.authentic, thresholds.manipulated))


def check_video(request: VideoJobRequest, report: Callable[[str, int, int], None]) -> CheckJobResult:
    """Check one video, as `check` does a picture."""
    from ml.detect import check as ml_check
    from ml.detect import video as ml_video
    from ml.detect.video_result import VideoRequest
    from ml.errors import MediaError
    from ml.media.video import VideoLimits

    wanted = VideoRequest(
        Path(request.path),
        explain=request.explain,
        samples=request.samples,
        max_people=request.max_people,
        limits=VideoLimits(request.max_bytes, request.max_seconds, request.max_pixels, request.max_frames),
    )
    checker = ml_check.checker()
    try:
        result = ml_video.run(wanted, report, checker)
    except MediaError as error:
        raise PersonError(error.code, error.message) from error
    return _plain_video(result, band=(checker.calibration.authentic, checker.calibration.manipulated))


def _plain_video(result: VideoResult, band: tuple[float, float]) -> CheckJobResult:
    return CheckJobResult(
        level=result.level.value,
        probability=result.probability,
        interval=result.interval,
        reason_code=result.reason_code,
        reason=result.reason,
        faces=tuple(_plain_face(face) for face in result.faces),
        width=result.width,
        height=result.height,
        display_jpeg=result.display_jpeg,
        weights_version=result.weights_version,
        thresholds_version=result.thresholds_version,
        device=result.device,
        timings=dict(result.timings),
        seconds=result.seconds,
        not_checked=tuple(packed(each) for each in result.not_checked),
        band=band,
        provenance=dict(result.provenance),
        duration=result.duration,
        people=result.people,
        timeline=result.timeline,
        frames=tuple(FrameJobResult(shot.seconds, shot.probability, shot.jpeg) for shot in result.strip),
        preview_mp4=result.preview_mp4,
    )


def _plain(result: CheckResult, band: tuple[float, float]) -> CheckJobResult:
    return CheckJobResult(
        level=result.level.value,
        probability=result.probability,
        interval=result.interval,
        reason_code=result.reason_code,
        reason=result.reason,
        faces=tuple(_plain_face(face) for face in result.faces),
        width=result.width,
        height=result.height,
        display_jpeg=result.display_jpeg,
        weights_version=result.weights_version,
        thresholds_version=result.thresholds_version,
        device=result.device,
        timings=dict(result.timings),
        seconds=result.seconds,
        not_checked=tuple(packed(each) for each in result.not_checked),
        band=band,
        provenance=dict(result.provenance),
        perceptual_hash=result.perceptual_hash,
    )


def _plain_face(face: FaceFinding) -> FaceJobResult:
    return FaceJobResult(
        box=face.box,
        level=face.level.value,
        probability=face.probability,
        detectors=dict(face.detectors),
        quality=dict(face.quality),
        yaw=face.yaw,
        reason_code=face.reason_code,
        reason=face.reason,
        crop_jpeg=face.crop_jpeg,
        gradcam_jpeg=face.gradcam_jpeg,
        boundary_jpeg=face.boundary_jpeg,
    )
