"""The peers that need no network: interpolation, non-local means, unsharp masking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_SIGMA = 50.0
MAX_BLUR = 3.0

_TILE = 1024


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The picture as it is, for what changes only parts of it."""

    scale: int = 1
    halo: int = 0
    multiple: int = 1
    tile: int = _TILE

    def __call__(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Change nothing."""
        return pixels


@dataclass(frozen=True, slots=True)
class Interpolation:
    """OpenCV's bicubic (a = -.75) or Lanczos (8 x 8) enlargement."""

    scale: int
    lanczos: bool = False
    halo: int = 8
    multiple: int = 1
    tile: int = _TILE

    def __call__(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Enlarge."""
        height, width = pixels.shape[:2]
        size = (width * self.scale, height * self.scale)
        way = cv2.INTER_LANCZOS4 if self.lanczos else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(pixels, size, interpolation=way), np.float32)


@dataclass(frozen=True, slots=True)
class NonLocalMeans:
    """OpenCV's non-local means for colour (Buades et al. 2011). sigma: of the noise, of 255. Computes in 8 bits."""

    sigma: float
    scale: int = 1
    halo: int = 16  # half the search window of 21 px and half the patch of 7, and some
    multiple: int = 1
    tile: int = _TILE

    def __call__(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Remove noise."""
        if self.sigma <= 0:
            return pixels
        small = np.ascontiguousarray(np.rint(pixels[:, :, ::-1] * 255).astype(np.uint8))
        strength = 0.8 * self.sigma
        made = cv2.fastNlMeansDenoisingColored(small, None, strength, strength, 7, 21)
        return made[:, :, ::-1].astype(np.float32) / np.float32(255)


@dataclass(frozen=True, slots=True)
class UnsharpMask:
    """What a Gaussian of ``sigma`` px takes away, added once more."""

    sigma: float
    scale: int = 1
    halo: int = 16
    multiple: int = 1
    tile: int = _TILE

    def __call__(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Sharpen."""
        if self.sigma <= 0:
            return pixels
        reach = min(self.halo, int(np.ceil(4 * self.sigma)))
        soft = cv2.GaussianBlur(pixels, (2 * reach + 1, 2 * reach + 1), self.sigma, borderType=cv2.BORDER_REPLICATE)
        return np.asarray(2 * pixels - soft, np.float32)
