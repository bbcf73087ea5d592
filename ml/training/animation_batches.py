"""Pairs of pictures of one person for the motion model: the source, and the frame that it is to be moved to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.animate.places import LEFT_EYE, LIPS, RIGHT_EYE, keypoints_of, mirrored
from ml.swap.alignment import OVAL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_FACE, _TELLING = 2.0, 6.0  # what a pixel of the face, and of eyes and mouth, counts beside one of the surroundings
_ROTATION, _ZOOM, _SHIFT = 8.0, 0.12, 0.06
_AFTER_REAL = 0.8  # of the portraits: the untouched picture is what is wanted, the turned one the source


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """pixels uint8 (N, S, S, 3), meshes float32 (N, 478, 2), clips (N,) the number of each one's clip; names."""

    pixels: NDArray[np.uint8]
    meshes: NDArray[np.float32]
    clips: NDArray[np.int32]
    names: tuple[str, ...]

    @classmethod
    def load(cls, path: Path) -> Pictures:
        """Of a file of ml.training.animation_faces."""
        with np.load(path, allow_pickle=False) as held:
            return cls(held["pixels"], held["meshes"], held["clips"], tuple(map(str, held["names"])))


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """float32. source, driving (N, S, S, 3) in [0, 1]; weight (N, S, S, 1) of the driving frame's pixels; keypoints of
    both by their meshes: values (N, 10, 2), jacobians (N, 10, 2, 2).
    """

    source: NDArray[np.float32]
    driving: NDArray[np.float32]
    weight: NDArray[np.float32]
    source_value: NDArray[np.float32]
    source_jacobian: NDArray[np.float32]
    driving_value: NDArray[np.float32]
    driving_jacobian: NDArray[np.float32]


class PairBatches:
    """Draws pairs: people alike often, whatever the length of their clips; a share of them from turned portraits.

    The pairs of a step depend on the seed and its number alone, so that a run goes on as it would have.
    """

    def __init__(
        self,
        clips: Pictures,
        portraits: Pictures | None = None,
        *,
        batch: int = 8,
        share: float = 0.4,
        seed: int = 2019,
    ) -> None:
        self.clips, self.portraits, self.batch, self.seed = clips, portraits, batch, seed
        self.share = share if portraits is not None else 0.0
        people: dict[str, list[NDArray[np.int64]]] = {}
        for number, name in enumerate(clips.names):
            frames = np.flatnonzero(clips.clips == number)
            if len(frames) > 1:
                people.setdefault(name.partition("/")[0], []).append(frames)
        if not people:
            raise ValueError("no clip has two frames")
        self._people = list(people.values())

    def at(self, step: int) -> Pairs:
        """The pairs of one step."""
        random = np.random.default_rng((self.seed, step))
        chosen = [self._drawn(random) for _ in range(self.batch)]
        return pairs_of([_augmented(*pair, random) for pair in chosen])

    def _drawn(self, random: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        if self.portraits is not None and random.random() < self.share:
            first = 2 * int(random.integers(len(self.portraits.pixels) // 2))
            order = [first + 1, first] if random.random() < _AFTER_REAL else [first, first + 1]
            return self.portraits.pixels[order], self.portraits.meshes[order]
        clips = self._people[random.integers(len(self._people))]
        order = random.choice(clips[random.integers(len(clips))], 2, replace=False).tolist()
        return self.clips.pixels[order], self.clips.meshes[order]


def plain_pairs(pictures: Pictures, each: int, seed: int = 7) -> Pairs:
    """``each`` pairs of every clip, as they are: the first frame moved to frames evenly spread over the rest."""
    chosen = []
    for number in range(len(pictures.names)):
        frames = np.flatnonzero(pictures.clips == number)
        for at in np.linspace(0, len(frames) - 1, each + 1).round().astype(int)[1:]:
            order = [int(frames[0]), int(frames[at])]
            chosen.append((pictures.pixels[order], pictures.meshes[order]))
    return pairs_of(chosen)


def pairs_of(chosen: Sequence[tuple[NDArray[np.uint8], NDArray[np.float32]]]) -> Pairs:
    """Pairs of (pictures uint8 (2, S, S, 3), meshes (2, 478, 2)): source, driving."""
    pixels = np.stack([pair[0] for pair in chosen]).astype(np.float32) / 255
    meshes = np.stack([pair[1] for pair in chosen])
    side = pixels.shape[2]
    weight = np.stack([weights_of(pair[1][1], side) for pair in chosen])
    return Pairs(
        pixels[:, 0], pixels[:, 1], weight, *keypoints_of(meshes[:, 0], side), *keypoints_of(meshes[:, 1], side)
    )


def weights_of(mesh: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """How much each pixel counts, (side, side, 1): more in the face, most about eyes and mouth."""
    weight = np.ones((side, side), np.float32)
    for places, value in ((OVAL, _FACE), (RIGHT_EYE, _TELLING), (LEFT_EYE, _TELLING), (LIPS, _TELLING)):
        hull = cv2.convexHull(np.rint(mesh[list(places)]).astype(np.int32))
        mask = np.zeros((side, side), np.uint8)
        cv2.fillConvexPoly(mask, hull, (1,))
        if value == _TELLING:
            mask = np.asarray(cv2.dilate(mask, np.ones((5, 5), np.uint8)), np.uint8)
        weight[mask > 0] = value
    return weight[..., None]


def _augmented(
    pixels: NDArray[np.uint8], meshes: NDArray[np.float32], random: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Both pictures turned, moved, mirrored and coloured alike."""
    side = pixels.shape[1]
    centre = (side - 1) / 2.0
    zoom = float(np.exp(random.uniform(-_ZOOM, _ZOOM)))
    angle = float(random.uniform(-_ROTATION, _ROTATION))
    matrix = np.asarray(cv2.getRotationMatrix2D((centre, centre), angle, zoom), np.float64)
    matrix[:, 2] += random.uniform(-_SHIFT, _SHIFT, 2) * side
    table = _colour_table(random)
    flip = random.random() < 0.5
    made = []
    for picture in pixels:
        moved = cv2.warpAffine(picture, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        moved = np.asarray(cv2.LUT(moved, table), np.uint8)
        made.append(moved[:, ::-1] if flip else moved)
    points = np.asarray(meshes @ matrix[:, :2].T + matrix[:, 2], np.float32)
    return np.stack(made), mirrored(points, side) if flip else points


def _colour_table(random: np.random.Generator) -> NDArray[np.uint8]:
    levels = np.arange(256, dtype=np.float64)[:, None] / 255
    gamma = np.exp(random.normal(0, 0.15))
    gain = np.exp(random.normal(0, 0.08) + random.normal(0, 0.04, 3))
    return np.asarray(np.clip(np.rint(levels**gamma * gain * 255), 0, 255), np.uint8)[None]
