"""The faces of a picture, each restored in a square of its own and laid back as a change of what was there.

Only the difference goes back: where a face has more pixels than the square, its own fine structure stays and is added
to, and a strength is a share of the change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import numpy as np

from ml.errors import MediaError
from ml.restore.canvas import to_bytes
from ml.restore.face_frame import frame, part_centres
from ml.sentences import N_
from ml.swap.alignment import Alignment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from ml.faces import Face

MOST_FACES = 20
_FADE = 0.12
"""Share of the square's side over which a change fades out towards its edges."""

NO_FACE = N_(
    "No face was found in the picture. Choose one in which a face is seen from the front and not too small, or another "
    "task: upscaling and denoising need no face."
)


class FaceNetwork(Protocol):
    """What restores a face: float32 (side, side, 3) in [0, 1] and its parts' middles (4, 2) -> the same, unclipped."""

    @property
    def side(self) -> int:
        """Pixels along each side of its square."""

    def __call__(self, square: NDArray[np.float32], parts: NDArray[np.float32], /) -> NDArray[np.float32]:
        """Restore it."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceRestoration:
    """A network and how much of what it says is taken, 0 to 1.

    framing: the way of a mesh into the network's square. parts: what the network is told of the mesh there.
    """

    network: FaceNetwork
    strength: float = 1.0
    framing: Callable[[NDArray[np.float32], int], Alignment] = frame
    parts: Callable[[NDArray[np.float32]], NDArray[np.float32]] = part_centres

    def __call__(
        self,
        original: NDArray[Any],
        enlarged: NDArray[Any],
        faces: Sequence[Face],
        advance: Callable[[], None] = lambda: None,
    ) -> NDArray[Any]:
        """A copy of ``enlarged`` with its faces restored.

        original: uint8 or uint16 (H, W, 3), in which ``faces`` were found. enlarged: the same picture, (H*s, W*s, 3) of
        the same type, s >= 1. ``advance`` is called after every face, and may raise to stop.
        """
        out = enlarged.copy()
        scale = enlarged.shape[0] / original.shape[0]
        seen = to_bytes(original)
        for face in faces:
            self._one(seen, out, scale, face)
            advance()
        return out

    def _one(self, seen: NDArray[np.uint8], out: NDArray[Any], scale: float, face: Face) -> None:
        """Change one face in ``out``."""
        side = self.network.side
        small = self.framing(face.landmarks, side)
        large = _enlarged(small, scale)
        x0, y0, x1, y1 = _reach(large, out.shape[1], out.shape[0])
        if x1 <= x0 or y1 <= y0:
            return
        here = Alignment(_moved(large.matrix, x0, y0), side)
        part = out[y0:y1, x0:x1]
        before = here.cut(to_bytes(np.ascontiguousarray(part))).astype(np.float32) / np.float32(255)
        # Cut from the very same pixels where nothing was enlarged: two ways of shrinking would differ in the finest.
        square = before if scale == 1 else small.cut(seen).astype(np.float32) / np.float32(255)
        made = self.network(square, self.parts(small.points(face.landmarks)))
        change = np.float32(self.strength) * (made.clip(0, 1) - before) * window(side)[:, :, None]
        laid = cv2.warpAffine(change, here.inverse, (x1 - x0, y1 - y0), flags=cv2.INTER_CUBIC)
        top = float(np.iinfo(out.dtype).max)
        out[y0:y1, x0:x1] = np.rint((part + laid * np.float32(top)).clip(0, top))


def find(pixels: NDArray[np.uint8]) -> list[Face]:
    """The faces of uint8 (H, W, 3), largest first. Raises MediaError (``no_face``) when there is none."""
    from ml.faces import FaceFinder

    with FaceFinder() as finder:
        faces = finder.find(pixels, MOST_FACES)
    if not faces:
        raise MediaError("no_face", NO_FACE)
    return faces


def window(side: int) -> NDArray[np.float32]:
    """How much of a change is taken where: 1 in the middle of the square, 0 at its edges, (side, side)."""
    edge = np.minimum(np.arange(side), np.arange(side)[::-1]) / max(1.0, _FADE * side)
    ramp = edge.clip(0, 1)
    smooth = (ramp * ramp * (3 - 2 * ramp)).astype(np.float32)
    return np.asarray(np.minimum(smooth[:, None], smooth[None, :]), np.float32)


def _enlarged(alignment: Alignment, scale: float) -> Alignment:
    """The same square, out of a picture that is ``scale`` times as large."""
    turn, shift = alignment.matrix[:, :2], alignment.matrix[:, 2]
    # Pixel i of the small picture has its middle at (i + .5) * scale - .5 of the large one.
    return Alignment(np.column_stack([turn / scale, shift + turn @ np.full(2, 0.5 / scale - 0.5)]), alignment.size)


def _moved(matrix: NDArray[np.float64], x0: int, y0: int) -> NDArray[np.float64]:
    """The way into the square from a part of the picture that begins at (x0, y0)."""
    return np.column_stack([matrix[:, :2], matrix[:, 2] + matrix[:, :2] @ np.array([x0, y0], np.float64)])


def _reach(alignment: Alignment, width: int, height: int) -> tuple[int, int, int, int]:
    """The part of a picture in which the square lies: x0, y0, x1, y1."""
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float64) * (alignment.size - 1)
    there = corners @ alignment.inverse[:, :2].T + alignment.inverse[:, 2]
    x0, y0 = (max(0, int(value)) for value in np.floor(there.min(axis=0)) - 1)
    x1, y1 = (min(most, int(v)) for most, v in zip((width, height), np.ceil(there.max(axis=0)) + 2, strict=True))
    return x0, y0, x1, y1
