"""What a video's check is asked, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ml.media.video import VideoLimits

if TYPE_CHECKING:
    from pathlib import Path

    from ml.detect.result import FaceFinding
    from ml.detect.verdict import Level


@dataclass(frozen=True, slots=True)
class VideoRequest:
    """Which video to check, and how closely.

    samples: most frames looked at, spread evenly; scenes: further first frames of scenes. max_people: judged, of those
    seen most; max_faces: most face crops that the detectors are shown, shared among the people. `explain` draws
    Grad-CAM maps of the worst moments; `renders` makes the pictures that a page shows.
    """

    path: Path
    explain: bool = False
    renders: bool = True
    samples: int = 40
    scenes: int = 16
    max_people: int = 5
    max_faces: int = 96
    limits: VideoLimits = field(default_factory=VideoLimits)


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture of the strip: a JPEG file, its time, and the probability of its worst face if one was judged."""

    seconds: float
    probability: float | None
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class VideoResult:
    """The verdict on a video, which is that of its worst person, with everything that made it.

    people: one dict a person, as the command line prints it: index, level, probability, interval, reason_code, reason,
        frames, usable, share_over, first, last, box, detectors and worst ([{"t", "probability"}], worst first).
    timeline: one dict a sampled frame: t, people ({index: probability}) and scene_cut.
    faces: one finding a person, at that person's worst moment; `seconds` of the facts says when. The boxes belong to
        the frame that is shown (`display_seconds`); a person who is not in it has the fact `elsewhere`.
    """

    level: Level
    probability: float | None
    interval: tuple[float, float] | None
    reason_code: str
    reason: str
    people: tuple[dict[str, Any], ...]
    timeline: tuple[dict[str, Any], ...]
    faces: tuple[FaceFinding, ...]
    strip: tuple[Shot, ...]
    duration: float
    frames: int
    width: int
    height: int
    codec: str
    display_jpeg: bytes | None
    display_seconds: float | None
    preview_mp4: bytes | None
    weights_version: str
    thresholds_version: str
    device: str
    timings: dict[str, float]
    seconds: float
    not_checked: tuple[str, ...]
    provenance: dict[str, Any] = field(default_factory=dict)
