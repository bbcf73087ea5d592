"""How near a picture is to the truth: PSNR and SSIM, on RGB or on the Y channel of published tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_Y = np.array([65.481, 128.553, 24.966])


def luma(picture: NDArray[Any]) -> NDArray[np.float64]:
    """Y of ITU-R BT.601 in 16 to 235, as MATLAB's ``rgb2ycbcr``: RGB (H, W, 3) in 0 to 255 -> (H, W)."""
    return np.asarray(picture.astype(np.float64) @ _Y / 255.0 + 16.0, np.float64)


def psnr(one: NDArray[Any], other: NDArray[Any], border: int = 0) -> float:
    """Peak signal-to-noise ratio in dB of values in 0 to 255; ``border`` pixels on every side are left out."""
    a, b = _inner(one, border), _inner(other, border)
    error = float(np.mean((a - b) ** 2))
    return float("inf") if error == 0 else float(10 * np.log10(255.0**2 / error))


def ssim(one: NDArray[Any], other: NDArray[Any], border: int = 0) -> float:
    """Structural similarity (Wang et al. 2004) of values in 0 to 255: 11 x 11 Gaussian window, sigma 1.5.

    Only places whose whole window lies inside are counted. Raises ValueError for pictures under 11 px a side.
    """
    import cv2

    a, b = _inner(one, border), _inner(other, border)
    if min(a.shape[:2]) < 11:
        raise ValueError("SSIM needs pictures of at least 11 x 11 px")

    def blur(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5)[5:-5, 5:-5], np.float64)

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    ma, mb = blur(a), blur(b)
    va, vb, both = blur(a * a) - ma * ma, blur(b * b) - mb * mb, blur(a * b) - ma * mb
    similar = ((2 * ma * mb + c1) * (2 * both + c2)) / ((ma * ma + mb * mb + c1) * (va + vb + c2))
    return float(similar.mean())


def _inner(picture: NDArray[Any], border: int) -> NDArray[np.float64]:
    values = picture.astype(np.float64)
    return values[border:-border, border:-border] if border else values
