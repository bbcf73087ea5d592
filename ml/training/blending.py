"""Fakes made from real faces: a face is blended into a face, and the seam is known.

Three kinds, so that no trick of one of them becomes the feature:

- "self": the face over itself, one of the two changed in colour and sharpness and the source moved a little (Shiohara
  and Yamasaki, Detecting Deepfakes with Self-Blended Images, CVPR 2022);
- "decoder": the same, but the source is rendered small and enlarged, without its noise and a little out of shape, as
  an autoencoder leaves a face;
- "other": the face of somebody else with like landmarks, moved onto this one and given its colours (Li et al., Face
  X-ray, CVPR 2020).

The real partner of a fake is the very picture that it was blended into. Nothing is encoded here: what happens to
pictures later happens to both alike (``ml.training.pairs``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ml.training.dataset import Sample

    Pixels = NDArray[np.uint8]
    Plane = NDArray[np.float32]

KINDS = ("self", "decoder", "other")

FILM_KINDS = (0.35, 0.35, 0.30)
PHOTO_KINDS = (0.50, 0.20, 0.30)

RATIOS = (0.25, 0.5, 0.75, 1.0, 1.0, 1.0)
"""How much of the source a blend takes, drawn from these, as published."""

LEARNED_RATIOS = (0.5, 0.75, 1.0, 1.0, 1.0, 1.0)
"""The same for a small network's training: of the faintest blends nothing is left after compression to learn from."""

_GRID = 128  # pixels on which masks are drawn, warped and softened, over the whole crop
_FIELDS = 64
_CANDIDATES = 24
_BROWS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)
_CHIN = (176, 148, 152, 377, 400)
_CHEEKS = (50, 187, 192, 280, 411, 416)
_POINTS = slice(0, 468, 6)  # of the mesh, enough to compare poses


@dataclass(frozen=True, slots=True, eq=False)
class Blend:
    """A fake, its real partner (both uint8 (H, W, 3)), and the seam 4 m (1 - m) as uint8 (H, W), 255 = 1.

    mask: the m that the fake was blended with after its ratio, float32 (H, W).
    """

    fake: Pixels
    real: Pixels
    seam: Pixels
    mask: Plane
    kind: str


