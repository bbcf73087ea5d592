"""Faces as people have them: blurred, small, noisy and saved as JPEG, in that order, beside what they were.

The ranges are GFPGAN's and DFDNet's at 512 px (blur sigma .1-10, reduction .8-8, noise 0-20, JPEG 60-100); the blur is
that of a square of 128 px.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.restore.face_frame import SIDE
from ml.restore.resample import resample
from ml.training import natural
from ml.training.sharp_faces import MARGIN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.training.sharp_faces import SharpFaces

BLUR = (0.1, 2.5)
REDUCTION = (0.8, 8.0)
NOISE = (0.0, 20.0)
QUALITY = (60, 100)

_PORTRAITS = 0.4  # share of the synthetic portraits in a batch: they are few, and the sharpest
_WHOLE = 0.1  # share of faces that are not degraded at all, so that good ones are left alone
_TURN, _ZOOM, _MOVE, _MISSED = 6.0, 0.06, 3.0, 1.5  # degrees, share, pixels; pixels by which a part's place is wrong


@dataclass(frozen=True, slots=True)
class Fault:
    """blur: sigma in pixels of the square. reduction: how many times smaller. noise: sigma of 255. quality: of JPEG."""

    blur: float
    reduction: float
    noise: float
    quality: int

    @classmethod
    def drawn(cls, random: np.random.Generator) -> Fault:
        """Any of the range; small reductions are as frequent as large ones."""
        low, high = np.log(REDUCTION)
        return cls(
            float(random.uniform(*BLUR)),
            float(np.exp(random.uniform(low, high))),
            float(random.uniform(*NOISE)),
            int(random.integers(QUALITY[0], QUALITY[1] + 1)),
        )


def small(picture: NDArray[np.float32], fault: Fault, random: np.random.Generator) -> NDArray[np.uint8]:
    """The degraded picture at its own, smaller size: float32 (H, W, 3) in [0, 1] -> uint8."""
    soft = natural.blurred(picture, fault.blur)
    size = [max(8, round(extent / fault.reduction)) for extent in picture.shape[:2]]
    reduced = np.asarray(cv2.resize(soft, (size[1], size[0]), interpolation=cv2.INTER_AREA), np.float32)
    if fault.reduction < 1:
        reduced = np.asarray(cv2.resize(soft, (size[1], size[0]), interpolation=cv2.INTER_LINEAR), np.float32)
    made = natural.jpeg(natural.noisy(reduced, fault.noise, random), fault.quality)
    return np.asarray(np.clip(np.rint(made * 255), 0, 255), np.uint8)


def enlarged(picture: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    """Bicubic, back to the square: uint8 -> float32 (side, side, 3) in [0, 1]."""
    return np.clip(resample(picture, side, side), 0, 255).astype(np.float32) / np.float32(255)


@dataclass(frozen=True, slots=True)
class DegradedFaces:
    """Batches for the face restorer.

    ``at(step)`` gives (float32 (N, 128, 128, 3) degraded, centres (N, 4, 2)), and the clean (N, 128, 128, 3), in [0,
    1], the same for the same step and seed. Squares are moved, turned and mirrored; centres are a little wrong, as
    they are in a picture in which the mesh is hard to find.
    """

    faces: SharpFaces
    batch: int
    seed: int

    def at(self, step: int) -> tuple[tuple[NDArray[np.float32], ...], NDArray[np.float32]]:
        """The batch of one step."""
        random = np.random.default_rng((self.seed, step))
        portraits, others = np.flatnonzero(self.faces.portrait), np.flatnonzero(~self.faces.portrait)
        worse, centres, truths = [], [], []
        for _ in range(self.batch):
            synthetic = len(portraits) and (not len(others) or random.random() < _PORTRAITS)
            index = int(random.choice(portraits if synthetic else others))
            truth, middle = _moved(self.faces.crops[index], self.faces.centres[index], random)
            fault = Fault.drawn(random)
            whole = random.random() < _WHOLE
            worse.append(truth if whole else enlarged(small(truth, fault, random), SIDE))
            truths.append(truth)
            centres.append(middle + random.normal(0, _MISSED, middle.shape))
        return (np.stack(worse), np.stack(centres).astype(np.float32)), np.stack(truths)


def _moved(
    crop: NDArray[np.uint8], centres: NDArray[np.float32], random: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A square of the crop, moved, turned, zoomed and by chance mirrored, and where the parts lie in it."""
    middle = (SIDE + 2 * MARGIN - 1) / 2
    turn, zoom = random.uniform(-_TURN, _TURN), 1 + random.uniform(-_ZOOM, _ZOOM)
    matrix = np.asarray(cv2.getRotationMatrix2D((middle, middle), turn, zoom), np.float64)
    matrix[:, 2] += random.uniform(-_MOVE, _MOVE, 2) - MARGIN
    square = cv2.warpAffine(crop, matrix, (SIDE, SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    points = centres @ matrix[:, :2].T + matrix[:, 2]
    if random.integers(2):
        square = square[:, ::-1]
        points = points[[1, 0, 2, 3]]  # what was the left eye is the right one
        points[:, 0] = SIDE - 1 - points[:, 0]
    light = random.uniform(0.85, 1.15)
    values = np.clip(square.astype(np.float32) * np.float32(light / 255), 0, 1)
    return np.ascontiguousarray(values), points.astype(np.float32)
