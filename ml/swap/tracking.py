"""One face followed through a clip, and its mesh smoothed over time."""

from __future__ import annotations

from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.faces import Face

GAP = 3
"""Most frames in a row without a find that are bridged by the mesh before and after."""

_JUMP = 0.6  # of the face's size: a face that is further off in the next frame is another one
_LOST = 12  # frames after which the nearest face is looked for anywhere, by the same choice as at first


class FaceChoice(StrEnum):
    """Which of several faces is meant. One at a time: each person in a picture has a consent of their own."""

    LARGEST = "largest"
    LEFTMOST = "leftmost"
    RIGHTMOST = "rightmost"
    CENTRAL = "central"


def choose(faces: Sequence[Face], choice: FaceChoice, width: int, height: int) -> Face | None:
    """The face that is meant in a picture of this size; None where there is none."""

    def rank(face: Face) -> float:
        x, y = _centre(face)
        match choice:
            case FaceChoice.LARGEST:
                return -face.size
            case FaceChoice.LEFTMOST:
                return x
            case FaceChoice.RIGHTMOST:
                return -x
            case FaceChoice.CENTRAL:
                return float(np.hypot(x - width / 2, y - height / 2))

    return min(faces, key=rank, default=None)


class Track:
    """The mesh of the face that is meant, frame by frame; None where it was not found."""

    def __init__(self, choice: FaceChoice) -> None:
        self.choice = choice
        self.meshes: list[NDArray[np.float32] | None] = []
        self._last: Face | None = None
        self._missing = 0

    def add(self, faces: Sequence[Face], width: int, height: int) -> None:
        """One frame's faces: the one nearest to the last is followed; at first, and after a while, the one meant."""
        found: Face | None
        if self._last is None or self._missing >= _LOST:
            found = choose(faces, self.choice, width, height)
        else:
            last = self._last
            found = min(faces, key=lambda face: _distance(face, last), default=None)
            if found is not None and _distance(found, last) > _JUMP * last.size:
                found = None
        self._missing = 0 if found is not None else self._missing + 1
        self._last = found or self._last
        self.meshes.append(None if found is None else found.landmarks)

    @property
    def found(self) -> int:
        """Frames in which the face was found."""
        return sum(mesh is not None for mesh in self.meshes)

    def smoothed(self, sigma: float = 1.0) -> list[NDArray[np.float32] | None]:
        """The meshes with short gaps bridged, each a gaussian mean over its neighbours in time (sigma in frames).

        A mean is never taken across a longer gap.
        """
        bridged = _bridged(self.meshes)
        if sigma <= 0:
            return bridged
        reach = max(1, round(2.5 * sigma))
        weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
        smooth: list[NDArray[np.float32] | None] = []
        for at, mesh in enumerate(bridged):
            if mesh is None:
                smooth.append(None)
                continue
            total, weight = np.zeros(mesh.shape, np.float64), 0.0
            for direction in (-1, 1):
                for step in range(0 if direction > 0 else 1, reach + 1):
                    there = at + direction * step
                    other = bridged[there] if 0 <= there < len(bridged) else None
                    if other is None:
                        break
                    total += other * weights[reach + step]
                    weight += float(weights[reach + step])
            smooth.append(np.asarray(total / weight, np.float32))
        return smooth

    def save(self, path: Path) -> None:
        """Keep what was found, whole or not at all, so that an interrupted conversion need not look again."""
        held = np.array([mesh is not None for mesh in self.meshes])
        meshes = [mesh for mesh in self.meshes if mesh is not None]
        fresh = path.with_name(path.name + ".part.npz")
        np.savez(fresh, held=held, meshes=np.asarray(meshes, np.float32), choice=np.array(self.choice.value))
        fresh.replace(path)

    @classmethod
    def load(cls, path: Path) -> Track:
        """Read what :meth:`save` wrote. Raises OSError, ValueError or KeyError for anything else."""
        with np.load(path, allow_pickle=False) as kept:
            track = cls(FaceChoice(str(kept["choice"])))
            meshes = iter(kept["meshes"])
            track.meshes = [next(meshes) if held else None for held in kept["held"]]
        return track


def _bridged(meshes: Sequence[NDArray[np.float32] | None]) -> list[NDArray[np.float32] | None]:
    filled = list(meshes)
    known = [at for at, mesh in enumerate(meshes) if mesh is not None]
    for before, after in pairwise(known):
        first, last = meshes[before], meshes[after]
        if 1 < after - before <= GAP + 1 and first is not None and last is not None:
            for at in range(before + 1, after):
                share = (at - before) / (after - before)
                filled[at] = np.asarray(first * (1 - share) + last * share, np.float32)
    return filled


def _centre(face: Face) -> tuple[float, float]:
    return (face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2


def _distance(face: Face, other: Face) -> float:
    (x, y), (u, v) = _centre(face), _centre(other)
    return float(np.hypot(x - u, y - v))
