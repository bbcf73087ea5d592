"""One face in a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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

    box: tuple[float, float, float, float]
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
