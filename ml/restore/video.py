"""A whole video through one method, frame by frame, through the caller's seal: rate, rotation and sound stay."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from ml import runtime
from ml.errors import MediaError
from ml.media import video, video_header
from ml.provenance.sealing import Clip
from ml.restore import methods
from ml.restore.canvas import Canvas
from ml.restore.measures import Measures, measure
from ml.restore.task import Task
from ml.restore.tiling import run_tiled
from ml.swap.clip_frames import ClipFrames, evenly, upright

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import av
    from numpy.typing import NDArray

    from ml.restore.methods import Ready

    Report = Callable[[str, int, int], None]
    Preview = Callable[[NDArray[np.uint8]], None]

SealedT = TypeVar("SealedT")

MAX_FRAME_PIXELS = 3840 * 2160
"""Of a result: what browsers and telephones still play."""

PREVIEW_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class VideoRequest:
    """path: an MP4, MOV, WebM or Matroska file. method, scale, strength: as of ``EnhanceRequest``; one method a video.

    Where no strength is given the first frame tells it for all frames: one that changed from frame to frame would
    flicker.
    """

    path: Path
    task: Task = Task.UPSCALE
    method: str | None = None
    scale: int | None = None
    strength: float | None = None
    limits: video.VideoLimits = field(default_factory=video.VideoLimits)


@dataclass(frozen=True, slots=True, eq=False)
class EnhancedVideo(Generic[SealedT]):
    """What the seal made of it.

    width, height: of the result. before, after: measures of the first frame. source_type: IPTC's, of what is made of
    such a video: one that said that it was generated stays generated.
    """

    sealed: SealedT
    method: str
    label: str
    origin: str
    strength: float
    frames: int
    width: int
    height: int
    has_sound: bool
    before: Measures
    after: Measures
    sha256: str
    source_type: str
    weights_version: str
    device: str
    seconds: float


def run(
    request: VideoRequest,
    report: Report,
    seal: Callable[[Clip], SealedT],
    preview: Preview | None = None,
) -> EnhancedVideo[SealedT]:
    """Enhance one video. Nothing is written here: ``seal`` takes the frames as they are made, and writes them.

    Stages told to ``report``, which may raise to stop: decode (the file is judged and its times are read), enhance (in
    frames). ``preview`` is given a finished frame, uint8 (H, W, 3), every two seconds.

    Raises MediaError for what the person can mend: a file that is not read, a method that takes no videos, a result
    that would be too large.
    """
    started = time.perf_counter()
    name = _method(request)
    judged = _Judged()
    told = video.read(request.path, report, limits=request.limits, samples=2, scenes=0, watch=judged.watch)
    if judged.first is None:
        raise MediaError("no_frames", "The video holds no frame at all. Save it again.")
    ready = methods.ready(name, request.task, request.scale, request.strength, Canvas(judged.first))
    _check(told.width, told.height, ready)
    clip = ClipFrames(request.path)
    shown = dict(evenly(judged.times, clip.rate))
    count = sum(shown.values())
    after: list[Measures] = []

    def frames() -> Iterator[NDArray[np.uint8]]:
        done, previewed = 0, time.monotonic()
        report("enhance", 0, count)
        for number, (_, pixels) in enumerate(clip):
            times_shown = shown.get(number, 0)
            if not times_shown:
                continue
            made = np.asarray(run_tiled(ready.worker, pixels), np.uint8)
            if not after:
                after.append(measure(made))
            if preview is not None and time.monotonic() - previewed >= PREVIEW_SECONDS:
                preview(made)
                previewed = time.monotonic()
            for _ in range(times_shown):
                yield made
                done += 1
                report("enhance", done, count)

    sealed = seal(Clip(frames(), clip.rate, request.path if clip.has_sound else None, count))
    from ml.weights import weights_version

    scale = ready.worker.scale
    return EnhancedVideo(
        sealed, ready.name, ready.label, ready.origin, ready.strength, count, told.width * scale, told.height * scale,
        clip.has_sound, measure(judged.first), after[0], told.sha256, source_type_of(request.path), weights_version(),
        runtime.device_name(), time.perf_counter() - started,
    )  # fmt: skip


def source_type_of(path: Path) -> str:
    """What an enhanced copy of this video says that it is."""
    from ml.provenance.source_type import GENERATED
    from ml.provenance.video_metadata import video_boxes
    from ml.provenance.xmp import read_xmp
    from ml.restore.writing import ENHANCED

    if video_header.confirm(path) != video_header.ISO:
        return ENHANCED
    with path.open("rb") as file:
        packet, _ = video_boxes(file, path.stat().st_size)
    said = read_xmp(packet).source_type
    return said.code if said is not None and said.code in GENERATED else ENHANCED


class _Judged:
    """What the first reading remembers: the first frame, and when each frame is shown."""

    def __init__(self) -> None:
        self.first: NDArray[np.uint8] | None = None
        self.times: list[float] = []

    def watch(self, frame: av.VideoFrame, seconds: float, quarter_turns: int) -> None:
        if self.first is None:
            self.first = upright(frame)
        self.times.append(seconds)


def _method(request: VideoRequest) -> str:
    """The method's name. Raises MediaError when it takes no videos."""
    known = [each.name for each in methods.METHODS if each.task == request.task and each.clips]
    known = [name for name in known if name in methods.names(request.task)]
    name = request.method or next(iter(known), None)
    if name is None or name not in known:
        several = ", ".join(known) or "none"
        raise MediaError(
            "unsupported_method",
            "Of the methods for %(task)s these take videos: %(names)s.",
            task=request.task.value,
            names=several,
        )
    return name


def _check(width: int, height: int, ready: Ready) -> None:
    scale = ready.worker.scale
    if width * height * scale * scale > MAX_FRAME_PIXELS:
        raise MediaError(
            "too_many_pixels",
            "The video would have frames of %(size)s px; at most %(limit).1f million pixels are made (3840 x 2160). "
            "Choose a smaller scale.",
            size=f"{width * scale} x {height * scale}",
            limit=MAX_FRAME_PIXELS / 1e6,
        )
