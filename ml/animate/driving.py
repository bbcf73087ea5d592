"""What a driving clip tells: the square of its face, its keypoints frame by frame, and where to start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.animate import lids
from ml.animate.batches import UNREADABLE
from ml.animate.model import BATCH
from ml.animate.motion import best_start
from ml.animate.settings import Caution
from ml.animate.square import Square, square_of
from ml.errors import MediaError
from ml.media import video
from ml.networks.fomm.keypoints import Keypoints
from ml.sentences import N_
from ml.swap.clip_frames import ClipFrames, evenly, upright
from ml.swap.tracking import FaceChoice, choose

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction
    from pathlib import Path

    import av
    from numpy.typing import NDArray

    from ml.animate.model import MotionModel
    from ml.faces import Face, FaceFinder

    Report = Callable[[str, int, int], None]

LOOK_SIDE = 640
"""Longest side in pixels at which faces are looked for: up to it the finder needs one look a frame."""

LOOK_EVERY = 3
"""The face is looked for in every third frame: the square stands still, and the network sees all of them."""

NO_FACE_IN_PORTRAIT = N_(
    "No face was found in the portrait. Choose one in which the face is seen from the front, in good light, and not "
    "small."
)
NO_FACE_IN_VIDEO = N_(
    "No face was found in the video. Choose one in which the face is seen from the front, in good light, and not small."
)

_LEAST_FOUND = 0.5  # of the frames that are looked at


@dataclass(frozen=True, slots=True, eq=False)
class Driving:
    """keypoints: of T frames. start: which of them is most like the portrait. pose: yaw and pitch of the head there, in
    degrees. shown: for frame after frame of the result, which of the T it is. sound: the file whose sound is kept.
    lids: for each of the T how far the portrait's own lids are shut, by ``ml.animate.lids``; empty where they stay.
    """

    keypoints: Keypoints
    start: int
    pose: tuple[float, float]
    shown: tuple[int, ...]
    rate: Fraction
    sound: Path | None
    cautions: tuple[Caution, ...] = ()
    lids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    times: list[float]
    boxes: NDArray[np.float64]
    meshes: dict[int, NDArray[np.float32]]
    poses: dict[int, tuple[float, float]]
    looked: int
    size: tuple[int, int]


def follow(
    path: Path,
    portrait: Face,
    model: MotionModel,
    finder: FaceFinder,
    report: Report,
    *,
    start_anywhere: bool = True,
    limits: video.VideoLimits | None = None,
    kept: Path | None = None,
) -> Driving:
    """Look at a clip. ``kept``: a file of this clip and model, from which and to which what is found is taken.

    Stages told to ``report``: faces, keypoints. Raises MediaError where the clip cannot be read or shows no face.
    """
    seen = _looked(path, finder, report, limits or video.VideoLimits())
    if not seen.meshes:
        raise MediaError("no_face", NO_FACE_IN_VIDEO)
    width, height = seen.size
    square = square_of([tuple(box) for box in seen.boxes], width, height)
    keypoints = _restored(kept, len(seen.times), square)
    clip = ClipFrames(path)
    if keypoints is None:
        keypoints = _found(clip, square, model, report, len(seen.times))
        _keep(kept, keypoints, square)
    frames = sorted(seen.meshes)
    start = frames[best_start(portrait.landmarks, [seen.meshes[at] for at in frames])] if start_anywhere else 0
    nearest = min(frames, key=lambda at: abs(at - start))
    times = seen.times[: len(keypoints.value)]
    shown = tuple(number for number, again in evenly(times, clip.rate) for _ in range(again))
    return Driving(
        keypoints,
        min(start, len(keypoints.value) - 1),
        seen.poses[nearest],
        shown,
        clip.rate,
        path if clip.has_sound else None,
        _cautions(seen, square),
        lids.followed(seen.meshes, start, len(keypoints.value)),
    )


def _looked(path: Path, finder: FaceFinder, report: Report, limits: video.VideoLimits) -> _Seen:
    seen = _Seen([], np.zeros((0, 4)), {}, {}, 0, (0, 0))
    boxes: list[tuple[float, ...]] = []
    last: Face | None = None
    looked, size = 0, (0, 0)

    def watch(frame: av.VideoFrame, seconds: float, quarter_turns: int) -> None:
        nonlocal last, looked, size
        number = len(seen.times)
        seen.times.append(seconds)
        if number % LOOK_EVERY:
            return
        pixels = upright(frame)
        height, width = pixels.shape[:2]
        factor = min(1.0, LOOK_SIDE / max(height, width))
        small = pixels
        if factor < 1:
            to = (max(1, round(width * factor)), max(1, round(height * factor)))
            small = np.asarray(cv2.resize(pixels, to, interpolation=cv2.INTER_AREA), np.uint8)
        looked, size = looked + 1, (width, height)
        face = _same(finder.find(small, 8), last, small.shape[1], small.shape[0])
        if face is None:
            return
        last = face
        boxes.append(tuple(side / factor for side in face.box))
        seen.meshes[number] = np.asarray((face.landmarks + 0.5) / factor - 0.5, np.float32)
        seen.poses[number] = (face.yaw, face.pitch)

    video.read(
        path, lambda _, done, total: report("faces", done, total), limits=limits, samples=2, scenes=0, watch=watch
    )
    return _Seen(seen.times, np.asarray(boxes).reshape(-1, 4), seen.meshes, seen.poses, looked, size)


def _same(faces: list[Face], last: Face | None, width: int, height: int) -> Face | None:
    """The face that is followed: the largest at first, then the one nearest to where it was."""
    if last is None:
        return choose(faces, FaceChoice.LARGEST, width, height)

    def away(face: Face) -> float:
        return float(np.hypot(*(np.add(face.box[:2], face.box[2:]) - np.add(last.box[:2], last.box[2:])) / 2))

    nearest = min(faces, key=away, default=None)
    return None if nearest is None or away(nearest) > 0.8 * last.size else nearest


def _found(clip: ClipFrames, square: Square, model: MotionModel, report: Report, count: int) -> Keypoints:
    parts: list[Keypoints] = []
    batch: list[NDArray[np.uint8]] = []
    done = 0
    report("keypoints", 0, count)
    for _, pixels in clip:
        batch.append(square.cut(pixels, model.size))
        if len(batch) == 2 * BATCH:
            parts.append(model.keypoints(np.stack(batch)))
            done += len(batch)
            batch = []
            report("keypoints", min(done, count), count)
    if batch:
        parts.append(model.keypoints(np.stack(batch)))
    report("keypoints", count, count)
    return Keypoints(np.concatenate([p.value for p in parts]), np.concatenate([p.jacobian for p in parts]))


def _cautions(seen: _Seen, square: Square) -> tuple[Caution, ...]:
    found = []
    if len(seen.meshes) < seen.looked:
        found.append(Caution.FACE_LOST)
    x0, y0, x1, y1 = seen.boxes.T
    outside = (x0 < square.left) | (y0 < square.top)
    outside |= (x1 > square.left + square.side) | (y1 > square.top + square.side)
    if outside.any():
        found.append(Caution.LEAVES_SQUARE)
    if len(seen.meshes) < _LEAST_FOUND * seen.looked:
        raise MediaError(
            "no_face", "The face is lost in more than half of the video. Choose one in which it is seen throughout."
        )
    return tuple(found)


def _keep(path: Path | None, keypoints: Keypoints, square: Square) -> None:
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".part.npz")
    at = np.array([square.left, square.top, square.side])
    np.savez(fresh, value=keypoints.value, jacobian=keypoints.jacobian, square=at)
    fresh.replace(path)  # whole or not at all


def _restored(path: Path | None, count: int, square: Square) -> Keypoints | None:
    if path is None or not path.is_file():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            keypoints = Keypoints(held["value"], held["jacobian"])
            same = held["square"].tolist() == [square.left, square.top, square.side]
    except UNREADABLE:
        return None  # half of an earlier attempt: found again
    return keypoints if same and 0 < len(keypoints.value) <= count else None
