"""Numbers about a picture: how sharp and noisy it is, and how near to a truth where one was given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.errors import MediaError
from ml.restore.fidelity import luma, psnr, ssim

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 2048
"""Longest side that is measured, at the picture's centre and in its own pixels; larger ones only take longer."""


@dataclass(frozen=True, slots=True)
class Measures:
    """sharpness: mean size of the Laplacian of Y, in grey levels. noise: sigma of white noise, in grey levels of 255.

    psnr (dB) and ssim: of Y against the truth; None where none was given, ssim also under 11 px a side. perceptual: how
    different the two look, 0 for the same (``ml.restore.perceptual``); None without a truth, and under 8 px a side.
    """

    sharpness: float
    noise: float
    psnr: float | None = None
    ssim: float | None = None
    perceptual: float | None = None


def measure(pixels: NDArray[np.uint8], truth: NDArray[np.uint8] | None = None, border: int = 0) -> Measures:
    """Measure uint8 (H, W, 3). ``border`` px on every side are left out of psnr and ssim.

    Raises MediaError when the truth has another size.
    """
    sharp, noise = sharpness(pixels), noise_sigma(pixels)
    if truth is None:
        return Measures(sharp, noise)
    if truth.shape != pixels.shape:
        wanted = f"{pixels.shape[1]} x {pixels.shape[0]}"
        raise MediaError("wrong_size", "The true picture must have the result's size, %(size)s px.", size=wanted)
    border = border if min(pixels.shape[:2]) > 2 * border else 0
    ours, theirs = luma(pixels), luma(truth)
    alike = ssim(ours, theirs, border) if min(pixels.shape[:2]) - 2 * border >= 11 else None
    return Measures(sharp, noise, psnr(ours, theirs, border), alike, _looks(pixels, truth))


def _looks(pixels: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float | None:
    from ml.restore.perceptual import distance
    from ml.weights import WeightsError

    try:
        return distance(pixels, truth)
    except WeightsError:  # the network that looks is not shipped
        return None


def sharpness(pixels: NDArray[np.uint8]) -> float:
    """Mean absolute Laplacian of Y: 0 for a flat picture; noise raises it too."""
    return float(np.abs(cv2.Laplacian(_luma(pixels), cv2.CV_32F)).mean())


def noise_sigma(pixels: NDArray[np.uint8]) -> float:
    """Sigma of white noise in Y, of 255: the median of the finest diagonal Haar coefficients (Donoho, 1995).

    Fine texture counts as noise in it, about one or two levels of a detailed photograph; clipped areas and JPEG take
    noise away from it. 0 for pictures under 8 px a side.
    """
    grey = _luma(pixels)
    height, width = (side // 2 * 2 for side in grey.shape)
    if min(height, width) < 8:
        return 0.0
    grey = grey[:height, :width]
    diagonal = (grey[::2, ::2] - grey[1::2, ::2] - grey[::2, 1::2] + grey[1::2, 1::2]) / 2
    # Y of white noise in R, G and B is weaker than each: by the length of its weights.
    return float(np.median(np.abs(diagonal)) / 0.6745 / np.sqrt(0.299**2 + 0.587**2 + 0.114**2))


def _luma(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    y, x = (max(0, (extent - SIDE) // 2) for extent in pixels.shape[:2])
    centre = np.ascontiguousarray(pixels[y : y + SIDE, x : x + SIDE])
    return np.asarray(centre.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32), np.float32)
