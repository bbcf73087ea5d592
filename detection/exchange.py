"""What crosses between the site and the inference process: plain types only, so that neither side imports the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class CheckJobRequest:
    """A picture to check. `path` lies in a folder that the inference process can read."""

    path: Path
    explain: bool = True
    max_faces: int = 20


@dataclass(frozen=True, slots=True)
class VideoJobRequest:
    """A video to check, and how much of it may be read: the limits that its upload was held to."""

    path: Path
    max_bytes: int
    max_seconds: float
    max_pixels: int
    max_frames: int
    samples: int
    max_people: int
    explain: bool = True


@dataclass(frozen=True, slots=True)
class FaceJobResult:
    """One face: `box` is (x0, y0, x1, y1) in picture pixels, `level` a code; probabilities are P(manipulated)."""

    box: tuple[int, int, int, int]
    level: str
    probability: float | None
    detectors: dict[str, float]
    quality: dict[str, float | int | str]
    yaw: float
    reason_code: str | None
    reason: str | None
    crop_jpeg: bytes | None
    gradcam_jpeg: bytes | None
    boundary_jpeg: bytes | None = None


@dataclass(frozen=True, slots=True)
class FrameJobResult:
    """One picture of a video's strip, at `seconds` from its beginning; `probability` is that of its worst face."""

    seconds: float
    probability: float | None
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class CheckJobResult:
    """The whole check. `width` and `height` are those of the upright picture that the boxes lie in.

    `band` is the inconclusive part of the scale, as the thresholds of this check had it.
    """

    level: str
    probability: float | None
    interval: tuple[float, float] | None
    reason_code: str
    reason: str
    faces: tuple[FaceJobResult, ...]
    width: int
    height: int
    display_jpeg: bytes | None
    weights_version: str
    thresholds_version: str
    device: str
    timings: dict[str, float]
    seconds: float
    not_checked: tuple[str | dict[str, Any], ...]  # as `jobs.sentences` packs them
    band: tuple[float, float] | None = None
    provenance: dict[str, Any] = field(default_factory=dict)
    perceptual_hash: str = ""
    duration: float | None = None
    people: tuple[dict[str, Any], ...] = ()
    timeline: tuple[dict[str, Any], ...] = ()
    frames: tuple[FrameJobResult, ...] = ()
    preview_mp4: bytes | None = None
