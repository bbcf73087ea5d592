"""Puts a handler without models in the place of the detectors; all around it is the real thing."""

from __future__ import annotations

import dataclasses
import io
import time
from typing import TYPE_CHECKING

from django.apps import AppConfig
from PIL import Image

from detection.exchange import CheckJobRequest, CheckJobResult, VideoJobRequest
from jobs.errors import PersonError

if TYPE_CHECKING:
    from collections.abc import Callable


class QuickChecksConfig(AppConfig):
    name = "tests.resilience"
    label = "quick_checks"

    def ready(self) -> None:
        from jobs import kinds

        for name in ("check", "check_video"):
            real = kinds.get(name)
            kinds.unregister(name)
            here = "tests.resilience.quick_checks"
            kinds.register(dataclasses.replace(real, handler=f"{here}.{name}", warm=f"{here}.warm"))


def warm() -> str:
    return "test device"


def check(request: CheckJobRequest, report: Callable[[str, int, int], None]) -> CheckJobResult:
    began = time.monotonic()
    report("decode", 0, 1)
    with Image.open(request.path) as image:
        image.load()
        upright = image.convert("RGB")
    report("verdict", 1, 1)
    shown = io.BytesIO()
    upright.save(shown, "JPEG")
    return CheckJobResult(
        level="not_applicable",
        probability=None,
        interval=None,
        reason_code="no_face",
        reason="No face was found.",
        faces=(),
        width=upright.width,
        height=upright.height,
        display_jpeg=shown.getvalue(),
        weights_version="none",
        thresholds_version="none",
        device="test device",
        timings={},
        seconds=time.monotonic() - began,
        not_checked=(),
    )


def check_video(request: VideoJobRequest, report: Callable[[str, int, int], None]) -> CheckJobResult:
    """Decodes as the real one does, and then takes two seconds over nothing."""
    from ml.errors import MediaError
    from ml.media.video import VideoLimits, read

    began = time.monotonic()
    limits = VideoLimits(request.max_bytes, request.max_seconds, request.max_pixels, request.max_frames)
    try:
        clip = read(request.path, report, limits=limits, samples=4)
    except MediaError as error:
        raise PersonError(error.code, error.message) from error
    for done in range(20):
        report("detectors", done, 20)
        time.sleep(0.1)
    return CheckJobResult(
        level="not_applicable",
        probability=None,
        interval=None,
        reason_code="no_face",
        reason="No face was found.",
        faces=(),
        width=clip.width,
        height=clip.height,
        display_jpeg=None,
        weights_version="none",
        thresholds_version="none",
        device="test device",
        timings={},
        seconds=time.monotonic() - began,
        not_checked=(),
        duration=clip.seconds,
    )
