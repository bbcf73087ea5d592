"""What happens to a training crop before the network sees it: the same for real and fake, drawn anew every time.

Real and fake pictures of the training data differ in sharpness, noise and compression. Every crop is therefore
rescaled, blurred, given noise, re-encoded and recoloured at random, at its own resolution, before it is enlarged to the
network's input, as the pictures that people upload were before they reach it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.faces import INPUT_SIZE, Square, cut

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Strength:
    """How often and how far a crop is changed.

    rescale, blur, noise, jpeg, colour: probabilities. smallest: pixels below which no crop is scaled down.
    """

    rescale: float = 0.6
    blur: float = 0.2
    noise: float = 0.2
    jpeg: float = 0.7
    colour: float = 0.4
    smallest: int = 56


FULL = Strength()

GENTLE = Strength(rescale=0.5, blur=0.1, noise=0.1, jpeg=0.5, colour=0.4, smallest=80)
"""For frames of film and video, soft and compressed as they are: more would leave nothing to learn from."""


def augment(
    pixels: NDArray[np.uint8], square: Square, strength: Strength, random: np.random.Generator
) -> NDArray[np.uint8]:
    """One training input from a prepared crop.

    pixels: uint8 (H, W, 3); square: the detectors' square in them. Returns uint8 (256, 256, 3).
    """
    moved = square.moved(random.uniform(-0.04, 0.04), random.uniform(-0.04, 0.04), random.uniform(0.92, 1.04))
    side = min(INPUT_SIZE, max(24, round(moved.side)))
    crop = cut(pixels, moved, side)
    if random.random() < 0.5:
        crop = np.ascontiguousarray(crop[:, ::-1])
    if random.random() < strength.colour:
        crop = _recolour(crop, random)
    if random.random() < strength.rescale:
        low = min(side, strength.smallest)
        crop = _resize(crop, int(random.integers(low, max(low, round(side * 0.95)) + 1)))
    if random.random() < strength.blur:
        crop = np.asarray(cv2.GaussianBlur(crop, (0, 0), random.uniform(0.3, 1.5)), np.uint8)
    if random.random() < strength.noise:
        crop = add_noise(crop, random.uniform(1.0, 8.0), random)
    if random.random() < strength.jpeg:
        crop = jpeg(crop, int(random.integers(30, 96)))
    if random.random() < 0.15:  # some pictures reach a person enlarged, and are saved again like that
        crop = jpeg(_resize(crop, INPUT_SIZE), int(random.integers(50, 96)))
    return _resize(crop, INPUT_SIZE)


def jpeg(crop: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Encode and decode uint8 (H, W, 3) RGB as JPEG of this quality (1 to 100), chroma halved as cameras do."""
    _, data = cv2.imencode(".jpg", crop[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[:, :, ::-1])


def add_noise(crop: NDArray[np.uint8], sigma: float, random: np.random.Generator) -> NDArray[np.uint8]:
    """Add Gaussian noise of standard deviation ``sigma`` (in 0..255 units) to uint8 (H, W, 3)."""
    noise = random.standard_normal(crop.shape, np.float32) * np.float32(sigma)
    return np.clip(crop + noise, 0, 255).astype(np.uint8)


def _resize(crop: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    if crop.shape[0] == side:
        return crop
    method = cv2.INTER_AREA if side < crop.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop, (side, side), interpolation=method), np.uint8)


def _recolour(crop: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Saturation, contrast, brightness and tint as one affine map of the three channels."""
    saturation, contrast = random.uniform(0.7, 1.3), random.uniform(0.8, 1.2)
    mix = contrast * (saturation * np.eye(3) + (1 - saturation) / 3)
    shift = 128 * (1 - contrast) + random.uniform(-20, 20) + random.uniform(-6, 6, 3)
    return np.asarray(cv2.transform(crop, np.column_stack([mix, shift])), np.uint8)
