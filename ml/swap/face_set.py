"""Aligned faces of one person (or of many), as training takes them."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.swap.alignment import align

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.faces import Face

MARGIN = 1.25
"""Side of a kept crop over that of the network's input: a moved or turned crop still finds real pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceSet:
    """N aligned faces.

    size: side of the network's input; the crops are ``side`` = 1.25 times that, in the same scale.
    crops: uint8 (N, side, side, 3) RGB. points: float32 (N, 478, 2), crop pixels. yaw, pitch: float32 (N,), degrees.
    shown: like crops; what the network is shown where that is another face than the one that it should paint
    (``ml.swap.pairing``); None where it is the same.
    """

    size: int
    crops: NDArray[np.uint8]
    points: NDArray[np.float32]
    yaw: NDArray[np.float32]
    pitch: NDArray[np.float32]
    shown: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.crops)

    def __getitem__(self, chosen: Any) -> FaceSet:
        """Those of a slice, a mask or a list of numbers."""
        shown = None if self.shown is None else self.shown[chosen]
        return FaceSet(self.size, self.crops[chosen], self.points[chosen], self.yaw[chosen], self.pitch[chosen], shown)

    @property
    def fingerprint(self) -> str:
        """A short hash of the pixels: it names what a run was trained on."""
        digest = hashlib.sha256(np.ascontiguousarray(self.crops).tobytes())
        if self.shown is not None:
            digest.update(np.ascontiguousarray(self.shown).tobytes())
        return digest.hexdigest()[:16]

    @classmethod
    def of(cls, faces: Sequence[tuple[NDArray[np.uint8], Face]], size: int) -> FaceSet:
        """Align and cut (picture, face) pairs."""
        side = round(size * MARGIN)
        crops = np.zeros((len(faces), side, side, 3), np.uint8)
        points = np.zeros((len(faces), 478, 2), np.float32)
        for i, (pixels, face) in enumerate(faces):
            alignment = align(face.landmarks, size, MARGIN)
            crops[i] = alignment.cut(pixels)
            points[i] = alignment.points(face.landmarks)
        yaw = np.array([face.yaw for _, face in faces], np.float32)
        pitch = np.array([face.pitch for _, face in faces], np.float32)
        return cls(size, crops, points, yaw, pitch)

    def split(self, share: float = 0.1, seed: int = 2018) -> tuple[FaceSet, FaceSet]:
        """Training and validation faces; at least one of each."""
        if len(self) < 2:
            raise ValueError("one face cannot be split")
        order = np.random.default_rng(seed).permutation(len(self))
        kept = min(len(self) - 1, max(1, round(len(self) * share)))
        return self[np.sort(order[kept:])], self[np.sort(order[:kept])]

    def save(self, path: Path) -> None:
        """Write a ``.npz`` without pickles, whole or not at all."""
        made = io.BytesIO()
        parts: dict[str, Any] = {"crops": self.crops, "points": self.points, "yaw": self.yaw, "pitch": self.pitch}
        if self.shown is not None:
            parts["shown"] = self.shown
        np.savez(made, size=np.array(self.size), **parts)
        fresh = path.with_name(path.name + ".part")
        fresh.write_bytes(made.getvalue())
        fresh.replace(path)

    @classmethod
    def load(cls, path: Path) -> FaceSet:
        """Read what :meth:`save` wrote. Raises OSError, ValueError or KeyError for anything else."""
        with np.load(path, allow_pickle=False) as held:
            shown = held.get("shown")
            return cls(int(held["size"]), held["crops"], held["points"], held["yaw"], held["pitch"], shown)


def join(sets: Sequence[FaceSet]) -> FaceSet:
    """All faces of several sets of one size. Raises ValueError for none, and for sizes that differ."""
    if len({one.size for one in sets}) != 1:
        raise ValueError("only sets of one size can be joined")
    crops, points, yaw, pitch = (
        np.concatenate([getattr(one, part) for one in sets]) for part in ("crops", "points", "yaw", "pitch")
    )
    shown = None
    if any(one.shown is not None for one in sets):
        shown = np.concatenate([one.crops if one.shown is None else one.shown for one in sets])
    return FaceSet(sets[0].size, crops, points, yaw, pitch, shown)
