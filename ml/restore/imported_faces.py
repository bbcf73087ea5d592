"""DFDNet of its authors as a restorer of faces, read from the file that ``python -m ml import dfdnet`` wrote.

Li et al., Blind Face Restoration via Deep Multi-scale Component Dictionaries (ECCV 2020). It wants faces as its authors
align them, smaller in their square than ours, and boxes around eyes with their brows, nose and mouth.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.errors import MediaError
from ml.swap.alignment import Alignment, align

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SUFFIX = ".dfdnet.npz"
"""As the importer names its files: by it a folder of networks tells which restore faces."""

_HEAD, _DOWN = 0.82, 0.09
"""Height of the mean face's mesh, and the way by which it lies below our place for it, as shares of the square: eyes
and mouth then lie where the authors' template has them, at heights of 240 and 371 of 512 pixels, the eyes 127 apart."""

_LEAST = 16 / 512  # half a box's side is at least so much of the square, as the authors have it

# Points of the mesh where the authors take landmarks 17-22 and 36-42, 22-27 and 42-48, 29-36, 48-68 of their 68. What
# they call the left eye is the one on the picture's left.
_LEFT = (46, 53, 52, 65, 55, 33, 160, 158, 133, 153, 144)
_RIGHT = (285, 295, 282, 283, 276, 362, 385, 387, 263, 373, 380)
_NOSE = (197, 195, 4, 98, 97, 2, 326, 327)
_MOUTH = (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91, 78, 13, 308, 14)
_PARTS = (_LEFT, _RIGHT, _NOSE, _MOUTH)


def framed(landmarks: NDArray[np.float32], side: int) -> Alignment:
    """The way of a face with these mesh points (478, 2) into the square that the network knows. Raises ValueError."""
    head = round(_HEAD * side)
    there = align(landmarks, head, side / head)
    lower = there.matrix[:, 2] + np.array([0.0, _DOWN * side])
    return Alignment(np.column_stack([there.matrix[:, :2], lower]), side)


def part_boxes(points: NDArray[np.float32], side: int = 512) -> NDArray[np.float32]:
    """Mesh points (478, 2) in pixels of the square -> x0, y0, x1, y1 of left eye, right eye, nose, mouth: (4, 4)."""
    boxes = []
    for part in _PARTS:
        places = points[list(part)]
        middle = places.mean(axis=0)
        half = max(float(np.ptp(places, axis=0).max()) / 2, _LEAST * side)
        boxes.append([*(middle - half + 1), *(middle + half)])
    return np.asarray(boxes, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class ImportedFaces:
    """The network, with the name and SHA-256 of its file."""

    model: Any
    file: str
    sha256: str

    @property
    def side(self) -> int:
        """Pixels along each side of its square."""
        return int(self.model.config.size)

    def __call__(self, square: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 (side, side, 3) in [0, 1] and the parts' boxes (4, 4) -> the same, not clipped."""
        made = np.asarray(self.model(square[None] * 2 - 1, boxes))[0]
        return np.asarray((made + 1) / 2, np.float32)

    def boxes(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """As ``part_boxes``, for this network's side."""
        return part_boxes(points, self.side)


def imported(path: Path) -> ImportedFaces:
    """Read the network, once a process. Raises MediaError that says what is wrong with the file."""
    try:
        stamp = path.stat().st_mtime_ns
    except (OSError, ValueError):
        raise MediaError("unreadable", "There is no network file called %(name)s.", name=path.name) from None
    return _imported(path, stamp)


@lru_cache(maxsize=1)
def _imported(path: Path, stamp: int) -> ImportedFaces:
    from ml.importers import CheckpointError, read_checkpoint

    try:
        model = read_checkpoint("dfdnet", path)
    except CheckpointError as error:
        raise MediaError(
            "unreadable",
            "%(name)s is no face restorer that can be read here: %(faults)s",
            name=path.name,
            faults=str(error),
        ) from error
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return ImportedFaces(model, path.name, sha256)