class Blender:
    """Makes blends of prepared crops of real faces; donors are looked for among ``samples``."""

    def __init__(self, samples: Sequence[Sample], seed: int = 2018, ratios: Sequence[float] = RATIOS) -> None:
        self._ratios = tuple(ratios)
        random = np.random.default_rng(seed)
        self._fields = [_field(random) for _ in range(_FIELDS)]
        self._donors: dict[str, list[Sample]] = {}
        for sample in samples:
            if sample.landmarks is not None and not sample.row.manipulated:
                self._donors.setdefault(sample.row.set, []).append(sample)
        self._shapes = {
            name: np.stack([_shape(_mesh(s)) for s in pool]).reshape(len(pool), -1)
            for name, pool in self._donors.items()
        }

    def blend(self, sample: Sample, random: np.random.Generator, kind: str | None = None) -> Blend:
        """Blend something into a real face. kind: one of :data:`KINDS`, drawn when left out.

        "other" falls back to "decoder" where there is no mesh or nobody else to take a face from.
        """
        if kind is None:
            film = sample.row.set == "mesonet_filmtv"
            kind = str(random.choice(KINDS, p=FILM_KINDS if film else PHOTO_KINDS))
        target = np.ascontiguousarray(sample.pixels)
        donor = self._donor(sample, random) if kind == "other" else None
        if kind == "other" and donor is None:
            kind = "decoder"
        mask = self._mask(sample, random)
        if kind == "self":
            source, target, mask = self._self(target, mask, random)
        elif donor is None:
            source = self._decoded(target, sample, random)
            source, mask = _nudged(source, mask, 0.02, random)
        else:
            source = _moved_onto(donor, sample)
            source = _recoloured(source, target, mask, random)
            if random.random() < 0.6:
                source = self._decoded(source, sample, random)
        soft = np.asarray(cv2.resize(_softened(mask, random), target.shape[1::-1]), np.float32)
        ratio = float(random.choice(self._ratios))
        amount = soft * np.float32(ratio)
        return Blend(_mixed(source, target, amount), target, _seam(soft), amount, kind)

    def _self(self, pixels: Pixels, mask: Plane, random: np.random.Generator) -> tuple[Pixels, Pixels, Plane]:
        changed = _sharpness(_colour(pixels, random), random)
        source, target = (changed, pixels) if random.random() < 0.5 else (pixels, changed)
        source, mask = _nudged(source, mask, 0.03, random)
        return source, target, mask

    def _decoded(self, pixels: Pixels, sample: Sample, random: np.random.Generator) -> Pixels:
        """Rendered small, enlarged, a little out of shape, with a slightly wrong colour."""
        height, width = pixels.shape[:2]
        share = random.uniform(0.28, 0.85)
        size = (max(10, round(width * share)), max(10, round(height * share)))
        if random.random() < 0.5:
            pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), random.uniform(0.5, 1.2) / share**0.5), np.uint8)
        small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
        method = int(random.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4, cv2.INTER_NEAREST]))
        made = np.asarray(cv2.resize(small, (width, height), interpolation=method), np.uint8)
        if method == cv2.INTER_NEAREST:
            made = np.asarray(cv2.GaussianBlur(made, (0, 0), 0.5 / share), np.uint8)
        if random.random() < 0.7:
            made = self._bent(made, sample.square.side * random.uniform(0.003, 0.012), random)
        if random.random() < 0.8:
            made = _colour(made, random, 0.5)
        if random.random() < 0.3:
            made = _sharpened(made, random.uniform(0.3, 1.0), 1.0 / share**0.5)
        return made

    def _bent(self, pixels: Pixels, pixels_off: float, random: np.random.Generator) -> Pixels:
        height, width = pixels.shape[:2]
        field = self._fields[int(random.integers(_FIELDS))] * np.float32(pixels_off)
        field = np.asarray(cv2.resize(field, (width, height)), np.float32)
        x, y = _coordinates(width, height)
        return np.asarray(cv2.remap(pixels, x + field[..., 0], y + field[..., 1], cv2.INTER_LINEAR,
                                    borderMode=cv2.BORDER_REFLECT_101), np.uint8)  # fmt: skip

    def _mask(self, sample: Sample, random: np.random.Generator) -> Plane:
        """A hard mask float32 (128, 128) over the whole crop: the landmarks' hull, an ellipse or a box, warped."""
        height, width = sample.pixels.shape[:2]
        scale = np.array([_GRID / width, _GRID / height])
        mask = np.zeros((_GRID, _GRID), np.float32)
        shape = random.random()
        if sample.landmarks is not None and shape < 0.75:
            points = _mesh(sample)[:468].astype(np.float64)
            if shape < 0.12:  # brows to chin, as early programs did
                points = points[[*_BROWS, *_CHEEKS, *_CHIN]]
            elif shape < 0.35:  # without the forehead
                top = points[list(_BROWS), 1].min()
                points = points[points[:, 1] >= top]
            middle = points.mean(axis=0)
            grown = middle + (points - middle) * random.uniform(0.8, 1.08, 2)
            hull = cv2.convexHull((grown * scale).astype(np.float32)).round().astype(np.int32)
            cv2.fillConvexPoly(mask, hull, (1.0,))
        else:
            square = sample.square
            centre = np.array([square.cx + square.side * random.uniform(-0.03, 0.03),
                               square.cy + square.side * random.uniform(-0.03, 0.08)]) * scale  # fmt: skip
            axes = square.side * random.uniform((0.22, 0.26), (0.4, 0.44)) * scale
            if shape < 0.9:
                cv2.ellipse(mask, (centre.round().astype(int).tolist(), (2 * axes).tolist(), random.uniform(-10, 10)),
                            (1.0,), -1)  # fmt: skip
            else:
                low, high = (centre - axes).round().astype(int), (centre + axes).round().astype(int)
                cv2.rectangle(mask, low.tolist(), high.tolist(), (1.0,), -1)
        field = self._fields[int(random.integers(_FIELDS))] * np.float32(random.uniform(0.5, 4.0))
        x, y = _coordinates(_GRID, _GRID)
        return np.asarray(cv2.remap(mask, x + field[..., 0], y + field[..., 1], cv2.INTER_LINEAR), np.float32)

    def _donor(self, sample: Sample, random: np.random.Generator) -> Sample | None:
        pool = self._donors.get(sample.row.set, [])
        if sample.landmarks is None or len(pool) < 2:
            return None
        shape = _shape(_mesh(sample)).ravel()
        tried = random.integers(0, len(pool), _CANDIDATES)
        far = np.square(self._shapes[sample.row.set][tried] - shape).sum(axis=1)
        strangers = (pool[index] for index in tried[np.argsort(far)] if pool[index].row.group != sample.row.group)
        return next(strangers, None)


