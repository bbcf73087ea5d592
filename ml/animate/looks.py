"""The portrait as it is looked at and shown: its square, its lids, and the picture around it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from ml.animate.lids import shut
from ml.animate.painting import Painter
from ml.animate.settings import Framing
from ml.animate.square import Square

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ml.animate.model import MotionModel, Portrait
    from ml.animate.settings import MotionSettings
    from ml.faces import Face

    Frames = list[NDArray[np.uint8]]

LONGEST_SIDE = 960
"""The moving picture's longer side in pixels, at most; a larger portrait is made smaller first."""

SQUARE_SIDE = (256, 512)
"""The least and the most pixels a side of the square alone."""


class Stage:
    """Where the moving square is shown."""

    def __init__(self, pixels: NDArray[np.uint8], square: Square, settings: MotionSettings, size: int) -> None:
        self._whole: NDArray[np.uint8] | None = None
        if settings.framing is Framing.SQUARE:
            side = min(max(SQUARE_SIDE[0], square.side), SQUARE_SIDE[1])
            self.painter = Painter(square.cut(pixels, side), size, settings.detail)
            return
        height, width = pixels.shape[:2]
        factor = min(1.0, LONGEST_SIDE / max(height, width))
        self._whole, self._square = pixels, square
        if factor < 1:
            to = (max(2, round(width * factor)), max(2, round(height * factor)))
            self._whole = np.asarray(cv2.resize(pixels, to, interpolation=cv2.INTER_AREA), np.uint8)
            self._square = Square(*(round(part * factor) for part in (square.left, square.top, square.side)))
        self.painter = Painter(self._square.cut(self._whole, self._square.side), size, settings.detail)

    def shown(self, made: Any, restore: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] | None = None) -> Frames:
        """The frames of a batch as they leave; ``restore`` is done to each square, before it goes into the portrait."""
        squares = self.painter.frames(made)
        if restore is not None:
            squares = [restore(square) for square in squares]
        return squares if self._whole is None else [self._square.paste(self._whole, each) for each in squares]


class Looks:
    """The portrait with its lids open, and with them shut by level: as the network knows it, and where it is shown."""

    def __init__(
        self,
        pixels: NDArray[np.uint8],
        face: Face,
        square: Square,
        settings: MotionSettings,
        model: MotionModel,
        portrait: Portrait,
    ) -> None:
        self._pixels, self._face, self._square = pixels, face, square
        self._settings, self._model = settings, model
        self.portrait = portrait
        self._known = {0: (portrait, Stage(pixels, square, settings, model.size))}

    def of(self, level: int) -> tuple[Portrait, Stage]:
        """With the lids at this level; keypoints are those of the open eyes."""
        if level not in self._known:
            pixels = shut(self._pixels, self._face.landmarks, level)
            seen = self._model.portrait(self._square.cut(pixels, self._model.size))
            portrait = replace(seen, keypoints=self.portrait.keypoints)
            self._known[level] = portrait, Stage(pixels, self._square, self._settings, self._model.size)
        return self._known[level]
