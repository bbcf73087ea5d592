"""Patches of photographs: clean ones, and what downscaling, noise, JPEG and blur make of them.

The folder holds ``bsds500/train_*.jpg`` and ``test_*.jpg`` (Arbelaez et al., TPAMI 2011). They are JPEGs; each is first
reduced, so that their block noise is no ground truth. Every fifth of the test pictures chooses weights (``val``), the
others are held out for the evaluation.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from ml.restore.resample import resampled_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

SPLITS = ("train", "val", "held_out")
VAL_EVERY = 5
SHRINK = 0.8

MAX_SIGMA = 50.0
MAX_BLUR = 3.0
QUALITIES = (10, 80)
MIX = "nnnnjjbb"


def paths(root: Path, split: str) -> list[Path]:
    """The pictures of one split, sorted. Raises ValueError for an unknown split, FileNotFoundError for none."""
    if split not in SPLITS:
        raise ValueError(f"no such split: {split!r}; there are {', '.join(SPLITS)}")
    found = sorted((root / "bsds500").glob("train_*.jpg" if split == "train" else "test_*.jpg"))
    if split != "train":
        found = [path for number, path in enumerate(found) if (number % VAL_EVERY == 0) == (split == "val")]
    if not found:
        raise FileNotFoundError(f"no pictures of the split {split} in {root}")
    return found


def fingerprint(files: Sequence[Path]) -> str:
    """A short hash of which pictures there are: it names the data in cards and tables."""
    return hashlib.sha256("\n".join(path.name for path in files).encode()).hexdigest()[:16]


def clean(path: Path, shrink: float = SHRINK) -> NDArray[np.uint8]:
    """A picture reduced by ``shrink``: uint8 (H, W, 3) RGB."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
    if shrink == 1.0:
        return pixels
    return resampled_bytes(pixels, round(pixels.shape[0] * shrink), round(pixels.shape[1] * shrink))


