"""The invisible mark: 48 bits in the brightness of a picture, read again after it was saved smaller, worse or cropped.

After the DWT-DCT-SVD scheme (Navas et al. 2008): the luma is brought to one canonical size, its low band (Haar) is cut
into blocks of 8 x 8, and the largest singular value of each block's cosine transform is moved to the middle of one of
two cells (quantisation index modulation, Chen and Wornell 2001). A quarter of the blocks carry known bits, in their
mean, by which a cropped copy is found again; the others carry the 48 bits and their CRC-32, each bit several times.
Nothing without a right CRC is ever reported. It is no proof: whoever has this program can write the same mark into
anything, or remove it.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
import pywt
from scipy import fft

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

CANONICAL: Final = 512
"""Side in pixels to which every picture is brought before marking and reading."""
BLOCK: Final = 8
STEP: Final = 80.0
"""Distance of two cells of one bit, in singular values of the low band; a sixteenth of it in levels of luma."""
ID_BITS: Final = 48
BITS: Final = ID_BITS + 32
_SIDE: Final = CANONICAL // 2 // BLOCK  # blocks along a side
_CELL: Final = 2 * BLOCK  # canonical pixels along a block
_BLOCKS: Final = _SIDE * _SIDE
_SYNC: Final = _BLOCKS // 4
_SEED: Final = 20_240_611
SHORTEST_SIDE: Final = 128
"""A picture that is smaller holds no mark that could be read again."""
SMALLEST_CROP: Final = 0.88
"""Shares of a side; a copy that was cut further is not found again."""
_SIDES: Final = tuple(range(round(SMALLEST_CROP * CANONICAL), CANONICAL, 2))
_FITS: Final = 0.21
"""Share of the known bits from which a place is worth a closer look; unmarked pictures stay below it nearly always."""
_FLIPPED: Final = 10  # so many of the least certain bits are tried the other way round, two at a time


@dataclass(frozen=True, slots=True, eq=False)
class _Layout:
    """Which block carries what: `sync` and its known signs (+1, -1); `data` and the number of the bit it carries."""

    sync: NDArray[np.intp]
    signs: Floats
    data: NDArray[np.intp]
    bit: NDArray[np.intp]
    white: NDArray[np.uint8]


@cache
def _layout() -> _Layout:
    rng = np.random.Generator(np.random.PCG64(_SEED))  # the stream of PCG64 is the same everywhere
    order = rng.permutation(_BLOCKS)
    signs = rng.integers(0, 2, _SYNC).astype(np.float32) * 2 - 1
    data = order[_SYNC:]
    bit = np.arange(len(data)) % BITS
    # Each copy of a bit is turned round by its own coin, so that no id makes a pattern that could be seen.
    return _Layout(order[:_SYNC], signs, data, bit, rng.integers(0, 2, len(data)).astype(np.uint8))


def write(pixels: NDArray[np.uint8], mark: str, strength: float = 1.0) -> NDArray[np.uint8]:
    """A copy of uint8 (H, W, 3) RGB pixels that carries `mark`, 12 hex digits. Pixels too small to hold one come back
    unchanged. strength: of the change, as a multiple of the measured default."""
    bits = _payload(mark)
    height, width = pixels.shape[:2]
    if min(height, width) < SHORTEST_SIDE:
        return pixels.copy()
    layout = _layout()
    wanted = np.empty(_BLOCKS, np.uint8)
    wanted[layout.sync] = layout.signs > 0
    wanted[layout.data] = bits[layout.bit] ^ layout.white
    step = np.float32(STEP * strength)
    canonical = _canonical(pixels)
    low, details = pywt.dwt2(canonical, "haar")
    blocks = _blocks(np.asarray(low, np.float32))
    moved = _moved(blocks, wanted, step)
    moved[layout.sync] = _shifted(blocks[layout.sync], wanted[layout.sync], step)
    changed = np.asarray(pywt.idwt2((_unblocks(moved), details), "haar"), np.float32)
    delta = cv2.resize(changed - canonical, (width, height), interpolation=cv2.INTER_CUBIC)
    # The same change in all three channels is that change in luma.
    marked = np.rint(pixels.astype(np.float32) + np.asarray(delta, np.float32)[..., None])
    return np.clip(marked, 0, 255).astype(np.uint8)


def read(pixels: NDArray[np.uint8], *, cropped: bool = True) -> str | None:
    """The mark of uint8 (H, W, 3) RGB pixels, 12 hex digits, or None. Tries the picture as it is and then, unless
    `cropped` is false, as a part of a larger one."""
    if pixels.ndim != 3 or pixels.shape[2] != 3 or min(pixels.shape[:2]) < SHORTEST_SIDE // 2:
        return None
    canonical = _canonical(pixels)
    found = _decode(canonical)
    if found is not None or not cropped:
        return found
    for candidate in _uncropped(pixels):
        found = _decode(candidate)
        if found is not None:
            return found
    return None


def facts(pixels: NDArray[np.uint8]) -> dict[str, str]:
    """What a check says about the mark: {"mark": 12 hex digits}, or nothing at all where there is none."""
    mark = read(pixels)
    return {} if mark is None else {"mark": mark}


def _payload(mark: str) -> NDArray[np.uint8]:
    data = bytes.fromhex(mark)
    if len(data) != ID_BITS // 8:
        raise ValueError("a mark has 12 hex digits")
    return np.unpackbits(np.frombuffer(data + zlib.crc32(data).to_bytes(4, "big"), np.uint8))


def _canonical(pixels: NDArray[np.uint8]) -> Floats:
    return _resized(_luma(pixels), CANONICAL, CANONICAL)


def _luma(pixels: NDArray[np.uint8]) -> Floats:
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY), np.float32)


def _resized(luma: Floats, width: int, height: int) -> Floats:
    smaller = luma.shape[0] > height or luma.shape[1] > width
    method = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(luma, (width, height), interpolation=method), np.float32)


def _blocks(low: Floats) -> Floats:
    """(256, 256) to (1024, 8, 8), row by row."""
    return low.reshape(_SIDE, BLOCK, _SIDE, BLOCK).swapaxes(1, 2).reshape(_BLOCKS, BLOCK, BLOCK)


def _unblocks(blocks: Floats) -> Floats:
    return blocks.reshape(_SIDE, _SIDE, BLOCK, BLOCK).swapaxes(1, 2).reshape(_SIDE * BLOCK, _SIDE * BLOCK)


def _moved(blocks: Floats, bits: NDArray[np.uint8], step: np.float32) -> Floats:
    """Move the largest singular value of each block's cosine transform into the middle of the nearest cell of its bit.

    The cosine transform is orthonormal on both sides, so it turns the singular vectors and keeps the values: the block
    itself can be decomposed, and what comes out is the same.
    """
    left, values, right = np.linalg.svd(blocks)
    change = _to_cell(values[:, 0], bits, step)[:, None, None] * left[:, :, :1] * right[:, :1, :]
    return np.asarray(blocks + change, np.float32)


def _shifted(blocks: Floats, bits: NDArray[np.uint8], step: np.float32) -> Floats:
    """The same for the known bits, but in the mean of a block, which can be asked for at every place of a picture."""
    change = _to_cell(BLOCK * blocks.mean((1, 2)), bits, step) / BLOCK
    return np.asarray(blocks + change[:, None, None], np.float32)


def _to_cell(values: Floats, bits: NDArray[np.uint8], step: np.float32) -> Floats:
    """What each value lacks to the middle of the nearest cell of its bit, never below the first one."""
    cell = np.where(bits > 0, np.float32(0.75), np.float32(0.25)) * step
    target = np.maximum(cell, np.rint((values - cell) / step) * step + cell)
    return np.asarray(target - values, np.float32)


def _soft(values: Floats) -> Floats:
    """How surely a singular value says 1 (+1) or 0 (-1): a wave with one period a step."""
    return np.asarray(-np.sin(values * np.float32(2 * np.pi / STEP)), np.float32)


def _decode(canonical: Floats) -> str | None:
    low, _ = pywt.dwt2(canonical, "haar")
    layout, blocks = _layout(), _blocks(np.asarray(low, np.float32))
    values = np.linalg.svd(blocks, compute_uv=False)[:, 0]
    values[layout.sync] = BLOCK * blocks[layout.sync].mean((1, 2))
    waves = np.exp(2j * np.pi / STEP * values)
    # A copy that is a little brighter or darker turns all waves by one angle; the known bits tell which.
    turn = np.vdot(-1j * layout.signs, waves[layout.sync])
    waves *= np.exp(-1j * np.angle(turn))
    soft = -waves.imag[layout.data] * (1 - 2 * layout.white.astype(np.float32))
    sums = np.bincount(layout.bit, weights=soft, minlength=BITS).astype(np.float64)
    for bits in _likely(sums):
        data = np.packbits(bits).tobytes()
        body, check = data[: ID_BITS // 8], data[ID_BITS // 8 :]
        if zlib.crc32(body) == int.from_bytes(check, "big"):
            return body.hex()
    return None


def _likely(sums: NDArray[np.float64]) -> Iterator[NDArray[np.uint8]]:
    """The bits as they are, then with one and two of the least certain ones the other way round (Chase 1972)."""
    bits = (sums > 0).astype(np.uint8)
    yield bits
    weakest = np.argsort(np.abs(sums))[:_FLIPPED]
    for count in (1, 2):
        for which in combinations(weakest, count):
            turned = bits.copy()
            turned[list(which)] ^= 1
            yield turned


def _uncropped(pixels: NDArray[np.uint8]) -> Iterator[Floats]:
    """The likeliest canonical pictures of which this may be a part, its place in them found by the known bits.

    The known bits are in means, so one box filter tells what every place would say, and one correlation a size tells
    where they lie. Where they fit nowhere better than chance makes them, nothing more is tried.
    """
    luma = _luma(pixels)
    coarse = sorted((_best_place(luma, side, side) for side in _SIDES), reverse=True)[:3]
    if coarse[0][0] < _FITS:
        return
    # A side is cut to whole pixels of the original, so width and height shrink by a little more or less.
    sizes = {(side + dx, side + dy) for _, side, _, _, _ in coarse for dx in (-1, 0, 1) for dy in (-1, 0, 1)}
    for _, width, height, x, y in sorted((_best_place(luma, *size) for size in sizes), reverse=True)[:4]:
        whole = np.zeros((CANONICAL, CANONICAL), np.float32)
        whole[y : y + height, x : x + width] = _resized(luma, width, height)
        yield whole


def _best_place(luma: Floats, width: int, height: int) -> tuple[float, int, int, int, int]:
    """(how well the known bits fit, width, height, x, y) of the best place of the picture at that canonical size. A fit
    of 1 means that every known bit is read for certain."""
    # Mean of the block right and below of each pixel; a value of the low band is twice that.
    means = cv2.boxFilter(_resized(luma, width, height), cv2.CV_32F, (_CELL, _CELL), anchor=(0, 0))
    means = means[: height - _CELL + 1, : width - _CELL + 1]
    says = np.zeros((CANONICAL, CANONICAL), np.float32)
    says[: means.shape[0], : means.shape[1]] = _soft(np.asarray(means, np.float32) * np.float32(2 * BLOCK))
    fits = fft.irfft2(_known() * np.conj(fft.rfft2(says)), s=(CANONICAL, CANONICAL))
    rows, columns = CANONICAL - height + 1, CANONICAL - width + 1
    y, x = divmod(int(np.argmax(fits[:rows, :columns])), columns)
    return float(fits[y, x]) / _SYNC, width, height, x, y


@cache
def _known() -> NDArray[np.complex64]:
    layout = _layout()
    known = np.zeros((CANONICAL, CANONICAL), np.float32)
    rows, columns = np.divmod(layout.sync, _SIDE)
    known[rows * _CELL, columns * _CELL] = layout.signs
    return np.asarray(fft.rfft2(known), np.complex64)
