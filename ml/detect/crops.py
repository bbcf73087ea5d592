"""The face squares of a picture as the detectors take them: one stack for each view that a detector has of a face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.faces import FACE_SHARE, INPUT_SIZE, cut, face_square

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ml.faces import Face, Square


@dataclass(frozen=True, slots=True)
class View:
    """How a detector sees a face: `share` is the square's side over the face's longer side, `size` its pixels."""

    share: float = FACE_SHARE
    size: int = INPUT_SIZE


SHOWN = View()
"""The view that people are shown, in which sharpness is measured; every `Crops` has it."""


@dataclass(frozen=True, slots=True, eq=False)
class Crops:
    """N faces, as uint8 (N, size, size, 3) RGB for every view."""

    stacks: Mapping[View, NDArray[np.uint8]]

    def __len__(self) -> int:
        return len(self.stacks[SHOWN])

    def __getitem__(self, which: Sequence[int] | slice) -> Crops:
        """The faces at these places."""
        chosen = which if isinstance(which, slice) else np.asarray(which, dtype=np.intp)
        return Crops({view: stack[chosen] for view, stack in self.stacks.items()})

    @property
    def shown(self) -> NDArray[np.uint8]:
        """uint8 (N, 256, 256, 3): the faces as people are shown them."""
        return self.stacks[SHOWN]

    def mirrored(self) -> Crops:
        """The faces, left and right exchanged."""
        return Crops({view: stack[:, :, ::-1] for view, stack in self.stacks.items()})

    def reencoded(self, quality: int) -> Crops:
        """The faces, saved as JPEG of this quality and read back."""
        return Crops(
            {
                view: np.stack([_jpeg(crop, quality) for crop in stack]) if len(stack) else stack
                for view, stack in self.stacks.items()
            }
        )


def cut_faces(pixels: NDArray[np.uint8], faces: Sequence[Face], views: Sequence[View]) -> Crops:
    """Cut the faces out of a picture uint8 (H, W, 3), for these views and the one that is shown."""
    return cut_squares([(pixels, face_square(face)) for face in faces], views)


def cut_squares(squares: Sequence[tuple[NDArray[np.uint8], Square]], views: Sequence[View]) -> Crops:
    """As :func:`cut_faces`, of faces that may each have a picture of its own; the squares are those of `SHOWN`."""
    stacks = {}
    for view in dict.fromkeys((SHOWN, *views)):
        crops = [cut(pixels, square.moved(0, 0, view.share / SHOWN.share), view.size) for pixels, square in squares]
        stacks[view] = np.stack(crops) if crops else np.zeros((0, view.size, view.size, 3), np.uint8)
    return Crops(stacks)


def join(parts: Sequence[Crops]) -> Crops:
    """Several lots of faces, at least one, as one."""
    if len(parts) == 1:
        return parts[0]
    return Crops({view: np.concatenate([part.stacks[view] for part in parts]) for view in parts[0].stacks})


def _jpeg(crop: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    ok, data = cv2.imencode(".jpg", crop[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise RuntimeError("OpenCV could not encode a face crop")
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)[..., ::-1]
