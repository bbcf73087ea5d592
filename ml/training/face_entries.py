"""The entries of the face restorer's dictionaries: K-means among the features of many sharp faces' parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from ml.restore.face_frame import SIDE
from ml.training.sharp_faces import MARGIN

if TYPE_CHECKING:
    import keras
    from numpy.typing import NDArray

    from ml.networks.face_restorer import FaceRestorerConfig
    from ml.training.sharp_faces import SharpFaces

_BATCH = 16
_ROUNDS = 25


def part_features(
    encoder: keras.Model, config: FaceRestorerConfig, faces: SharpFaces
) -> list[list[NDArray[np.float32]]]:
    """For each scale and part the features (2N, side, side, C) of the faces and of their mirror images.

    Each channel of each crop has mean 0 and deviation 1, as entries have: what remains is the shape.
    """
    from ml.networks.dfdnet import PARTS
    from ml.networks.face_restorer import STRIDES, Window

    found: list[list[list[NDArray[np.float32]]]] = [[[] for _ in PARTS] for _ in STRIDES]
    for start in range(0, len(faces.crops), _BATCH):
        plain = faces.crops[start : start + _BATCH, MARGIN:-MARGIN, MARGIN:-MARGIN].astype(np.float32) / 255
        centres = faces.centres[start : start + _BATCH] - MARGIN
        mirrored = centres[:, [1, 0, 2, 3]].copy()
        mirrored[..., 0] = SIDE - 1 - mirrored[..., 0]
        for pixels, places in ((plain, centres), (plain[:, :, ::-1], mirrored)):
            taps = encoder(np.ascontiguousarray(pixels))
            for index, stride in enumerate(STRIDES):
                tap = np.asarray(taps[index], np.float32)
                for part in range(len(PARTS)):
                    window = Window(config.part_sides[part] // stride, config.side // stride, stride, part)
                    rows, columns = (np.asarray(each) for each in window(places))
                    crop = np.einsum("nih,nhwc,njw->nijc", rows, tap, columns, optimize=True)
                    found[index][part].append(_normal(crop))
    return [[np.concatenate(crops) for crops in parts] for parts in found]


def centres_of(features: NDArray[np.float32], count: int, seed: int) -> NDArray[np.float32]:
    """K-means++ centres (count, side, side, C) of (N, side, side, C); raises ValueError for fewer faces than that."""
    if len(features) < count:
        raise ValueError(f"{count} entries need at least as many faces, not {len(features)}")
    cv2.setRNGSeed(seed)
    flat = np.ascontiguousarray(features.reshape(len(features), -1))
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, _ROUNDS, 1e-3)
    labels: Any = np.zeros((len(flat), 1), np.int32)
    _, _, centres = cv2.kmeans(flat, count, labels, stop, 1, cv2.KMEANS_PP_CENTERS)
    return np.asarray(centres, np.float32).reshape(count, *features.shape[1:])


def _normal(crop: NDArray[np.float32]) -> NDArray[np.float32]:
    mean = crop.mean(axis=(1, 2), keepdims=True)
    return np.asarray((crop - mean) / np.sqrt(np.square(crop - mean).mean(axis=(1, 2), keepdims=True) + 1e-5))
