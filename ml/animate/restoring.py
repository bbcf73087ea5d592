"""Faces of an animation restored frame by frame, by the face restorer that ships (``ml.networks.face_restorer``).

The network of the motion paints 128 pixels a side; the restorer draws the eyes, nose and mouth of each frame anew. What
it draws is a likely face, and not that of the person: so it is off unless it is asked for, and named in the result.
"""

from __future__ import annotations

from contextlib import closing, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.faces import FaceFinder
from ml.swap.tracking import FaceChoice, choose

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from ml.faces import Face

NETWORK = "dictionary"
"""By which the shipped weights, and what a result says of itself, name the restorer."""

LOOK_SIDE = 640
"""Longest side in pixels at which the face is looked for: up to it the finder needs one look."""


class Restoring:
    """Restores the face in squares. Use one instance from one thread, and close it."""

    def __init__(self) -> None:
        from ml.restore.faces import FaceRestoration
        from ml.restore.neural import face_restorer

        self._restoration = FaceRestoration(face_restorer())
        self._finder = FaceFinder()

    def close(self) -> None:
        """Release what finds the faces."""
        self._finder.close()

    def __call__(self, square: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """uint8 (H, H, 3) with its face restored; a square in which none is found comes back as it is."""
        face = self._face(square)
        return square if face is None else np.asarray(self._restoration(square, square, [face]), np.uint8)

    def _face(self, square: NDArray[np.uint8]) -> Face | None:
        height, width = square.shape[:2]
        factor = min(1.0, LOOK_SIDE / max(height, width))
        small = square
        if factor < 1:
            to = (max(1, round(width * factor)), max(1, round(height * factor)))
            small = np.asarray(cv2.resize(square, to, interpolation=cv2.INTER_AREA), np.uint8)
        face = choose(self._finder.find(small), FaceChoice.LARGEST, small.shape[1], small.shape[0])
        if face is None or factor == 1:
            return face
        return replace(face, landmarks=np.asarray((face.landmarks + 0.5) / factor - 0.5, np.float32))


def restoring(wanted: bool) -> AbstractContextManager[Restoring | None]:
    """The restorer for the length of a ``with``, or None where it is not wanted. Raises WeightsError."""
    return closing(Restoring()) if wanted else nullcontext()


def weights() -> dict[str, str]:
    """What the result says of the restorer, as {"dictionary": "trained here, ..."}. Raises WeightsError."""
    from ml.weights.store import WeightsError, entries

    entry = entries().get(NETWORK)
    if entry is None:
        raise WeightsError("no face restorer is shipped")
    return {NETWORK: f"{entry.kind}, {entry.version}, sha256 {entry.sha256}"}
