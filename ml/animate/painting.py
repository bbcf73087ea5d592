"""What the network makes, brought to the portrait's own size with the portrait's own fine structure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.networks.fomm.geometry import coordinate_grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.animate.model import Made


class Painter:
    """square: the portrait's square, uint8 (H, H, 3), at the size at which it is shown.

    The network sees and paints it at ``size`` pixels. What is finer than that moves along with the flow and is added
    where the picture is the portrait's own, by ``detail`` (0 to 1); what the network painted anew stays as soft as it
    is.
    """

    def __init__(self, square: NDArray[np.uint8], size: int, detail: float) -> None:
        self.side, self.size = square.shape[0], size
        small = cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA)
        again = cv2.resize(small, (self.side, self.side), interpolation=cv2.INTER_CUBIC)
        self._finer = (square.astype(np.float32) - again.astype(np.float32)) * detail
        self._adds = detail > 0 and self.side > size

    def frames(self, made: Made) -> list[NDArray[np.uint8]]:
        """Each of the made pictures, uint8 (H, H, 3)."""
        return [self._one(*each) for each in zip(made.pixels, made.flow, made.kept, strict=True)]

    def _one(
        self, pixels: NDArray[np.uint8], flow: NDArray[np.float32], kept: NDArray[np.float32]
    ) -> NDArray[np.uint8]:
        if self.side == self.size:
            return pixels
        large = cv2.resize(pixels, (self.side, self.side), interpolation=cv2.INTER_CUBIC)
        if not self._adds:
            return np.asarray(large, np.uint8)
        places = (self._enlarged(flow) + 1) * (0.5 * (self.side - 1))
        finer = cv2.remap(
            self._finer,
            np.ascontiguousarray(places[..., 0]),
            np.ascontiguousarray(places[..., 1]),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
        )
        share = cv2.resize(kept, (self.side, self.side), interpolation=cv2.INTER_LINEAR)
        return np.asarray(np.clip(np.rint(large + finer * share[..., None]), 0, 255), np.uint8)

    def _enlarged(self, flow: NDArray[np.float32]) -> NDArray[np.float32]:
        """The flow at full size. Of the motion alone, so that a picture at rest stays exactly where it is."""
        height, width = flow.shape[:2]
        motion = cv2.resize(
            flow - coordinate_grid(height, width), (self.side, self.side), interpolation=cv2.INTER_LINEAR
        )
        return np.asarray(motion + coordinate_grid(self.side, self.side), np.float32)
