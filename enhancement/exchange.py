"""What crosses between the site and the inference process: plain types only, so that neither side imports the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class ClipLimits:
    """How much of a video may be read: the limits that its upload was held to. content_type: as it was taken in."""

    content_type: str
    max_bytes: int
    max_seconds: float
    max_pixels: int
    max_frames: int


@dataclass(frozen=True, slots=True)
class EnhanceJobRequest:
    """A picture, or with `clip` a video, what is to be done to it, and what its results are signed with.

    made_here: the file is, byte for byte, something generated on this site. looks: the perceptual hashes of all such
    things, 8 bytes each. blocked: those of pictures that were taken down, 16 hex digits each. networks: the folder of
    imported networks. suffix: of the results; "" is that of the picture.
    """

    path: Path
    task: str
    methods: tuple[str, ...]
    job: str
    kind: str
    mark: str
    site: str
    authority: Path
    networks: Path
    scale: int | None = None
    strength: float | None = None
    truth: Path | None = None
    suffix: str = ""
    made_here: bool = False
    looks: bytes = b""
    blocked: tuple[str, ...] = ()
    clip: ClipLimits | None = None


@dataclass(frozen=True, slots=True)
class DetectorJobFigure:
    """What the detectors say of one picture; `faces` is how many were judged. The level is "" where none could look."""

    level: str
    probability: float | None
    faces: int
    reason_code: str = ""


@dataclass(frozen=True, slots=True)
class MeasuresJobFigure:
    """sharpness in grey levels, noise as a sigma of 255; where a truth was given psnr in dB, at most 100, ssim,
    and how different the two look, 0 for the same."""

    sharpness: float
    noise: float
    psnr: float | None
    ssim: float | None
    perceptual: float | None = None


@dataclass(frozen=True, slots=True)
class SealedPicture:
    """A finished file with its signed manifest. The hash by looks is empty unless what it shows was generated."""

    data: bytes
    content_type: str
    suffix: str
    width: int
    height: int
    perceptual_hash: str
    role: str


@dataclass(frozen=True, slots=True)
class MethodJobResult:
    """What one method made. `shown`: a smaller copy for the page where the picture is large."""

    method: str
    label: str
    origin: str
    strength: float
    source_type: str
    picture: SealedPicture
    shown: SealedPicture | None
    measures: MeasuresJobFigure
    detector: DetectorJobFigure
    seconds: float
    notes: tuple[str | dict[str, Any], ...]  # as `jobs.sentences` packs them


@dataclass(frozen=True, slots=True)
class EnhanceJobResult:
    """All of it. `before` and `before_detector` are of the picture that was sent, `before_copy` is a copy of it for the
    page, made from its pixels; `poster` is a small picture of the first result, for lists. `generated`: the picture is
    known to be, by its mark, its looks, its bytes or its manifest."""

    results: tuple[MethodJobResult, ...]
    width: int
    height: int
    before: MeasuresJobFigure
    before_detector: DetectorJobFigure
    before_copy: bytes
    before_size: tuple[int, int]
    poster: SealedPicture | None
    perceptual_hash: str
    mark: str
    generated: bool
    weights_version: str
    device: str
    seconds: float
    before_type: str = "image/webp"
