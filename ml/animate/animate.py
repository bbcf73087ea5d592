"""A whole animation: a portrait and a driver in, a moving picture out, through the caller's seal."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, Generic, TypeVar

import cv2
import numpy as np

from ml import runtime
from ml.animate.settings import Caution, MotionSettings
from ml.errors import MediaError
from ml.faces import FaceFinder
from ml.media import decode, header, video
from ml.provenance import visible_mark
from ml.provenance.sealing import Clip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.animate.driving import Driving
    from ml.animate.looks import Looks
    from ml.animate.model import MotionModel, Portrait
    from ml.animate.restoring import Restoring
    from ml.animate.square import Square
    from ml.faces import Face
    from ml.networks.fomm.keypoints import Keypoints

    Report = Callable[[str, int, int], None]
    Preview = Callable[[NDArray[np.uint8]], None]

SealedT = TypeVar("SealedT")

PREVIEW_SECONDS = 2.0
PREVIEW_SIDE = 320
POSE_GAP = 15.0
"""Degrees of yaw or pitch between portrait and start frame from which the result is warned about."""


@dataclass(frozen=True, slots=True)
class AnimateRequest:
    """portrait: picture (JPEG, PNG, WEBP). driver: a clip (MP4, MOV, WebM, Matroska), or else built_in: the slug of a
    motion of ``ml.animate.drivers``; just one of the two. model: None for the shipped network, or a checkpoint of the
    First Order Motion Model. work: a folder of this one request, in which what was found and made is kept, so that the
    same request goes on from there after an interruption. site: the name in the band of previews.
    """

    portrait: Path
    driver: Path | None = None
    built_in: str | None = None
    settings: MotionSettings = field(default_factory=MotionSettings)
    model: Path | None = None
    work: Path | None = None
    site: str = "Unmask"
    limits: video.VideoLimits = field(default_factory=video.VideoLimits)

    def __post_init__(self) -> None:
        if (self.driver is None) == (self.built_in is None):
            raise ValueError("a portrait is moved by a driving clip or by a built-in motion: one of them")


@dataclass(frozen=True, slots=True, eq=False)
class AnimateResult(Generic[SealedT]):
    """What the seal made of it. frames: of the result. start: number of the driver's frame that stands for the
    portrait. pose_gap: degrees between the two heads there (the larger of yaw and pitch). weights: what made it.
    """

    sealed: SealedT
    frames: int
    start: int
    pose_gap: float
    cautions: tuple[Caution, ...]
    weights: dict[str, str]
    device: str
    timings: dict[str, float] = field(default_factory=dict)


def run(
    request: AnimateRequest,
    report: Report,
    seal: Callable[[Clip], SealedT],
    preview: Preview | None = None,
) -> AnimateResult[SealedT]:
    """Animate one portrait.

    ``seal`` is given the clip, whose frames are made as they are taken; it marks, writes and signs, and is the only way
    out: nothing but the request's own work folder is written here. Stages told to ``report``, which may raise to stop:
    decode, faces, keypoints, animate. ``preview`` is given a small frame with the visible mark every two seconds.

    Raises MediaError for a file that cannot be read or has no face, CheckpointError for a model that is none,
    WeightsError where faces are to be restored and no restorer is shipped, and whatever ``seal`` raises.
    """
    clock = _Clock()
    report("decode", 0, 1)
    if request.built_in is not None:
        from ml.animate.drivers import built_in

        built_in(request.built_in)  # an unknown name must not wait for the networks to load
    pixels = _portrait_pixels(request)
    runtime.configure()
    from ml.animate.looks import Looks
    from ml.animate.model import model_of
    from ml.animate.motion import moved
    from ml.animate.restoring import restoring
    from ml.animate.restoring import weights as restorer
    from ml.animate.square import square_of

    model = model_of(request.model)
    weights = {**model.weights, **(restorer() if request.settings.restore_faces else {})}
    clock.passed("decode")
    with FaceFinder() as finder:
        face = _face_of(pixels, finder)
        square = square_of([face.box], pixels.shape[1], pixels.shape[0])
        portrait = model.portrait(square.cut(pixels, model.size))
        driving = _driving(request, face, square, model, portrait, finder, report)
    clock.passed("faces")
    settings = request.settings
    if request.built_in is not None:
        settings = replace(settings, smoothing=0.0)  # nothing trembles there, and a blink is over in four frames
    aim = moved(portrait.keypoints, driving.keypoints, driving.start, settings)
    looks = Looks(pixels, face, square, settings, model, portrait)
    count = len(driving.shown)

    def frames() -> Iterator[NDArray[np.uint8]]:
        previewed = 0.0
        with restoring(settings.restore_faces) as restore:
            for done, pixels in enumerate(_made(request, model, looks, aim, driving, restore)):
                report("animate", done, count)
                if preview is not None and time.monotonic() - previewed >= PREVIEW_SECONDS:
                    preview(visible_mark.burn(_preview_size(pixels), request.site))
                    previewed = time.monotonic()
                yield pixels
        report("animate", count, count)

    sealed = seal(Clip(frames(), driving.rate, driving.sound, count))
    clock.passed("animate")
    gap = max(abs(face.yaw - driving.pose[0]), abs(face.pitch - driving.pose[1]))
    return AnimateResult(
        sealed,
        count,
        driving.start,
        round(gap, 1),
        _cautions(driving, face, gap, model.size),
        weights,
        runtime.device_name(),
        clock.timings,
    )


def _portrait_pixels(request: AnimateRequest) -> NDArray[np.uint8]:
    with request.portrait.open("rb") as file:
        if header.sniff(file.read(64)) is None:
            raise MediaError("not_an_image", "The portrait is no picture. Choose a JPEG, PNG or WEBP picture.")
    return decode(request.portrait).pixels


def _face_of(pixels: NDArray[np.uint8], finder: FaceFinder) -> Face:
    from ml.animate.driving import NO_FACE_IN_PORTRAIT
    from ml.swap.tracking import FaceChoice, choose

    face = choose(finder.find(pixels), FaceChoice.LARGEST, pixels.shape[1], pixels.shape[0])
    if face is None:
        raise MediaError("no_face", NO_FACE_IN_PORTRAIT)
    return face


def _driving(
    request: AnimateRequest,
    face: Face,
    square: Square,
    model: MotionModel,
    portrait: Portrait,
    finder: FaceFinder,
    report: Report,
) -> Driving:
    from ml.animate import drivers, driving, lids

    if request.driver is not None:
        kept = None if request.work is None else request.work / "driving.npz"
        return driving.follow(
            request.driver,
            face,
            model,
            finder,
            report,
            start_anywhere=request.settings.best_start,
            limits=request.limits,
            kept=kept,
        )
    motion = drivers.built_in(str(request.built_in))
    report("keypoints", 0, motion.frames)
    keypoints = drivers.led(motion, face.landmarks, square, portrait.keypoints, by_places=request.model is None)
    report("keypoints", motion.frames, motion.frames)
    shown = tuple(range(motion.frames))
    levels = tuple(lids.level_of(pose.lids) for pose in motion.poses())
    return driving.Driving(keypoints, 0, (face.yaw, face.pitch), shown, Fraction(motion.fps), None, lids=levels)


def _made(
    request: AnimateRequest,
    model: MotionModel,
    looks: Looks,
    aim: Keypoints,
    driving: Driving,
    restore: Restoring | None,
) -> Iterator[NDArray[np.uint8]]:
    from ml.animate.batches import Batches
    from ml.animate.model import BATCH
    from ml.networks.fomm.keypoints import Keypoints

    kept = Batches(None if request.work is None else request.work / "made", (aim, looks.portrait.keypoints))
    shown = list(driving.shown)
    at = 0
    while at < len(shown):
        level = driving.lids[shown[at]] if driving.lids else 0
        numbers = shown[at : at + BATCH]
        if driving.lids:  # a batch is of one look
            numbers = list(takewhile(lambda number, level=level: driving.lids[number] == level, numbers))  # type: ignore[misc]
        wanted = sorted(set(numbers))
        portrait, stage = looks.of(level)
        made = kept.of(at, partial(model.make, portrait, Keypoints(aim.value[wanted], aim.jacobian[wanted])))
        frames = dict(zip(wanted, stage.shown(made, restore), strict=True))
        yield from (frames[number] for number in numbers)
        at += len(numbers)


def _cautions(driving: Driving, face: Face, gap: float, size: int) -> tuple[Caution, ...]:
    from ml.animate.square import SHARE

    found = list(driving.cautions)
    if gap > POSE_GAP:
        found.append(Caution.POSE_GAP)
    if face.size * SHARE < size:
        found.append(Caution.SMALL_FACE)
    return tuple(found)


def _preview_size(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    factor = min(1.0, PREVIEW_SIDE / max(height, width))
    to = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = np.asarray(cv2.resize(pixels, to, interpolation=cv2.INTER_AREA), np.uint8)
    missing = visible_mark.SHORTEST_SIDE - min(small.shape[:2])
    if missing <= 0:
        return small
    return np.asarray(cv2.copyMakeBorder(small, 0, missing, 0, missing, cv2.BORDER_REPLICATE), np.uint8)


class _Clock:
    def __init__(self) -> None:
        self.timings: dict[str, float] = {}
        self._last = time.perf_counter()

    def passed(self, stage: str) -> None:
        now = time.perf_counter()
        self.timings[stage] = round(now - self._last, 4)
        self._last = now
