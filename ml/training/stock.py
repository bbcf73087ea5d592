"""Batches made ahead by other processes: a folder of numbered files.

A batch is a function of its number alone. So whoever trains takes the file of a number where there is one and makes the
batch itself where there is none: a run sees the same batches however many processes help, and when.
"""

from __future__ import annotations

import os
import time
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Source(Protocol):
    """What makes the batch of a number: a frozen dataclass of arrays."""

    def at(self, number: int) -> Any:
        """The batch."""


def fill(source: Source, folder: Path, first: int, last: int, stride: int = 1, most: int = 4000) -> None:
    """Write batches ``first`` to ``last``, every ``stride``-th; waits while ``most`` files lie there unused."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, last, stride):
        while sum(1 for _ in folder.iterdir()) >= most:
            time.sleep(2)
        path = folder / f"{number:07d}.npz"
        if path.exists() or number < _passed(folder):
            continue
        batch = source.at(number)
        fresh = folder / f"{number:07d}.{os.getpid()}.tmp"
        with fresh.open("wb") as file:
            np.savez(file, **{field.name: getattr(batch, field.name) for field in fields(batch)})
        fresh.replace(path)


def _passed(folder: Path) -> int:
    """How far the run is: batches before that need not be made any more."""
    path = folder / "passed"
    return int(path.read_text() or 0) if path.exists() else 0


def batches(source: Source, folder: Path | None, make: Callable[..., Any], first: int) -> Iterator[Any]:
    """Batches from ``first`` on, for ever; files are removed once read. make: the batch's class."""
    number = first
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    while True:
        path = None if folder is None else folder / f"{number:07d}.npz"
        if path is not None and path.is_file():
            with np.load(path) as arrays:
                batch = make(**{name: arrays[name] for name in arrays.files})
            path.unlink()
        else:
            batch = source.at(number)
        if folder is not None and number % 20 == 0:
            (folder / "passed").write_text(str(number))
        yield batch
        number += 1
