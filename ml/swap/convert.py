"""A whole conversion: a picture or clip in, its face painted as the identity's out, through the caller's seal."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import cv2
import numpy as np

from ml import runtime
from ml.errors import MediaError
from ml.faces import FaceFinder
from ml.media import decode, header, video
from ml.provenance import visible_mark
from ml.provenance.sealing import Clip, Still
from ml.sentences import N_
from ml.swap.clip_frames import ClipFrames, evenly, upright
from ml.swap.identity import Identity
from ml.swap.swapper import Before, ConversionSettings, Swapper
from ml.swap.tracking import Track, choose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import av
    from numpy.typing import NDArray

    Report = Callable[[str, int, int], None]
    Preview = Callable[[NDArray[np.uint8]], None]

SealedT = TypeVar("SealedT")

FIND_SIDE = 640
"""Longest side in pixels at which the face of a clip is looked for: up to it the finder needs one look a frame."""

PREVIEW_SECONDS = 2.0
PREVIEW_SIDE = 320

_NO_FACE_IN_PICTURE = N_(
    "No face was found in the picture. Choose one in which the face is seen from the front, in good light, and not "
    "small."
)
_NO_FACE_IN_VIDEO = N_(
    "No face was found in the video. Choose one in which the face is seen from the front, in good light, and not small."
)


@dataclass(frozen=True, slots=True)
class SwapRequest:
    """target: picture (JPEG, PNG, WEBP) or clip (MP4, MOV, WebM, Matroska). identity: a file of ``ml.swap.identity``.

    work: a folder in which a clip's faces are kept once they are found, so that the same request goes on from there
    after an interruption; it belongs to this one request. site: the name in the band of previews.
    """

    target: Path
    identity: Path
    settings: ConversionSettings = field(default_factory=ConversionSettings)
    work: Path | None = None
    site: str = "Unmask"
    limits: video.VideoLimits = field(default_factory=video.VideoLimits)


@dataclass(frozen=True, slots=True, eq=False)
class SwapResult(Generic[SealedT]):
    """What the seal made of it. frames: pictures read; swapped: those in which the face was found and painted."""

    sealed: SealedT
    frames: int
    swapped: int
    device: str
    timings: dict[str, float] = field(default_factory=dict)


def run(
    request: SwapRequest,
    report: Report,
    seal: Callable[[Still | Clip], SealedT],
    preview: Preview | None = None,
) -> SwapResult[SealedT]:
    """Swap the face of one picture or clip.

    ``seal`` is given the painted picture, or the clip whose frames are painted as they are taken; it marks, writes and
    signs, and is the only way out: nothing is written here. Stages told to ``report``, which may raise to stop: decode,
    faces, swap. ``preview`` is given a small picture with the visible mark every two seconds.

    Raises MediaError for a file that cannot be read or has no face, IdentityError for a file that is no identity, and
    whatever ``seal`` raises.
    """
    swapper = swapper_of(request.identity)
    with FaceFinder() as finder:
        if _is_picture(request.target):
            return _swap_picture(request, swapper, finder, report, seal)
        return _swap_clip(request, swapper, finder, report, seal, preview)


@lru_cache(maxsize=2)
def _kept(path: Path, changed: int) -> Swapper:
    identity = Identity.load(path)
    return Swapper(identity.network(), own=identity.own)


def swapper_of(path: Path) -> Swapper:
    """The identity of a file, ready to paint; the last two are kept warm."""
    try:
        changed = path.stat().st_mtime_ns
    except OSError as error:
        from ml.swap.identity import IdentityError

        raise IdentityError(f"{path.name} holds no identity") from error
    return _kept(path.resolve(), changed)


def _is_picture(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return header.sniff(file.read(64)) is not None
    except OSError:
        return True  # the decoder of pictures says what is wrong


def _swap_picture(
    request: SwapRequest,
    swapper: Swapper,
    finder: FaceFinder,
    report: Report,
    seal: Callable[[Still | Clip], SealedT],
) -> SwapResult[SealedT]:
    clock = _Clock()
    report("decode", 0, 1)
    pixels = decode(request.target).pixels
    report("faces", 0, 1)
    clock.passed("decode")
    height, width = pixels.shape[:2]
    face = choose(finder.find(pixels), request.settings.face, width, height)
    if face is None:
        raise MediaError("no_face", _NO_FACE_IN_PICTURE)
    clock.passed("faces")
    report("swap", 0, 1)
    painted = swapper.swap(pixels, face.landmarks, request.settings, finder)
    clock.passed("swap")
    sealed = seal(Still(painted))
    clock.passed("seal")
    report("swap", 1, 1)
    return SwapResult(sealed, 1, 1, runtime.device_name(), clock.timings)


def _swap_clip(
    request: SwapRequest,
    swapper: Swapper,
    finder: FaceFinder,
    report: Report,
    seal: Callable[[Still | Clip], SealedT],
    preview: Preview | None,
) -> SwapResult[SealedT]:
    clock = _Clock()
    track, times = _followed(request, finder, report)
    if not track.found:
        raise MediaError("no_face", _NO_FACE_IN_VIDEO)
    clock.passed("faces")
    clip = ClipFrames(request.target)
    shown = dict(evenly(times, clip.rate))
    meshes = track.smoothed(request.settings.smoothing)
    count = sum(shown.values())
    swapped = 0

    def frames() -> Iterator[NDArray[np.uint8]]:
        nonlocal swapped
        done, previewed = 0, 0.0
        before = Before()
        for number, (_, pixels) in enumerate(clip):
            times_shown = shown.get(number, 0)
            if not times_shown:
                continue
            report("swap", done, count)
            mesh = meshes[number]
            if mesh is None:
                painted, before = pixels, Before()
            else:
                painted = swapper.swap(pixels, mesh, request.settings, finder, before)
            swapped += mesh is not None
            if preview is not None and time.monotonic() - previewed >= PREVIEW_SECONDS:
                preview(visible_mark.burn(_preview_size(painted), request.site))
                previewed = time.monotonic()
            for _ in range(times_shown):
                done += 1
                yield painted
        report("swap", count, count)

    sealed = seal(Clip(frames(), clip.rate, request.target if clip.has_sound else None, count))
    clock.passed("swap")
    return SwapResult(sealed, len(times), swapped, runtime.device_name(), clock.timings)


def _followed(request: SwapRequest, finder: FaceFinder, report: Report) -> tuple[Track, list[float]]:
    """The face in every frame, and the frames' times; taken up from the work folder where they are there."""
    kept = None if request.work is None else request.work / "track.npz"
    if kept is not None and kept.is_file():
        try:
            track = Track.load(kept)
            with np.load(kept.with_name("times.npz"), allow_pickle=False) as held:
                times = [float(value) for value in held["times"]]
            if track.choice is request.settings.face and len(times) == len(track.meshes):
                return track, times
        except (OSError, ValueError, KeyError):
            pass  # half of an earlier attempt: looked for again
    track, times = Track(request.settings.face), []

    def watch(frame: av.VideoFrame, seconds: float, quarter_turns: int) -> None:
        pixels = upright(frame)
        height, width = pixels.shape[:2]
        small = _small(pixels, FIND_SIDE)
        faces = [_enlarged(face, width / small.shape[1]) for face in finder.find(small, 8)]
        track.add(faces, width, height)
        times.append(seconds)

    def told(stage: str, done: int, total: int) -> None:
        report("faces", done, total)

    video.read(request.target, told, limits=request.limits, samples=2, scenes=0, watch=watch)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        fresh = kept.with_name("times.part.npz")
        np.savez(fresh, times=np.asarray(times))
        fresh.replace(kept.with_name("times.npz"))
        track.save(kept)
    return track, times


def _small(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    factor = side / max(height, width)
    if factor >= 1:
        return pixels
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _preview_size(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    small = _small(pixels, PREVIEW_SIDE)
    missing = visible_mark.SHORTEST_SIDE - min(small.shape[:2])
    if missing <= 0:
        return small
    return np.asarray(cv2.copyMakeBorder(small, 0, missing, 0, missing, cv2.BORDER_REPLICATE), np.uint8)


def _enlarged(face: Any, factor: float) -> Any:
    from dataclasses import replace

    if factor == 1:
        return face
    x0, y0, x1, y1 = face.box
    points = (face.landmarks + 0.5) * factor - 0.5
    return replace(
        face, box=(x0 * factor, y0 * factor, x1 * factor, y1 * factor), landmarks=np.asarray(points, np.float32)
    )


class _Clock:
    def __init__(self) -> None:
        self.timings: dict[str, float] = {}
        self._last = time.perf_counter()

    def passed(self, stage: str) -> None:
        now = time.perf_counter()
        self.timings[stage] = round(now - self._last, 4)
        self._last = now
