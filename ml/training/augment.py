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

    degraded: share of the crops that are degraded at all; the rest is only moved, mirrored and recoloured. MesoNet is
    small: when nearly every crop was degraded, it learned next to nothing in the time that larger networks need.
    rescale, blur, noise, jpeg: probabilities within that share; colour, light, hide: over all. tint: how far colours
    move, 1 = saturation by .3, contrast by .2, brightness by 20 of 255. smallest: pixels below which no crop is scaled
    down. closest: the smallest share of the square's side that a crop shows.
    """

    degraded: float = 0.5
    rescale: float = 0.5
    blur: float = 0.15
    noise: float = 0.15
    jpeg: float = 0.6
    colour: float = 0.3
    light: float = 0.0
    hide: float = 0.0
    tint: float = 1.0
    smallest: int = 64
    closest: float = 0.92


FULL = Strength()

RESCALED = Strength(degraded=1.0, rescale=1.0)
"""For a set whose classes were reduced from different sizes: none may keep the sharpness that its class came with."""

FILM = Strength(
    degraded=0.35,
    rescale=0.3,
    blur=0.05,
    noise=0.1,
    colour=0.95,
    light=0.7,
    hide=0.4,
    tint=2.0,
    smallest=96,
    closest=0.9,
)
"""For frames of a few films and shows. A network knows those by their colours, light and people long before it looks
for traces: so what repeats from frame to frame varies strongly, and parts of the face are hidden. The softness that the
autoencoders of 2018 leave in a face is their trace, and so their sharpness is changed less than that of photos."""


def augment(
    pixels: NDArray[np.uint8],
    square: Square,
    strength: Strength,
    random: np.random.Generator,
    fake: bool = False,
) -> NDArray[np.uint8]:
    """One training input from a prepared crop; with ``fake`` one that was made a fake first, by :func:`soften_inside`.

    pixels: uint8 (H, W, 3); square: the detectors' square in them. Returns uint8 (256, 256, 3).
    """
    if fake:
        pixels = soften_inside(pixels, square, random)
    moved, mirrored = look(square, strength, random)
    return change(pixels, moved, mirrored, strength, random)


def look(square: Square, strength: Strength, random: np.random.Generator) -> tuple[Square, bool]:
    """Where a training input looks: the square moved and scaled a little, and whether it is mirrored."""
    scale = random.uniform(strength.closest, 1.04)
    room = 0.04 + max(0.0, 0.96 - scale) / 2  # a closer look may go anywhere in the square
    moved = square.moved(random.uniform(-room, room), random.uniform(-room, room), scale)
    return moved, bool(random.random() < 0.5)


def change(
    pixels: NDArray[np.uint8],
    moved: Square,
    mirrored: bool,
    strength: Strength,
    random: np.random.Generator,
    size: int = INPUT_SIZE,
) -> NDArray[np.uint8]:
    """What a picture goes through, at its own resolution; then it is resized to uint8 (size, size, 3).

    The same generator state on pictures of the same size draws the same changes.
    """
    side = min(INPUT_SIZE, max(24, round(moved.side)))
    crop = cut(pixels, moved, side)
    if mirrored:
        crop = np.ascontiguousarray(crop[:, ::-1])
    if random.random() < strength.colour:
        crop = _recolour(crop, strength.tint, random)
    if random.random() < strength.light:
        crop = _relight(crop, random)
    if random.random() < strength.hide:
        crop = _hide(crop, random)
    if random.random() >= strength.degraded:
        return _resize(crop, size)
    if random.random() < strength.rescale:
        low = min(side, strength.smallest)
        crop = _resize(crop, int(random.integers(low, max(low, round(side * 0.95)) + 1)))
    if random.random() < strength.blur:
        crop = np.asarray(cv2.GaussianBlur(crop, (0, 0), random.uniform(0.3, 1.5)), np.uint8)
    if random.random() < strength.noise:
        crop = add_noise(crop, random.uniform(1.0, 8.0), random)
    if random.random() < strength.jpeg:
        crop = jpeg(crop, int(random.integers(30, 96)))
    if random.random() < 0.1:  # some pictures reach a person enlarged, and are saved again like that
        crop = jpeg(_resize(crop, INPUT_SIZE), int(random.integers(50, 96)))
    return _resize(crop, size)


def soften_inside(pixels: NDArray[np.uint8], square: Square, random: np.random.Generator) -> NDArray[np.uint8]:
    """What the autoencoders of 2018 leave: the inside of the face, rendered small, enlarged, and blended in.

    Such fakes are made of real faces, after Li and Lyu (Exposing DeepFake Videos By Detecting Face Warping Artifacts,
    2019): there are as many as there are reals, and scene and person tell nothing about them.
    """
    height, width = pixels.shape[:2]
    share = random.uniform(0.2, 0.55)
    small = cv2.resize(
        pixels, (max(8, round(width * share)), max(8, round(height * share))), interpolation=cv2.INTER_AREA
    )
    method = cv2.INTER_LINEAR if random.random() < 0.5 else cv2.INTER_CUBIC
    inside = np.asarray(cv2.resize(small, (width, height), interpolation=method), np.float32)
    inside = inside * random.uniform(0.93, 1.07) + random.uniform(-7, 7, 3).astype(np.float32)
    mask = np.zeros((height, width), np.float32)
    centre = (
        round(square.cx + square.side * random.uniform(-0.02, 0.02)),
        round(square.cy + square.side * random.uniform(-0.03, 0.05)),
    )
    axes = (round(square.side * random.uniform(0.26, 0.38)), round(square.side * random.uniform(0.3, 0.42)))
    if random.random() < 0.3:  # early programs pasted a rectangle
        corners = [(centre[0] - axes[0], centre[1] - axes[1]), (centre[0] + axes[0], centre[1] + axes[1])]
        cv2.rectangle(mask, corners[0], corners[1], (1.0,), -1)
    else:
        cv2.ellipse(mask, centre, axes, float(random.uniform(-8, 8)), 0, 360, (1.0,), -1)
    soft = max(0.5, square.side * random.uniform(0.01, 0.06))
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), soft), np.float32)[:, :, None] * np.float32(random.uniform(0.8, 1))
    return np.clip(mask * inside + (1 - mask) * pixels, 0, 255).astype(np.uint8)


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


def _recolour(crop: NDArray[np.uint8], tint: float, random: np.random.Generator) -> NDArray[np.uint8]:
    """Saturation, contrast, brightness and tint as one affine map of the three channels."""
    saturation = max(0.0, 1 + tint * random.uniform(-0.3, 0.3))
    if random.random() < 0.3 * (tint - 1):
        saturation = 0.0
    contrast = 1 + tint * random.uniform(-0.2, 0.2)
    mix = contrast * (saturation * np.eye(3) + (1 - saturation) / 3)
    shift = 128 * (1 - contrast) + tint * (random.uniform(-20, 20) + random.uniform(-6, 6, 3))
    return np.asarray(cv2.transform(crop, np.column_stack([mix, shift])), np.uint8)


def _relight(crop: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """A gamma, and light that falls off across the face."""
    side = crop.shape[0]
    table = (255 * (np.arange(256) / 255) ** random.uniform(0.65, 1.5)).astype(np.uint8)
    corners = random.uniform(0.65, 1.25, (2, 2)).astype(np.float32)
    field = np.asarray(cv2.resize(corners, (side, side), interpolation=cv2.INTER_LINEAR))[:, :, None]
    return np.clip(np.asarray(cv2.LUT(crop, table)) * field, 0, 255).astype(np.uint8)


def _hide(crop: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """One or two rectangles of a quarter to a half of the side each, in one colour."""
    side = crop.shape[0]
    crop = crop.copy()
    for _ in range(int(random.integers(1, 3))):
        high, wide = (int(n) for n in random.integers(side // 4, side // 2 + 1, 2))
        y, x = int(random.integers(0, side - high + 1)), int(random.integers(0, side - wide + 1))
        crop[y : y + high, x : x + wide] = random.integers(0, 256, 3)
    return crop
