"""What a check is asked, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from ml.detect.verdict import Level


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """What to check: `explain` draws what the detectors looked at; `renders` makes the pictures that a page shows."""

    path: Path
    explain: bool = False
    max_faces: int = 20
    renders: bool = True


@dataclass(frozen=True, slots=True)
class FaceFinding:
    """One face. `box` is (x0, y0, x1, y1) in pixels of the upright picture, clipped to it.

    `probability` is the calibrated P(manipulated), `detectors` each detector's own; None and empty where the face could
    not be judged. The pictures are JPEG files of one size: the face, Grad-CAM over it, and the boundary map over it.
    """

    box: tuple[int, int, int, int]
    level: Level
    probability: float | None
    detectors: dict[str, float]
    quality: dict[str, float | int | str]
    yaw: float
    reason: str | None
    reason_code: str | None
    crop_jpeg: bytes | None
    gradcam_jpeg: bytes | None
    boundary_jpeg: bytes | None = None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The verdict on a picture, which is that of its worst face, with everything that made it.

    `interval` is explained at `ml.detect.verdict.interval`. `timings` are seconds by stage. `provenance` is what the
    file says of itself, as plain values; `perceptual_hash` 16 hexadecimal digits.
    """

    level: Level
    probability: float | None
    interval: tuple[float, float] | None
    reason_code: str
    reason: str
    faces: tuple[FaceFinding, ...]
    width: int
    height: int
    display_jpeg: bytes | None
    weights_version: str
    thresholds_version: str
    device: str
    timings: dict[str, float]
    seconds: float
    not_checked: tuple[str, ...]
    provenance: dict[str, Any] = field(default_factory=dict)
    perceptual_hash: str = ""
