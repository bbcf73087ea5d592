"""A 64-bit hash of what a picture looks like: close for copies that were scaled or compressed, far for others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE: Final = 32
BITS: Final = 64
SAME_PICTURE: Final = 10
"""Hashes with at most so many different bits are taken for one picture's. As measured in docs/provenance.md, copies
that were compressed, scaled or blurred differ by at most 4, and different pictures by at least 12; cropped copies may
be missed."""
FLAT: Final = 2.0
"""A picture whose grey levels spread less than this, once reduced, has nothing to be recognised by."""


def _lowest(count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the `count` lowest frequencies after the mean, by their distance from it."""
    rows, columns = np.indices((SIDE, SIDE)).reshape(2, -1)
    order = np.lexsort((rows, rows + columns))[1 : count + 1]
    return rows[order], columns[order]


_ROWS, _COLUMNS = _lowest(BITS)
_ODD: Final = int.from_bytes(np.packbits(_COLUMNS % 2 == 1).tobytes(), "big")


def perceptual_hash(pixels: NDArray[np.uint8]) -> str:
    """The hash of uint8 (H, W, 3) RGB pixels as 16 hexadecimal digits; "" for a picture of one colour, which has none.

    The signs, against their median, of the 64 lowest frequencies of a cosine transform of the picture at 32 x 32 grey
    levels: after Zauner, "Implementation and benchmarking of perceptual image hash functions" (2010).
    """
    grey = _reduced(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY))
    small = np.asarray(cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA), dtype=np.float32)
    if float(small.std()) < FLAT:
        return ""
    low = cv2.dct(small)[_ROWS, _COLUMNS]
    bits = low > np.median(low)
    return f"{int.from_bytes(np.packbits(bits).tobytes(), 'big'):016x}"


def _reduced(grey: Any) -> Any:
    # Averaging by a whole factor is many times faster than by a broken one, which is left for the last small step.
    height, width = grey.shape
    factor = min(height, width) // (8 * SIDE)
    if factor < 2:
        return grey
    height, width = height // factor, width // factor
    return cv2.resize(grey[: height * factor, : width * factor], (width, height), interpolation=cv2.INTER_AREA)


def mirrored(perceptual_hash: str) -> str:
    """About the hash of the same picture seen in a mirror, within a few bits: there the odd horizontal terms of the
    cosine transform have the other sign, and the median lies elsewhere by a little."""
    return f"{int(perceptual_hash, 16) ^ _ODD:016x}"


def distance(one: str, other: str) -> int:
    """How many of the 64 bits of two hashes differ; about 32 for two pictures that have nothing to do with each other.

    Raises:
        ValueError: one of them is not 16 hexadecimal digits (a picture of one colour has no hash).
    """
    if len(one) != BITS // 4 or len(other) != BITS // 4:
        raise ValueError("a perceptual hash has 16 hexadecimal digits")
    return (int(one, 16) ^ int(other, 16)).bit_count()
