"""Puts a handler without models in the place of the detectors; all around it is the real thing."""

from __future__ import annotations

import dataclasses
import io
import time
from typing import TYPE_CHECKING

from django.apps import AppConfig
from PIL import Image

from detection.exchange import CheckJobRequest, CheckJobResult

if TYPE_CHECKING:
    from collections.abc import Callable


class QuickChecksConfig(AppConfig):
    name = "tests.resilience"
    label = "quick_checks"

    def ready(self) -> None:
        from jobs import kinds

        real = kinds.get("check")
        kinds.unregister("check")
        kinds.register(
            dataclasses.replace(
                real, handler="tests.resilience.quick_checks.check", warm="tests.resilience.quick_checks.warm"
            )
        )


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