def _mesh(sample: Sample) -> Plane:
    if sample.landmarks is None:
        raise ValueError("no mesh was found in this face")
    return np.asarray(sample.landmarks, np.float32)


def _shape(points: Plane) -> Plane:
    """Some of the mesh's points, centred and of unit size."""
    chosen = points[_POINTS] - points[_POINTS].mean(axis=0)
    return np.asarray(chosen / (np.sqrt(np.square(chosen).sum()) + 1e-6), np.float32)


def _field(random: np.random.Generator) -> Plane:
    """Smooth random displacements (128, 128, 2) of unit standard deviation."""
    sigma = random.uniform(5, 14)
    noise = random.standard_normal((_GRID, _GRID, 2)).astype(np.float32)
    smooth = np.asarray(cv2.GaussianBlur(noise, (0, 0), sigma), np.float32)
    return np.asarray(smooth / smooth.std(), np.float32)


_MAPS: dict[tuple[int, int], tuple[Plane, Plane]] = {}


def _coordinates(width: int, height: int) -> tuple[Plane, Plane]:
    found = _MAPS.get((width, height))
    if found is None:
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        found = (np.ascontiguousarray(x), np.ascontiguousarray(y))
        if len(_MAPS) < 64:  # crops come in many sizes; the grid of masks and the common ones are kept
            _MAPS[width, height] = found
    return found


def _colour(pixels: Pixels, random: np.random.Generator, strength: float = 1.0) -> Pixels:
    """Shift of the channels +-20, hue, saturation and value, contrast and brightness, as one affine map."""
    angle = strength * random.uniform(-0.2, 0.2)
    saturation = 1 + strength * random.uniform(-0.3, 0.3)
    contrast = (1 + strength * random.uniform(-0.1, 0.1)) * (1 + strength * random.uniform(-0.2, 0.2))
    mix = contrast * (_turned(angle) @ (saturation * np.eye(3) + (1 - saturation) / 3))
    shift = 128 * (1 - contrast) + strength * (random.uniform(-20, 20, 3) + random.uniform(-18, 18))
    return np.asarray(cv2.transform(pixels, np.column_stack([mix, shift])), np.uint8)


def _turned(angle: float) -> NDArray[np.float64]:
    """Rotation of the colours about grey."""
    axis = np.full(3, 3**-0.5)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    turned = np.cos(angle) * np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * np.outer(axis, axis)
    return np.asarray(turned, np.float64)


def _sharpness(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """Either scaled down by 2 to 4 and up again, or sharpened."""
    if random.random() < 0.5:
        return _sharpened(pixels, random.uniform(0.2, 0.8), 1.0)
    height, width = pixels.shape[:2]
    factor = random.uniform(1.4, 4.0)
    size = (max(8, round(width / factor)), max(8, round(height / factor)))
    method = int(random.choice([cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_NEAREST]))
    small = cv2.resize(pixels, size, interpolation=method)
    back = cv2.INTER_LINEAR if random.random() < 0.5 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(small, (width, height), interpolation=back), np.uint8)


