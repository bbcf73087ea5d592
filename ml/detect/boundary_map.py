"""The boundary map on the face: where the boundary detector sees the seam of a face that was put in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.detect.crops import SHOWN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.detect.crops import View

STRENGTH = 0.75
"""Opacity of the seam where the detector is sure of it."""

COLOUR = (0, 229, 255)
"""Cyan: no skin has it, and nor has the map of Grad-CAM, so that the two can lie over one another."""


def overlay(crop: NDArray[np.uint8], seam: NDArray[np.float32], view: View = SHOWN) -> NDArray[np.uint8]:
    """Lay a boundary map (h, w) in [0, 1] over a shown crop uint8 (S, S, 3), as a picture of the same shape.

    view: in which the map was made; its square has the same centre as the shown one, and may be wider or tighter. The
    map is not stretched to its own maximum: on a face without a seam it stays faint, and so does the overlay.
    """
    side = crop.shape[0]
    # Cell (i, j) of the map covers a square of `step` pixels of the shown crop.
    step = side * view.share / SHOWN.share / seam.shape[0]
    first = side / 2 - step * (seam.shape[0] - 1) / 2 - 0.5
    place = np.array([[step, 0, first], [0, step, first]], np.float32)
    alpha = STRENGTH * np.clip(cv2.warpAffine(seam, place, (side, side), flags=cv2.INTER_LINEAR), 0.0, 1.0)[..., None]
    return np.asarray(np.rint(crop * (1.0 - alpha) + np.array(COLOUR) * alpha), dtype=np.uint8)
