"""Batches of made frames, kept in the work folder of a request until it is done."""

from __future__ import annotations

import hashlib
import zipfile
from typing import TYPE_CHECKING

import numpy as np

from ml.animate.model import Made

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from ml.networks.fomm.keypoints import Keypoints

UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)
"""What reading half a file of an earlier attempt may raise."""


class Batches:
    """folder: where to keep them, or None. what: the keypoints that the frames are made from; batches that were made
    from others are not taken.
    """

    def __init__(self, folder: Path | None, what: Iterable[Keypoints]) -> None:
        self._folder = folder
        digest = hashlib.sha256()
        for each in what:
            digest.update(each.value.tobytes())
            digest.update(each.jacobian.tobytes())
        self._stamp = digest.hexdigest()[:16]

    def of(self, first: int, make: Callable[[], Made]) -> Made:
        """The batch that begins with this frame: as it was kept, or made now."""
        if self._folder is None:
            return make()
        path = self._folder / f"{self._stamp}-{first:06d}.npz"
        try:
            # Opened here: NumPy leaves a file open in which it finds no archive.
            with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
                return Made(held["pixels"], held["flow"], held["kept"])
        except UNREADABLE:
            made = make()
        self._folder.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".part.npz")
        np.savez(fresh, pixels=made.pixels, flow=made.flow, kept=made.kept)
        fresh.replace(path)  # whole or not at all
        return made
