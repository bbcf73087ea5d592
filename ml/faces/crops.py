"""The square that the detectors see, and the only function that cuts it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.faces.face import Face

INPUT_SIZE = 256
"""Side of the detectors' input in pixels (Afchar et al. 2018)."""

FACE_SHARE = 1.2
"""Side of the detectors' square over the longer side of the face mesh's box.

Chosen on the training crops: wide enough to hold the seam that a face swap leaves along cheeks and jaw, tight enough
that the mirrored margins of the training pictures hardly enter (``python -m ml.training.dataset`` prints the shares),
so that mirroring cannot become the feature.
"""


@dataclass(frozen=True, slots=True)
class Square:
    """A square in picture pixels: centre (cx, cy) and side; pixel (0, 0) covers [0, 1) x [0, 1)."""

    cx: float
    cy: float
    side: float

    def moved(self, dx: float, dy: float, scale: float) -> Square:
        """The square moved by (dx, dy) times its side and enlarged by ``scale``."""
        return Square(self.cx + dx * self.side, self.cy + dy * self.side, self.side * scale)

    def outside_share(self, width: int, height: int) -> float:
        """Share of the square's area, 0 to 1, that lies outside a picture of ``width`` x ``height`` pixels."""
        half = self.side / 2
        inside_x = max(0.0, min(self.cx + half, width) - max(self.cx - half, 0.0))
        inside_y = max(0.0, min(self.cy + half, height) - max(self.cy - half, 0.0))
        return 1.0 - inside_x * inside_y / self.side**2


def face_square(face: Face, share: float = FACE_SHARE) -> Square:
    """The square centred on the face's box with ``share`` times its longer side."""
    x0, y0, x1, y1 = face.box
    return Square((x0 + x1) / 2, (y0 + y1) / 2, max(1.0, face.size * share))


def cut(pixels: NDArray[np.uint8], square: Square, size: int = INPUT_SIZE) -> NDArray[np.uint8]:
    """Cut ``square`` out of a picture and resize it to ``size`` x ``size``.

    pixels: uint8 (H, W, 3). Returns uint8 (size, size, 3). Outside the picture the nearest pixels are mirrored. The
    resize averages areas when it makes smaller and is bilinear when it makes larger, so that neither aliasing nor
    ringing is added.
    """
    height, width = pixels.shape[:2]
    side = max(1, round(square.side))
    x0, y0 = round(square.cx - side / 2), round(square.cy - side / 2)
    left, top = max(0, -x0), max(0, -y0)
    right, bottom = max(0, x0 + side - width), max(0, y0 + side - height)
    inside = pixels[max(0, y0) : max(0, min(height, y0 + side)), max(0, x0) : max(0, min(width, x0 + side))]
    if inside.size == 0:
        raise ValueError("the square lies outside the picture")
    if left or top or right or bottom:
        # Reflection needs more pixels than it mirrors; a face far outside (rare) repeats the edge instead.
        fits = max(left, right) < inside.shape[1] and max(top, bottom) < inside.shape[0]
        border = cv2.BORDER_REFLECT_101 if fits else cv2.BORDER_REPLICATE
        inside = np.asarray(cv2.copyMakeBorder(inside, top, bottom, left, right, border), np.uint8)
    method = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    resized = cv2.resize(np.ascontiguousarray(inside), (size, size), interpolation=method)
    return np.asarray(resized, dtype=np.uint8)