def _sharpened(pixels: Pixels, amount: float, sigma: float) -> Pixels:
    blurred = cv2.GaussianBlur(pixels, (0, 0), sigma)
    return np.asarray(cv2.addWeighted(pixels, 1 + amount, blurred, -amount, 0), np.uint8)


def _nudged(source: Pixels, mask: Plane, most: float, random: np.random.Generator) -> tuple[Pixels, Plane]:
    """Source and mask moved alike: x by ``most`` of the width, y by half of it, scaled by .95 to 1.05."""
    scale, dx, dy = random.uniform(0.95, 1.05), random.uniform(-most, most), random.uniform(-most, most) / 2

    def moved(values: Any) -> Any:
        height, width = values.shape[:2]
        move = np.array(
            [[scale, 0, (1 - scale) * width / 2 + dx * width], [0, scale, (1 - scale) * height / 2 + dy * height]]
        )
        return cv2.warpAffine(values, move, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)

    return np.asarray(moved(source), np.uint8), np.asarray(moved(mask), np.float32)


def _softened(mask: Plane, random: np.random.Generator) -> Plane:
    """Two Gaussian blurs; between them only what the first left whole is kept. Kernels are for a grid of 128."""
    first, second = (2 * int(random.integers(1, most)) + 1 for most in (6, 10))
    soft = cv2.GaussianBlur(mask, (first, first), 0)
    kept = np.where(soft >= 0.999, soft, 0).astype(np.float32)
    if not kept.any():  # a sliver of a face: keep it as it was
        kept = mask
    return np.asarray(cv2.GaussianBlur(kept, (second, second), random.uniform(2, 18)), np.float32)


def _moved_onto(donor: Sample, sample: Sample) -> Pixels:
    """The donor's crop by the affine map that takes its landmarks nearest to the sample's."""
    theirs, mine = _mesh(donor)[_POINTS], _mesh(sample)[_POINTS]
    spread = np.column_stack([theirs, np.ones(len(theirs), np.float32)])
    move = np.linalg.lstsq(spread.astype(np.float64), mine.astype(np.float64), rcond=None)[0].T
    height, width = sample.pixels.shape[:2]
    pixels = np.ascontiguousarray(donor.pixels)
    shrink = float(np.sqrt(abs(np.linalg.det(move[:, :2]))))
    if shrink < 0.7:  # averaging first keeps a much larger donor from aliasing
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), 0.4 / shrink), np.uint8)
    return np.asarray(cv2.warpAffine(pixels, move, (width, height), flags=cv2.INTER_LINEAR,
                                     borderMode=cv2.BORDER_REFLECT_101), np.uint8)  # fmt: skip


def _recoloured(source: Pixels, target: Pixels, mask: Plane, random: np.random.Generator) -> Pixels:
    """The source with the target's mean and spread of colours under the mask, more or less well."""
    small = (32, 32)
    weights = cv2.resize(mask, small).ravel()
    weights = weights / (weights.sum() + 1e-6)

    def moments(pixels: Pixels) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        values = cv2.resize(pixels, small, interpolation=cv2.INTER_AREA).reshape(-1, 3).astype(np.float64)
        mean = weights @ values
        return mean, np.sqrt(weights @ np.square(values - mean)) + 1.0

    (mean, spread), (wanted, width) = moments(source), moments(target)
    gain = np.clip(width / spread, 0.5, 2.0)
    gain = 1 + (gain - 1) * random.uniform(0.5, 1.0)
    shift = (wanted - gain * mean) * random.uniform(0.8, 1.0)
    shift += random.uniform(-5, 5, 3)
    return np.asarray(cv2.transform(source, np.column_stack([np.diag(gain), shift])), np.uint8)


def _mixed(source: Pixels, target: Pixels, amount: Plane) -> Pixels:
    inside = np.asarray(cv2.merge([amount, amount, amount]), np.float32)
    below = target.astype(np.float32)
    return np.asarray(cv2.convertScaleAbs(below + inside * (source.astype(np.float32) - below)), np.uint8)


def _seam(soft: Plane) -> Pixels:
    return np.asarray(cv2.convertScaleAbs(4 * soft * (1 - soft), alpha=255.0), np.uint8)
