"""Checkpoints that survive being killed while they are written: whole or not at all, the last three kept."""

from __future__ import annotations

import io
import json
import os
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

KEPT = 3
_UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """Arrays by name, and what is to be said about them (plain JSON, with "step")."""

    arrays: dict[str, NDArray[Any]]
    about: dict[str, Any]


class Checkpoints:
    """The checkpoints of one run, in a folder of their own: ``step-00001200.npz``, without pickles."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for left_over in folder.glob("*.part"):
            left_over.unlink(missing_ok=True)

    def save(self, step: int, arrays: Mapping[str, NDArray[Any]], about: Mapping[str, Any]) -> Path:
        """Write the checkpoint of ``step`` and forget all but the last three.

        The bytes are on the disk before the name is: a reader finds the old ones or the new. Raises OSError when there
        is no room; the older ones are untouched then.
        """
        made = io.BytesIO()
        words = np.frombuffer(json.dumps({**about, "step": step}).encode(), np.uint8)
        np.savez(made, about=words, **{f"array/{name}": array for name, array in arrays.items()})
        path = self.folder / f"step-{step:08d}.npz"
        fresh = path.with_suffix(".part")
        try:
            with fresh.open("wb") as file:
                file.write(made.getbuffer())
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise
        self._sync()
        for old in self.paths()[:-KEPT]:
            old.unlink(missing_ok=True)
        return path

    def newest(self) -> Checkpoint | None:
        """The last checkpoint that can be read; None when there is none."""
        for path in reversed(self.paths()):
            try:
                # Opened here: NumPy leaves a file open in which it finds no archive.
                with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
                    about = json.loads(held["about"].tobytes())
                    names = [name for name in held.files if name.startswith("array/")]
                    return Checkpoint({name.removeprefix("array/"): held[name] for name in names}, about)
            except _UNREADABLE:
                continue
        return None

    def paths(self) -> list[Path]:
        """The checkpoints, oldest first."""
        return sorted(self.folder.glob("step-*.npz"))

    def _sync(self) -> None:
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
