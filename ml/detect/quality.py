"""How good the evidence is: face size, sharpness, turn of the head, traces of compression. Facts, not scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.faces import Face

SHARPNESS_SIDE = 64
"""Side in pixels at which sharpness is measured: no larger than the smallest face that is judged, so that a small face
is not called blurred for having been enlarged."""

# Luminance table of ITU-T T.81 annex K, row by row, as Pillow hands tables out; encoders scale it by their quality.
_STANDARD_LUMINANCE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    dtype=np.float64,
).ravel()


def sharpness(crop: NDArray[np.uint8]) -> float:
    """Sharpness of a face crop, free of its contrast and size: 0 for a flat or wholly blurred one.

    crop: uint8 (S, S, 3) RGB, a face square. The variance of the Laplacian over the variance of the luminance, both at
    64 x 64 px; no unit; at most 64, about 20 for white noise, some tenths for a sharp face.
    """
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    method = cv2.INTER_AREA if min(grey.shape) >= SHARPNESS_SIDE else cv2.INTER_LINEAR
    grey = np.asarray(cv2.resize(grey, (SHARPNESS_SIDE, SHARPNESS_SIDE), interpolation=method), dtype=np.float32)
    spread = float(grey.var())
    if spread < 1.0:  # under one grey level: what is left is rounding
        return 0.0
    return float(cv2.Laplacian(grey, cv2.CV_32F).var()) / spread


def jpeg_quality(tables: tuple[tuple[int, ...], ...]) -> int | None:
    """The quality setting (1 to 100, as in libjpeg) that quantisation tables were most likely made with.

    tables: as in `Picture.jpeg_tables`, the first one for luminance; None when there is none. Cameras and some programs
    use tables of their own: for those it is the libjpeg quality of the same mean strength.
    """
    if not tables or len(tables[0]) != _STANDARD_LUMINANCE.size:
        return None
    table = np.array(tables[0], dtype=np.float64)
    # Entries at the ends of the range are clipped, and say nothing of the scale.
    free = (table > 1) & (table < 255)
    if not free.any():
        return 100 if table.max() <= 1 else 1
    scale = 100.0 * float(table[free].sum() / _STANDARD_LUMINANCE[free].sum())
    quality = (200.0 - scale) / 2.0 if scale <= 100.0 else 5000.0 / scale
    return int(np.clip(round(quality), 1, 100))


def describe(face: Face, crop: NDArray[np.uint8], tables: tuple[tuple[int, ...], ...]) -> dict[str, float | int | str]:
    """What is known about one face's evidence: face_px, sharpness, yaw, turn, and jpeg_quality where there is one."""
    facts: dict[str, float | int | str] = {
        "face_px": round(face.size),
        "sharpness": round(sharpness(crop), 4),
        "yaw": round(face.yaw, 1),
        "turn": turn(face.yaw),
    }
    quality = jpeg_quality(tables)
    if quality is not None:
        facts["jpeg_quality"] = quality
    return facts


def turn(yaw: float) -> str:
    """The turn of a head in words: "frontal" (under 20 degrees), "three-quarter" (under 45) or "profile"."""
    angle = abs(yaw)
    return "frontal" if angle < 20 else "three-quarter" if angle < 45 else "profile"
