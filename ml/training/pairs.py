"""Batches for the boundary detector: blends beside their real partners, and real swaps beside reals.

A fake and its partner go through the same look, colours, blur, noise and compression, drawn once for the two: nothing
outside the mask tells them apart. A batch depends on seed and number alone, so that any process can make it ahead
(``ml.training.stock``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.faces import cut
from ml.networks.boundary import INPUT_SIZE, MAP_SIZE
from ml.training.augment import Strength, change, look
from ml.training.batches import group_weights
from ml.training.blending import LEARNED_RATIOS, Blender

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ml.faces import Square
    from ml.training.blending import Blend
    from ml.training.dataset import Sample

PHOTO = Strength(
    degraded=0.4, rescale=0.5, blur=0.3, noise=0.2, jpeg=0.6, colour=0.5, light=0.2, smallest=64, closest=0.85
)

REDUCED = Strength(degraded=1.0, rescale=1.0, blur=0.3, noise=0.2, jpeg=0.5, colour=0.5, smallest=64, closest=0.85)
"""For a set whose classes were reduced from different sizes: none may keep the sharpness that its class came with."""

FILM = Strength(
    degraded=0.4, rescale=0.4, blur=0.15, noise=0.2, jpeg=0.6, colour=0.95, light=0.6, hide=0.15, tint=1.7,
    smallest=80, closest=0.8,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Share:
    """What a batch of 64 takes from a set: pairs of a blend and its partner, and single reals and swaps."""

    pairs: int
    real: int
    fake: int
    strength: Strength


SHARES: dict[str, Share] = {
    "openforensics": Share(8, 4, 4, PHOTO),
    "openforensics_extra": Share(3, 1, 1, REDUCED),
    "mesonet_filmtv": Share(8, 3, 3, FILM),
    "youtube_faces": Share(5, 0, 0, FILM),
}


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """pixels uint8 (N, 128, 128, 3); labels float32 (N, 1), 1 = manipulated; maps uint8 (N, 32, 32, 1), 255 = seam.

    known: float32 (N, 1), 1 where the map is the truth, 0 for real swaps, whose seam nobody knows.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.float32]
    maps: NDArray[np.uint8]
    known: NDArray[np.float32]


class Pairs:
    """Draws batches: groups by the square root of their size, sets by :data:`SHARES`, else all alike."""

    def __init__(self, samples: Sequence[Sample], batch: int, seed: int) -> None:
        if batch < 4:
            raise ValueError("a batch holds at least four pictures")
        self.batch, self.seed = batch, seed
        self._blender = Blender(samples, ratios=LEARNED_RATIOS)
        self._pools: list[tuple[float, str, Strength, list[Sample], NDArray[np.float64]]] = []
        names = sorted({s.row.set for s in samples if s.row.label != "synthetic"})
        ours = [name for name in names if name in SHARES]
        for name in ours or names:
            share = SHARES.get(name, Share(2, 1, 1, PHOTO))
            real = [s for s in samples if s.row.set == name and not s.row.manipulated]
            fake = [s for s in samples if s.row.set == name and s.row.manipulated]
            for count, kind, pool in (
                (share.pairs, "pair", real),
                (share.real if fake else 0, "real", real),
                (share.fake if real else 0, "fake", fake),
            ):
                if count and pool:
                    self._pools.append((count, kind, share.strength, pool, group_weights(pool)))
        if not self._pools:
            raise ValueError("training needs real faces")

    def at(self, number: int) -> Batch:
        """The batch of this number; where a pair would not fit at its end, a single picture is drawn."""
        random = np.random.default_rng((self.seed, number))
        parts: list[tuple[NDArray[np.uint8], float, NDArray[np.uint8], float]] = []
        costs = np.array([count for count, *_ in self._pools], np.float64)
        weights = costs / costs.sum()
        wanted = self._counts(random)
        while len(parts) < self.batch:
            chosen = wanted.pop() if wanted else int(random.choice(len(weights), p=weights))
            _, kind, strength, pool, chances = self._pools[chosen]
            sample = pool[int(random.choice(len(pool), p=chances))]
            if kind == "pair":
                if len(parts) + 2 <= self.batch:
                    parts += _pair(self._blender.blend(sample, random), sample.square, strength, random)
                continue
            parts.append(_single(sample, strength, random))
        pixels, labels, maps, known = zip(*parts, strict=True)
        column = (self.batch, 1)
        return Batch(
            np.stack(pixels), np.array(labels, np.float32).reshape(column), np.stack(maps),
            np.array(known, np.float32).reshape(column),
        )  # fmt: skip

    def _counts(self, random: np.random.Generator) -> list[int]:
        """Pools in their exact shares, as far as whole numbers allow; what rounding leaves is drawn by the caller."""
        total = sum(count * (2 if kind == "pair" else 1) for count, kind, *_ in self._pools)
        chosen: list[int] = []
        for index, (count, *_) in enumerate(self._pools):
            chosen += [index] * int(count * self.batch // total)
        random.shuffle(chosen)
        return chosen


def _pair(
    blend: Blend, square: Square, strength: Strength, random: np.random.Generator
) -> list[tuple[NDArray[np.uint8], float, NDArray[np.uint8], float]]:
    moved, mirrored = look(square, strength, random)
    seed = int(random.integers(2**32))
    fake, real = (
        change(pixels, moved, mirrored, strength, np.random.default_rng(seed), INPUT_SIZE)
        for pixels in (blend.fake, blend.real)
    )
    seam = cut(blend.seam, moved, MAP_SIZE)
    seam = np.ascontiguousarray(seam[:, ::-1] if mirrored else seam)[:, :, None]
    return [(fake, 1.0, seam, 1.0), (real, 0.0, np.zeros_like(seam), 1.0)]


def _single(
    sample: Sample, strength: Strength, random: np.random.Generator
) -> tuple[NDArray[np.uint8], float, NDArray[np.uint8], float]:
    moved, mirrored = look(sample.square, strength, random)
    pixels = change(sample.pixels, moved, mirrored, strength, random, INPUT_SIZE)
    fake = float(sample.row.manipulated)
    return pixels, fake, np.zeros((MAP_SIZE, MAP_SIZE, 1), np.uint8), 1.0 - fake


def held_out(samples: Sequence[Sample], count: int, seed: int = 97) -> tuple[Batch, list[str]]:
    """``count`` pairs of blends and partners from these reals, only cut, with their kinds: what is measured on.

    The pictures come fake, real, fake, real; the kinds take turns, and so do the sets.
    """
    from ml.training.blending import KINDS

    random = np.random.default_rng(seed)
    blender = Blender(samples)
    sets = sorted({s.row.set for s in samples if not s.row.manipulated})
    pools = [[s for s in samples if s.row.set == name and not s.row.manipulated] for name in sets]
    pixels, maps, kinds = [], [], []
    for number in range(count):
        pool = pools[number % len(pools)]
        sample = pool[int(random.integers(len(pool)))]
        blend = blender.blend(sample, random, KINDS[(number // len(pools)) % len(KINDS)])
        seam = cut(blend.seam, sample.square, MAP_SIZE)[:, :, None]
        pixels += [cut(blend.fake, sample.square, INPUT_SIZE), cut(blend.real, sample.square, INPUT_SIZE)]
        maps += [seam, np.zeros_like(seam)]
        kinds.append(blend.kind)
    labels = np.tile(np.array([[1.0], [0.0]], np.float32), (count, 1))
    return Batch(np.stack(pixels), labels, np.stack(maps), np.ones((2 * count, 1), np.float32)), kinds
