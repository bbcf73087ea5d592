"""Balanced training batches: every set in its share, both classes in equal numbers."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.faces import INPUT_SIZE
from ml.training.augment import FILM, FULL, RESCALED, Strength, augment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from ml.training.dataset import Sample

    Batch = tuple[NDArray[np.uint8], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Share:
    """How many reals and fakes of a set a batch of 32 holds, how strongly they are changed, how many fakes are made."""

    real: int
    fake: int
    strength: Strength
    made: int = 0


SHARES: dict[str, Share] = {
    "openforensics": Share(5, 5, FULL),
    "openforensics_extra": Share(2, 2, RESCALED),  # both classes in equal numbers: its sizes differ between them
    "mesonet_filmtv": Share(6, 4, FILM, made=3),
    "youtube_faces": Share(3, 0, FILM, made=2),
}


@dataclass(frozen=True, slots=True, eq=False)
class _Pool:
    count: int
    strength: Strength
    samples: list[Sample]
    weights: NDArray[np.float64]
    made: bool

    @property
    def label(self) -> int:
        return 1 if self.made else self.samples[0].row.manipulated


class Batches:
    """Draws batches for ever, the same ones for the same seed.

    samples: prepared crops of the train split. Groups are drawn by the square root of their size, so that the longest
    videos do not drown the short ones. Sets without a share in :data:`SHARES` are left out; when none has one (a folder
    of somebody's own), every set gets an equal share.
    """

    def __init__(self, samples: Sequence[Sample], batch: int, seed: int, threads: int = 1) -> None:
        if batch < 2:
            raise ValueError("a batch holds at least two pictures")
        self._batch, self._seed, self._threads = batch, seed, threads
        self._pools: list[_Pool] = []
        known = {s.row.set for s in samples} & set(SHARES)
        for name in sorted({s.row.set for s in samples}):
            share = SHARES.get(name) if known else Share(1, 1, FULL)
            if share is None:
                continue
            for manipulated, count, made in ((0, share.real, False), (1, share.fake, False), (0, share.made, True)):
                pool = [s for s in samples if s.row.set == name and s.row.manipulated == manipulated]
                if pool and count:
                    self._pools.append(_Pool(count, share.strength, pool, group_weights(pool), made))
        if {pool.label for pool in self._pools} != {0, 1}:
            raise ValueError("training needs real and manipulated faces")

    def at(self, step: int) -> Batch:
        """The batch of one step: uint8 (batch, 256, 256, 3) and its labels float32 (batch, 1), 1 = manipulated."""
        random = np.random.default_rng((self._seed, step))
        shares = np.array([pool.count for pool in self._pools], np.float64)
        exact = shares / shares.sum() * self._batch
        counts = np.floor(exact).astype(int)
        # What rounding leaves is drawn, so that on average every pool has its exact share.
        rest = self._batch - int(counts.sum())
        if rest:
            left = exact - counts
            for extra in random.choice(len(counts), rest, replace=False, p=left / left.sum()):
                counts[extra] += 1
        pixels = np.empty((self._batch, INPUT_SIZE, INPUT_SIZE, 3), np.uint8)
        labels = np.empty((self._batch, 1), np.float32)
        at = 0
        for count, pool in zip(counts, self._pools, strict=True):
            for chosen in random.choice(len(pool.samples), count, p=pool.weights):
                sample = pool.samples[chosen]
                pixels[at] = augment(sample.pixels, sample.square, pool.strength, random, fake=pool.made)
                labels[at] = pool.label
                at += 1
        return pixels, labels

    def from_step(self, step: int) -> Iterator[Batch]:
        """Batches from ``step`` on, for ever, made ahead by ``threads`` threads."""
        cv2.setNumThreads(1)
        ready: queue.Queue[object] = queue.Queue(maxsize=max(2, 2 * self._threads))
        stop = threading.Event()

        def produce() -> None:
            with ThreadPoolExecutor(self._threads) as pool:
                number = step
                while not stop.is_set():
                    made: list[object] = list(pool.map(self._caught, range(number, number + self._threads)))
                    number += self._threads
                    for batch in made:
                        while not stop.is_set():
                            try:
                                ready.put(batch, timeout=0.2)
                                break
                            except queue.Full:
                                continue

        threading.Thread(target=produce, name="batches", daemon=True).start()
        try:
            while True:
                batch = ready.get()
                if isinstance(batch, Exception):
                    raise batch
                yield batch  # type: ignore[misc]
        finally:
            stop.set()

    def _caught(self, step: int) -> Batch | Exception:
        try:
            return self.at(step)
        except Exception as error:  # noqa: BLE001 - handed to the consuming thread, which raises it
            return error


def group_weights(pool: Sequence[Sample]) -> NDArray[np.float64]:
    sizes: dict[str, int] = {}
    for sample in pool:
        sizes[sample.row.group] = sizes.get(sample.row.group, 0) + 1
    weights = np.array([sizes[sample.row.group] ** -0.5 for sample in pool], np.float64)
    return np.asarray(weights / weights.sum(), np.float64)
