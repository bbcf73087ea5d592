"""Batches for the synthesis detector: renderings beside their real partners, portraits beside reals of like size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.networks.synthesis import INPUT_SIZE
from ml.training.augment import Strength, change, look
from ml.training.batches import group_weights
from ml.training.generators import cleaned, resampled
from ml.training.renders import matched, nearer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ml.faces import Square
    from ml.training.dataset import Sample

    Rendered = Sequence[tuple[Sample, NDArray[np.uint8]]]

STRENGTH = Strength(
    degraded=0.6, rescale=0.5, blur=0.3, noise=0.2, jpeg=0.6, colour=0.6, light=0.3, smallest=56, closest=0.7
)

PORTRAITS = 5
"""Of a batch of 64, where there are synthetic portraits to train on; as many reals are brought to the same sizes."""

FILTERED = 16
"""Pairs of a batch of 64 whose fake is no rendering: resampled and cleaned by turns."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """pixels uint8 (N, 128, 128, 3); labels float32 (N, 1), 1 = generated."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.float32]


class Renderings:
    """Draws batches. rendered: by kind, reals and their renderings; portraits: samples of synthetic faces, or none."""

    def __init__(
        self,
        reals: Sequence[Sample],
        rendered: Mapping[str, Rendered],
        portraits: Sequence[Sample],
        batch: int,
        seed: int,
    ) -> None:
        if batch < 8 or batch % 2:
            raise ValueError("a batch holds an even number of pictures, at least eight")
        if not reals:
            raise ValueError("training needs real faces")
        self.batch, self.seed = batch, seed
        self._reals, self._weights = list(reals), group_weights(reals)
        self._rendered = [pool for pool in rendered.values() if pool]
        self._portraits = list(portraits)

    def at(self, number: int) -> Batch:
        """The batch of this number."""
        random = np.random.default_rng((self.seed, number))
        pictures: list[NDArray[np.uint8]] = []
        singles = PORTRAITS * self.batch // 64 if self._portraits else 0
        pairs = self.batch // 2 - singles
        plain = pairs if not self._rendered else FILTERED * self.batch // 64
        for index in range(pairs):
            if index < plain:
                sample = self._real(random)
                fake = (cleaned if index % 2 else resampled)(np.ascontiguousarray(sample.pixels), random)
            else:
                pool = self._rendered[index % len(self._rendered)]
                sample, made = pool[int(random.integers(len(pool)))]
                fake = nearer(sample.pixels, made, random.uniform(0.3, 1.0))
            pictures += _alike(fake, sample.pixels, sample.square, random)
        for _ in range(singles):
            real, portrait = self._real(random), self._portraits[int(random.integers(len(self._portraits)))]
            side = real.square.side * random.uniform(0.8, 1.0)
            for each in (portrait, real):
                small = matched(each, side)
                pictures.append(_one(small.pixels, small.square, random))
        labels = np.tile(np.array([[1.0], [0.0]], np.float32), (self.batch // 2, 1))
        return Batch(np.stack(pictures), labels)

    def _real(self, random: np.random.Generator) -> Sample:
        return self._reals[int(random.choice(len(self._reals), p=self._weights))]


def _one(pixels: NDArray[np.uint8], square: Square, random: np.random.Generator) -> NDArray[np.uint8]:
    moved, mirrored = look(square, STRENGTH, random)
    return change(pixels, moved, mirrored, STRENGTH, random, INPUT_SIZE)


def _alike(
    fake: NDArray[np.uint8], real: NDArray[np.uint8], square: Square, random: np.random.Generator
) -> list[NDArray[np.uint8]]:
    """Both after the same changes."""
    moved, mirrored = look(square, STRENGTH, random)
    seed = int(random.integers(2**32))
    return [
        change(pixels, moved, mirrored, STRENGTH, np.random.default_rng(seed), INPUT_SIZE) for pixels in (fake, real)
    ]
