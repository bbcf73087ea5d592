"""Wholly generated faces against real ones, as they are and after both were made alike in size and sharpness.

Generated portraits are larger and cleaner than photographs of people: a detector of that would look like one of
generators. So every portrait is also brought to the face size of some real, saved as often, and blurred until it is no
sharper than that real; what sharpness alone would reach stands beside the detectors.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from ml.detect.crops import SHOWN, cut_squares
from ml.detect.quality import sharpness
from ml.evaluate import metrics
from ml.faces import Square, cut
from ml.training.augment import jpeg

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from ml.detect.predictor import Predictor
    from ml.evaluate.subjects import Subject

    Fused = Callable[[Mapping[str, NDArray[np.float64]]], Mapping[str, NDArray[np.float64]]]

REALS = 240
"""Real faces that the portraits are held against."""

SAVED = (75, 91)
"""JPEG qualities that a reduced portrait is saved at: once as the photographs were, once as the crops of them."""

SHARPNESS = "sharpness"
"""The name under which sharpness alone is measured, as if it were a detector."""

_SIGMAS = (0.0, 0.4, 0.6, 0.8, 1.0, 1.3, 1.6, 2.0)


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """The rows for the file, and by title the labels and scores of the curves (matched faces)."""

    rows: list[dict[str, Any]]
    curves: dict[str, tuple[NDArray[np.int_], NDArray[np.float64]]]


def measure(
    portraits: Sequence[Subject],
    reals: Sequence[Subject],
    predictor: Predictor,
    fused: Fused,
    thresholds: Mapping[str, float],
    titles: Mapping[str, str],
) -> Measured:
    """Portraits against real faces, by every detector; `fused` as in ``ml.evaluate.blends``."""
    reals = sorted(reals, key=lambda s: zlib.crc32(s.row.name.encode()))[:REALS]
    if not portraits or not reals:
        return Measured([], {})
    rows: list[dict[str, Any]] = []
    curves: dict[str, tuple[NDArray[np.int_], NDArray[np.float64]]] = {}
    like = [matched(portrait, reals[number % len(reals)]) for number, portrait in enumerate(portraits)]
    once = [_saved(real) for real in reals]
    for protocol, ours, theirs in (("as they are", portraits, reals), ("alike in size and sharpness", like, once)):
        faces = [*ours, *theirs]
        labels = np.array([1] * len(ours) + [0] * len(theirs))
        told = dict(fused(_logits(faces, predictor)))
        told[SHARPNESS] = np.array([sharpness(cut(s.pixels, s.square)) for s in faces])
        for detector, values in told.items():
            low, high = metrics.auc_interval(labels, values, [s.row.group for s in faces])
            row = {
                "detector": detector,
                "protocol": protocol,
                "faces": len(ours),
                "reals": len(theirs),
                "auc": round(metrics.auc(labels, values), 4),
                "auc_low": round(low, 4),
                "auc_high": round(high, 4),
            }
            if detector in thresholds:
                said = values >= thresholds[detector]
                row |= {
                    "tpr": round(float(said[labels == 1].mean()), 4),
                    "fpr": round(float(said[labels == 0].mean()), 4),
                }
            rows.append(row)
            if theirs is once:
                curves[titles.get(detector, detector)] = (labels, values)
    return Measured(rows, curves)


def matched(portrait: Subject, real: Subject) -> Subject:
    """The portrait with the real's face size, saved as often, and no sharper than it."""
    factor = min(1.0, real.square.side / portrait.square.side)
    height, width = portrait.pixels.shape[:2]
    size = (max(16, round(width * factor)), max(16, round(height * factor)))
    small = np.asarray(cv2.resize(portrait.pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    x, y = size[0] / width, size[1] / height
    square = Square(portrait.square.cx * x, portrait.square.cy * y, portrait.square.side * (x + y) / 2)
    wanted = sharpness(cut(real.pixels, real.square))
    made = small
    for sigma in _SIGMAS:
        blurred = small if sigma == 0 else np.asarray(cv2.GaussianBlur(small, (0, 0), sigma), np.uint8)
        made = jpeg(jpeg(blurred, SAVED[0]), SAVED[1])
        if sharpness(cut(made, square)) <= wanted:
            break
    return replace(portrait, pixels=made, square=square, face_px=portrait.face_px * factor, landmarks=None)


def _saved(real: Subject) -> Subject:
    return replace(real, pixels=jpeg(real.pixels, SAVED[1]))


def _logits(faces: Sequence[Subject], predictor: Predictor) -> dict[str, NDArray[np.float64]]:
    parts = []
    for start in range(0, len(faces), 32):
        crops = cut_squares([(s.pixels, s.square) for s in faces[start : start + 32]], (*predictor.views, SHOWN))
        parts.append((predictor.look(crops).logits + predictor.look(crops.mirrored()).logits) / 2)
    table = np.concatenate(parts).astype(np.float64)
    return {name: table[:, column] for column, name in enumerate(predictor.names)}