def downscaled(picture: NDArray[np.uint8], scale: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """(small, truth): the truth cut to multiples of ``scale``, and its bicubic reduction in whole numbers."""
    height, width = (side // scale for side in picture.shape[:2])
    truth = picture[: height * scale, : width * scale]
    return resampled_bytes(truth, height, width), truth


def noisy(picture: NDArray[np.float32], sigma: float, random: np.random.Generator) -> NDArray[np.float32]:
    """White Gaussian noise of ``sigma`` (of 255) on float32 in [0, 1]; not clipped, as in the published tables."""
    return picture + random.normal(0, sigma / 255, picture.shape).astype(np.float32)


def jpeg(picture: NDArray[np.float32], quality: int, full_colour: bool = False) -> NDArray[np.float32]:
    """float32 (H, W, 3) in [0, 1] through a JPEG of this quality; colour at half size unless ``full_colour``."""
    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444 if full_colour else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
    pixels = np.clip(np.rint(picture * 255), 0, 255).astype(np.uint8)
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(pixels[:, :, ::-1]), options)
    back = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return np.asarray(back[:, :, ::-1], np.float32) / 255


def blurred(picture: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """A Gaussian blur of ``sigma`` px on float32 (H, W, 3)."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101), np.float32)


@dataclass(frozen=True, slots=True)
class Enlargements:
    """Batches for an upscaler: cuts of (small, truth) pairs, made at several sizes, turned and mirrored.

    ``at(step)`` gives float32 ((N, side, side, 3),), (N, side*scale, side*scale, 3) in [0, 1], the same for the same
    step and seed.
    """

    pairs: Sequence[tuple[NDArray[np.uint8], NDArray[np.uint8]]]
    scale: int
    batch: int
    side: int
    seed: int

    @classmethod
    def read(cls, files: Sequence[Path], scale: int, batch: int, side: int, seed: int) -> Enlargements:
        """Read pictures and reduce them once; those too small for a patch are left out. ValueError when all are."""
        pairs = [downscaled(clean(path, shrink), scale) for path in files for shrink in (SHRINK, 0.6)]
        fitting = [pair for pair in pairs if min(pair[0].shape[:2]) >= side]
        if not fitting:
            raise ValueError(f"no picture is large enough for patches of {side} px at scale {scale}")
        return cls(fitting, scale, batch, side, seed)

    def at(self, step: int) -> tuple[tuple[NDArray[np.float32], ...], NDArray[np.float32]]:
        """The batch of one step."""
        random = np.random.default_rng((self.seed, step))
        small, large = [], []
        for index in random.integers(len(self.pairs), size=self.batch):
            low, truth = self.pairs[index]
            y, x = (int(random.integers(extent - self.side + 1)) for extent in low.shape[:2])
            turn, flip = int(random.integers(4)), bool(random.integers(2))
            s, k = self.side, self.scale
            small.append(_turned(low[y : y + s, x : x + s], turn, flip))
            large.append(_turned(truth[y * k : (y + s) * k, x * k : (x + s) * k], turn, flip))
        return (_unit(small),), _unit(large)


@dataclass(frozen=True, slots=True)
class Faults:
    """Batches for the restorer: clean patches and what one fault, or now and then two, made of them.

    ``at(step)`` gives float32 ((N, side, side, 3), levels (N, 3)), clean (N, side, side, 3). ``mix`` names the faults
    of the patches by turns: n is noise (sigma up to 50), j a JPEG (quality 10 to 80), b blur (sigma up to 3 px, with a
    little noise).
    """

    pictures: Sequence[NDArray[np.uint8]]
    batch: int
    side: int
    seed: int
    mix: str = MIX

    @classmethod
    def read(cls, files: Sequence[Path], batch: int, side: int, seed: int, mix: str = MIX) -> Faults:
        """Read and reduce pictures. Raises ValueError when none is large enough, or for another letter in ``mix``."""
        if not mix or set(mix) - set("njb"):
            raise ValueError(f"the mix of faults is told in the letters n, j and b, not as {mix!r}")
        pictures = [picture for picture in map(clean, files) if min(picture.shape[:2]) >= side + 16]
        if not pictures:
            raise ValueError(f"no picture is large enough for patches of {side} px")
        return cls(pictures, batch, side, seed, mix)

    def at(self, step: int) -> tuple[tuple[NDArray[np.float32], ...], NDArray[np.float32]]:
        """The batch of one step."""
        random = np.random.default_rng((self.seed, step))
        inputs, levels, truths = [], [], []
        for number in range(self.batch):
            picture = self.pictures[int(random.integers(len(self.pictures)))]
            # A margin of 8 px: what blur and JPEG mirror at the cut's edge is not learnt from.
            y, x = (int(random.integers(extent - self.side - 15)) for extent in picture.shape[:2])
            cut = picture[y : y + self.side + 16, x : x + self.side + 16]
            wide = _turned(cut, int(random.integers(4)), bool(random.integers(2))).astype(np.float32) / np.float32(255)
            worse, level = _fault(wide, self.mix[number % len(self.mix)], random)
            dy, dx = (int(random.integers(16)) for _ in range(2))  # JPEG's blocks may begin anywhere in the patch
            inputs.append(worse[dy : dy + self.side, dx : dx + self.side])
            truths.append(wide[dy : dy + self.side, dx : dx + self.side])
            levels.append(level)
        return (np.stack(inputs), np.array(levels, np.float32)), np.stack(truths)


def _fault(
    picture: NDArray[np.float32], kind: str, random: np.random.Generator
) -> tuple[NDArray[np.float32], tuple[float, float, float]]:
    if kind == "n":
        sigma = float(random.uniform(0, MAX_SIGMA))
        return noisy(picture, sigma, random), (sigma / MAX_SIGMA, 0.0, 0.0)
    if kind == "j":
        quality = int(random.integers(QUALITIES[0], QUALITIES[1] + 1))
        return jpeg(picture, quality, full_colour=random.random() < 0.3), (0.0, jpeg_level(quality), 0.0)
    blur, sigma = float(random.uniform(0.3, MAX_BLUR)), float(random.uniform(0, 5))
    return noisy(blurred(picture, blur), sigma, random), (sigma / MAX_SIGMA, 0.0, blur / MAX_BLUR)


def jpeg_level(quality: int) -> float:
    """A JPEG's quality, 0 to 100, as the restorer's level: 0 at 100, 1 at 10 and below."""
    return min(1.0, (100 - quality) / 90)


def _turned(cut: NDArray[np.uint8], turn: int, flip: bool) -> NDArray[np.uint8]:
    turned = np.rot90(cut, turn)
    return turned[:, ::-1] if flip else turned


def _unit(patches: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    return np.stack(patches).astype(np.float32) / 255
