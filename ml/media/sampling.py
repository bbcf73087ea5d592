"""Which frames of a video are looked at: some dozens spread evenly, and the first of each scene."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

FrameT = TypeVar("FrameT")

FIRST_STEP: Final = 1 / 30
"""Seconds between two samples at first; doubled whenever there are too many of them."""

_BINS: Final = 32
_OTHER_LIGHT: Final = 0.45  # share of pixels that went to another brightness
_OTHER_PLACES: Final = 0.20  # enough when the picture changed in most places, too
_OTHER_PICTURE: Final = 28.0  # mean difference of brightness, of 255


class Sampler(Generic[FrameT]):
    """Takes the frames of a video one after another and holds few of them, however long it turns out to be.

    What a file says about its own length is not believed: the step between samples begins small and is doubled, and
    every second sample dropped, as often as there are more than ``most``. So from 1/2 to all of ``most`` stay for any
    video that has so many frames. Up to ``most_cuts`` first frames of scenes are held beside them.
    """

    def __init__(self, most: int, most_cuts: int) -> None:
        if most < 2:
            raise ValueError("at least two samples are needed")
        self.step = FIRST_STEP
        self.cuts: list[float] = []
        self._most, self._most_cuts = most, most_cuts
        self._regular: dict[int, tuple[float, FrameT]] = {}
        self._first: list[tuple[float, FrameT]] = []
        self._before: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None

    def take(self, seconds: float, luma: NDArray[np.uint8], hold: Callable[[], FrameT]) -> None:
        """One frame at its time, which never runs backwards.

        luma: uint8 (h, w), the frame's brightness, as small as one likes. ``hold`` is called when the frame is kept.
        """
        cell = int(seconds / self.step)
        cut = self._is_cut(seconds, luma)
        if cell not in self._regular:
            self._regular[cell] = (seconds, hold())
            while len(self._regular) > self._most:
                self.step *= 2
                thinned: dict[int, tuple[float, FrameT]] = {}
                for kept in self._regular.values():
                    thinned.setdefault(int(kept[0] / self.step), kept)
                self._regular = thinned
        elif cut and self._most_cuts:
            self._first.append((seconds, hold()))
            if len(self._first) > self._most_cuts:
                self._first = self._first[::2]

    def _is_cut(self, seconds: float, luma: NDArray[np.uint8]) -> bool:
        histogram = np.bincount((luma >> 3).ravel(), minlength=_BINS) / max(1, luma.size)
        coarse = _coarse(luma)
        before, self._before = self._before, (histogram, coarse)
        if before is None:
            return False
        moved = 0.5 * float(np.abs(histogram - before[0]).sum())
        changed = float(np.abs(coarse - before[1]).mean())
        cut = moved > _OTHER_LIGHT or (moved > _OTHER_PLACES and changed > _OTHER_PICTURE)
        # Flicker is no series of scenes.
        if not cut or (self.cuts and seconds - self.cuts[-1] < 0.2) or len(self.cuts) >= 1000:
            return False
        self.cuts.append(seconds)
        return True

    def samples(self) -> list[tuple[float, FrameT]]:
        """What was kept, in order of time."""
        return sorted([*self._regular.values(), *self._first], key=lambda kept: kept[0])


def _coarse(luma: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Brightness in about 9 x 16 fields."""
    height, width = luma.shape
    high, wide = max(1, height // 9), max(1, width // 16)
    rows, columns = height // high, width // wide
    fields = luma[: rows * high, : columns * wide].reshape(rows, high, columns, wide)
    return np.asarray(fields.mean(axis=(1, 3)), dtype=np.float64)
