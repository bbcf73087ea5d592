"""Bicubic resampling with antialiasing, as MATLAB's ``imresize`` does it and as published tables assume.

Keys, Cubic convolution interpolation (1981), a = -1/2; downscaling widens the kernel; edges are mirrored.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' kernel at these distances."""
    x = np.abs(distance)
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


@lru_cache(maxsize=64)
def matrix(length: int, wanted: int) -> NDArray[np.float32]:
    """The weights (wanted, length) that make ``wanted`` samples of ``length``; rows sum to 1."""
    scale = wanted / length
    stretch = min(1.0, scale)
    width = 4.0 / stretch
    centres = (np.arange(wanted) + 0.5) / scale - 0.5
    taps = math.ceil(width) + 2
    places = np.floor(centres - width / 2).astype(int)[:, None] + np.arange(taps)
    weights = cubic((centres[:, None] - places) * stretch)
    weights /= weights.sum(axis=1, keepdims=True)
    places %= 2 * length
    mirrored = np.where(places < length, places, 2 * length - 1 - places)
    made = np.zeros((wanted, length))
    np.add.at(made, (np.arange(wanted)[:, None], mirrored), weights)
    return made.astype(np.float32)


def resample(picture: NDArray[Any], height: int, width: int) -> NDArray[np.float32]:
    """(H, W, C) -> float32 (height, width, C), in the picture's own range; values may overshoot it a little."""
    across = np.einsum("xw,hwc->hxc", matrix(picture.shape[1], width), picture.astype(np.float32), optimize=True)
    return np.asarray(np.einsum("yh,hxc->yxc", matrix(picture.shape[0], height), across, optimize=True), np.float32)


def resampled_bytes(picture: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """uint8 (H, W, C) -> uint8 (height, width, C), rounded and clipped."""
    return np.clip(np.rint(resample(picture, height, width)), 0, 255).astype(np.uint8)
