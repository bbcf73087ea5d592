"""What happens to pictures on their way: recompression, shrinking, blur, noise; done to the picture, not the crop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.faces import Square

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Degradation = Callable[[Pixels, Square, np.random.Generator], tuple[Pixels, Square]]


def _same(pixels: Pixels, square: Square, random: np.random.Generator) -> tuple[Pixels, Square]:
    return pixels, square


def _jpeg(quality: int) -> Degradation:
    def apply(pixels: Pixels, square: Square, random: np.random.Generator) -> tuple[Pixels, Square]:
        _, data = cv2.imencode(".jpg", pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[:, :, ::-1]), square

    return apply


def _down(factor: float) -> Degradation:
    def apply(pixels: Pixels, square: Square, random: np.random.Generator) -> tuple[Pixels, Square]:
        height, width = pixels.shape[:2]
        size = (max(1, round(width / factor)), max(1, round(height / factor)))
        small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
        x, y = size[0] / width, size[1] / height
        return small, Square(square.cx * x, square.cy * y, square.side * (x + y) / 2)

    return apply


def _blur(sigma: float) -> Degradation:
    def apply(pixels: Pixels, square: Square, random: np.random.Generator) -> tuple[Pixels, Square]:
        return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8), square

    return apply


def _noise(sigma: float) -> Degradation:
    def apply(pixels: Pixels, square: Square, random: np.random.Generator) -> tuple[Pixels, Square]:
        noise = random.standard_normal(pixels.shape, np.float32) * np.float32(sigma)
        return np.clip(pixels + noise, 0, 255).astype(np.uint8), square

    return apply


DEGRADATIONS: Mapping[str, Degradation] = {
    "none": _same,
    "jpeg 75": _jpeg(75),
    "jpeg 50": _jpeg(50),
    "jpeg 30": _jpeg(30),
    "down 1.5x": _down(1.5),
    "down 2x": _down(2.0),
    "blur 1": _blur(1.0),
    "blur 1.5": _blur(1.5),
    "noise 5": _noise(5.0),
}
"""By name; each takes (uint8 (H, W, 3), the face's square, a generator) and returns both anew. Blur and noise are
standard deviations in pixels and in grey levels of 255."""
