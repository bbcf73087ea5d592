"""One face in a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Box = tuple[float, float, float, float]
"""(x0, y0, x1, y1) in pixels."""

LANDMARK_COUNT = 478
"""Points of the MediaPipe face mesh with its ten iris points."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face that was found.

    box: (x0, y0, x1, y1) in picture pixels, tight around the mesh; it may leave the picture.
    landmarks: float32 (478, 2), picture pixels, in MediaPipe's face-mesh order.
    score: confidence of the detector that proposed the face, 0 to 1.
    yaw, pitch, roll: degrees. Yaw is positive when the face looks to the right edge of the picture, pitch when it looks
    down, roll when the head leans clockwise as the viewer sees it.
    """

    box: Box
    landmarks: NDArray[np.float32]
    score: float
    yaw: float
    pitch: float
    roll: float

    @property
    def width(self) -> float:
        """Width of the box in pixels."""
        return self.box[2] - self.box[0]

    @property
    def height(self) -> float:
        """Height of the box in pixels."""
        return self.box[3] - self.box[1]

    @property
    def size(self) -> float:
        """The longer side of the box in pixels: what "a face of so many pixels" means everywhere in Unmask."""
        return max(self.width, self.height)


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    wide = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    high = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    both = wide * high
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both
    return both / union if union > 0 else 0.0


def clipped(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """The box in whole pixels of a picture of ``width`` x ``height``, at least one pixel of it."""
    left, top = min(max(0, round(box[0])), width - 1), min(max(0, round(box[1])), height - 1)
    return left, top, max(min(width, round(box[2])), left + 1), max(min(height, round(box[3])), top + 1)
