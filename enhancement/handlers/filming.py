"""The networks' side of enhancing a video: one method, frame by frame, its rate, rotation and sound kept."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from enhancement.exchange import DetectorJobFigure, EnhanceJobResult, MethodJobResult
from jobs.errors import PersonError
from jobs.sentences import N_

from .enhancing import after_decoding, blocked, looks_made_here, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from enhancement.exchange import ClipLimits, EnhanceJobRequest, SealedPicture
    from ml.detect.video_result import VideoResult
    from ml.media.video import VideoLimits
    from ml.provenance.sealing import Clip
    from ml.restore.video import EnhancedVideo

    Report = Callable[[str, int, int], None]

SAMPLES: Final = 12
"""Frames that the detectors look at, before and after: enough to see where the score goes."""
LARGEST: Final = 400 * 1024 * 1024  # bytes of a result; more than that is nothing to watch in a browser
RESULT_PIXELS: Final = 3840 * 2160


@dataclass(frozen=True, slots=True)
class _Film:
    """What was filmed: the file, not signed yet, and its first frame as it went in."""

    mp4: bytes
    first: Image.Image


@dataclass(frozen=True, slots=True)
class _Made:
    """What the manifest tells of it."""

    method: str
    origin: str
    source_type: str


def enhance(request: EnhanceJobRequest, report: Report) -> EnhanceJobResult:
    """Enhance one video by one method, measure, sign and verify. Raises PersonError for what the person can mend."""
    from ml.errors import MediaError

    if request.clip is None:
        raise ValueError("a video comes with its limits")
    try:
        return _enhance(request, request.clip, report)
    except MediaError as error:
        raise PersonError(error.code, error.message) from error


def _enhance(request: EnhanceJobRequest, clip: ClipLimits, report: Report) -> EnhanceJobResult:
    from ml.media.video import VideoLimits
    from ml.restore.task import Task
    from ml.restore.video import VideoRequest, run

    started = time.perf_counter()
    report("decode", 0, 1)
    limits = VideoLimits(clip.max_bytes, clip.max_seconds, clip.max_pixels, clip.max_frames)
    checked = _checked(request.path, limits)
    seen, mark, generated = _origin(request, checked, limits)
    report("decode", 1, 1)
    (name,) = request.methods
    # A method that may invent detail says so; none that takes videos does, so far.
    marked = generated or _may_invent(name, request.task)
    wanted = VideoRequest(request.path, Task(request.task), name, request.scale, request.strength, limits)
    with tempfile.TemporaryDirectory(dir=request.path.parent) as folder:
        path = Path(folder) / "result.mp4"
        made = run(wanted, after_decoding(report), lambda film: _filmed(film, path, request.mark if marked else ""))
        report("measure", 0, 1)
        if path.stat().st_size > LARGEST:
            raise PersonError("too_large", "The result would be larger than can be sent. Choose a smaller scale.")
        after = _figure(_checked(path, VideoLimits(LARGEST, 2 * clip.max_seconds, RESULT_PIXELS, clip.max_frames)))
        report("measure", 1, 1)
    before, size = _before(request.path)
    result, poster = _sealed(request, clip, made, generated, after, report)
    return EnhanceJobResult(
        results=(result,),
        width=size[0],
        height=size[1],
        before=plain(made.before),
        before_detector=_figure(checked),
        before_copy=before,
        before_size=size,
        poster=poster,
        perceptual_hash=seen,
        mark=mark,
        generated=generated,
        weights_version=made.weights_version,
        device=made.device,
        seconds=time.perf_counter() - started,
        before_type="video/mp4",
    )


def _checked(path: Path, limits: VideoLimits) -> VideoResult:
    from ml.detect import check, video
    from ml.detect.video_result import VideoRequest

    wanted = VideoRequest(path, explain=False, renders=False, samples=SAMPLES, scenes=4, limits=limits)
    return video.run(wanted, lambda stage, done, total: None, check.checker())


def _figure(found: VideoResult) -> DetectorJobFigure:
    return DetectorJobFigure(found.level.value, found.probability, len(found.people), found.reason_code)


def _origin(request: EnhanceJobRequest, found: VideoResult, limits: VideoLimits) -> tuple[str, str, bool]:
    """(looks, mark, generated) of the video, by some of its frames and by what it says; the looks are those of the
    first. Raises PersonError for one that was taken down."""
    from ml.provenance import invisible_mark
    from ml.provenance.perceptual_hash import perceptual_hash

    frames = _some(request.path, limits)
    looks = [perceptual_hash(pixels) for pixels in frames]
    for look in looks:
        blocked(request, look)
    mark = next((read for read in map(invisible_mark.read, frames) if read), "")
    says_so = bool(found.provenance.get("says_generated"))
    alike = any(looks_made_here(look, request.looks) for look in looks)
    return looks[0], mark, request.made_here or bool(mark) or says_so or alike


def _some(path: Path, limits: VideoLimits) -> list[NDArray[np.uint8]]:
    """The beginning, in which one frame bears the mark even where the very first was cut off, and others from all over
    it: whoever puts something else in front hides nothing."""
    from ml.media import video
    from ml.provenance.sealing import MARK_EVERY
    from ml.swap.clip_frames import ClipFrames

    frames = [pixels for _seconds, pixels in islice(ClipFrames(path), MARK_EVERY)]
    if not frames:
        raise PersonError("no_frames", "The video holds no frame at all. Save it again.")
    spread = video.read(path, lambda *_: None, limits=limits, samples=SAMPLES, scenes=4).samples
    return frames + [sample.pixels() for sample in spread[1:]]


def _may_invent(name: str, task: str) -> bool:
    from ml.restore.methods import METHODS

    return any(method.generative for method in METHODS if (method.name, method.task) == (name, task))


def _filmed(clip: Clip, path: Path, mark: str) -> _Film:
    """Write the frames; every so many of them carry the mark, where there is one."""
    from ml.provenance import invisible_mark
    from ml.provenance.filming import even, film
    from ml.provenance.sealing import MARK_EVERY

    def frames() -> Iterator[NDArray[np.uint8]]:
        for number, frame in enumerate(clip.frames):
            whole = even(frame)
            yield invisible_mark.write(whole, mark) if mark and number % MARK_EVERY == 0 else whole

    first = film(path, frames(), clip.rate, clip.audio)
    return _Film(path.read_bytes(), Image.fromarray(np.ascontiguousarray(first)))


def _before(path: Path) -> tuple[bytes, tuple[int, int]]:
    """A silent copy of what was sent, of the same length and rate, to lie under the result on the page."""
    from ml.provenance.filming import even, film
    from ml.swap.clip_frames import ClipFrames, evenly

    clip = ClipFrames(path)
    shown = dict(evenly([seconds for seconds, _pixels in clip], clip.rate))
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        copy = Path(folder) / "before.mp4"
        frames = (even(pixels) for number, (_, pixels) in enumerate(clip) for _ in range(shown.get(number, 0)))
        height, width = film(copy, frames, clip.rate).shape[:2]
        return copy.read_bytes(), (width, height)


def _sealed(
    request: EnhanceJobRequest,
    clip: ClipLimits,
    made: EnhancedVideo[_Film],
    generated: bool,
    detector: DetectorJobFigure,
    report: Report,
) -> tuple[MethodJobResult, SealedPicture]:
    from ml.provenance.plan import PARENT, Ingredient
    from ml.restore.writing import ENHANCED, INVENTED

    from .sealing import Seal, webp

    report("seal", 0, 1)
    invents = _may_invent(request.methods[0], request.task)
    says = made.source_type if made.source_type != ENHANCED else INVENTED if generated or invents else ENHANCED
    facts = _Made(made.method, made.origin, says)
    parent = Ingredient(PARENT, request.path.read_bytes(), clip.content_type)
    copy = webp(made.sealed.first, None)
    seal = Seal(request, parent, copy, made.weights_version)
    picture = seal.clip(made.sealed.mp4, made.sealed.first, facts, generated)
    poster = seal.still(made.sealed.first.copy(), facts, generated)
    report("seal", 1, 1)
    return MethodJobResult(
        method=request.methods[0],
        label=made.label,
        origin=made.origin,
        strength=made.strength,
        source_type=says,
        picture=picture,
        shown=None,
        measures=plain(made.after),
        detector=detector,
        seconds=made.seconds,
        notes=(N_("Sharpness and noise are those of the first frame."),),
    ), poster
