"""Held-out blends: fakes made of the reals that are measured, whose seams are known.

The blends are those of ``ml.training.blending``, of faces that no training saw. Each stands beside the very picture
that it was blended into, so that nothing but the blend tells the two apart. The reals' seam map is empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.detect.crops import cut_squares
from ml.evaluate import metrics
from ml.faces import cut
from ml.training.augment import jpeg
from ml.training.blending import KINDS, Blender
from ml.training.dataset import Row, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from ml.detect.predictor import Predictor
    from ml.evaluate.subjects import Subject
    from ml.training.blending import Blend

    Pixels = NDArray[np.uint8]
    Fused = Callable[[Mapping[str, NDArray[np.float64]]], Mapping[str, NDArray[np.float64]]]

PAIRS = 240
OUTSIDE = 160
SAVED = 75
"""JPEG quality of the second table: both pictures of a pair are saved, as blends that go round have been."""

_SEED = 97
_CHUNK = 16
_SEAM = 127  # of 255: cells above are seam


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """The figures for the file, and by title the labels and scores of the curves."""

    figures: dict[str, Any]
    curves: dict[str, tuple[NDArray[np.int_], NDArray[np.float64]]]


def measure(subjects: Sequence[Subject], predictor: Predictor, fused: Fused, titles: Mapping[str, str]) -> Measured:
    """Blend the real subjects and measure.

    fused: from raw logits by detector (faces,) to what is told of each detector, the fusion among them.
    """
    samples = [_sample(s) for s in subjects if not s.row.manipulated]
    if len(samples) < 2:
        return Measured({}, {})
    random = np.random.default_rng(_SEED)
    blender = Blender(samples)
    names = sorted({sample.row.set for sample in samples})
    pools = [[sample for sample in samples if sample.row.set == name] for name in names]
    blends, taken = [], []
    for number in range(min(PAIRS, 4 * len(samples))):
        pool = pools[number % len(pools)]
        taken.append(pool[int(random.integers(len(pool)))])
        blends.append(blender.blend(taken[-1], random, KINDS[(number // len(pools)) % len(KINDS)]))
    scores, maps = _looked_at(blends, taken, predictor, lambda picture: picture)
    saved, _ = _looked_at(blends, taken, predictor, lambda picture: jpeg(picture, SAVED))
    kinds = np.repeat([blend.kind for blend in blends], 2)
    groups = np.repeat([sample.row.group for sample in taken], 2)
    labels = np.tile([1, 0], len(blends))
    rows = []
    told, told_saved = fused(scores), fused(saved)
    for detector, values in told.items():
        for kind in ("all", *KINDS):
            here = np.ones(len(labels), bool) if kind == "all" else kinds == kind
            low, high = metrics.auc_interval(labels[here], values[here], groups[here].tolist())
            rows.append(
                {
                    "detector": detector,
                    "kind": kind,
                    "pairs": int(here.sum()) // 2,
                    "auc": _rounded(metrics.auc(labels[here], values[here])),
                    "auc_low": _rounded(low),
                    "auc_high": _rounded(high),
                    "auc_saved": _rounded(metrics.auc(labels[here], told_saved[detector][here])),
                }
            )
    figures = {"pairs": len(blends), "saved": SAVED, "rows": rows, "map": _maps(blends, taken, maps, kinds)}
    figures["outside"] = _outside(samples, predictor)
    curves = {titles.get(name, name): (labels, values) for name, values in told.items()}
    return Measured(figures, curves)


def _sample(subject: Subject) -> Sample:
    row = subject.row
    height, width = subject.pixels.shape[:2]
    valid = (0.0, 0.0, float(width), float(height))
    plain = Row(row.name, row.label, row.set, row.group, "val", row.native_face_px or 0.0, (), valid)
    return Sample(plain, subject.pixels, subject.square, subject.landmarks)


def _looked_at(
    blends: Sequence[Blend], taken: Sequence[Sample], predictor: Predictor, change: Callable[[Pixels], Pixels]
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float32] | None]:
    """Raw logits by detector, of fake, real, fake, real, as the product looks at a face; and the boundary maps."""
    pictures = [
        (change(pixels), sample.square)
        for blend, sample in zip(blends, taken, strict=True)
        for pixels in (blend.fake, blend.real)
    ]
    logits, maps = [], []
    for start in range(0, len(pictures), _CHUNK):
        crops = cut_squares(pictures[start : start + _CHUNK], predictor.views)
        here, turned = predictor.look(crops), predictor.look(crops.mirrored())
        logits.append((here.logits + turned.logits) / 2)
        if here.boundary is not None and turned.boundary is not None:
            maps.append((here.boundary + turned.boundary[:, :, ::-1]) / 2)
    table = np.concatenate(logits).astype(np.float64)
    found = {name: table[:, column] for column, name in enumerate(predictor.names)}
    return found, np.concatenate(maps) if maps else None


def _maps(
    blends: Sequence[Blend], taken: Sequence[Sample], maps: NDArray[np.float32] | None, kinds: NDArray[np.str_]
) -> list[dict[str, Any]]:
    """Average precision of the map's cells, fakes and their partners together; what chance would give beside it."""
    if maps is None:
        return []
    size = maps.shape[1]
    seams = [cut(b.seam, sample.square, size) > _SEAM for b, sample in zip(blends, taken, strict=True)]
    truth = np.stack([each for seam in seams for each in (seam, np.zeros_like(seam))])
    rows = []
    for kind in ("all", *KINDS):
        here = np.ones(len(truth), bool) if kind == "all" else kinds == kind
        cells = truth[here].ravel().astype(int)
        rows.append(
            {
                "kind": kind,
                "pairs": int(here.sum()) // 2,
                "average_precision": _rounded(metrics.average_precision(cells, maps[here].ravel().astype(np.float64))),
                "chance": _rounded(float(cells.mean())),
            }
        )
    return rows


def _outside(samples: Sequence[Sample], predictor: Predictor) -> dict[str, Any]:
    """The boundary detector on pairs of which only what lies outside the mask is left: it must know nothing then."""
    from ml.networks.boundary import INPUT_SIZE
    from ml.training.leak import Outside

    view = predictor.view.get("boundary")
    if view is None or view.size != INPUT_SIZE:
        return {}
    column = predictor.names.index("boundary")
    found: dict[str, Any] = {"pairs": OUTSIDE}
    for name, inside in (("auc", False), ("inside_auc", True)):
        batch = Outside(samples, 2 * OUTSIDE, _SEED, inside).at(0)
        labels = batch.labels[:, 0].astype(int)
        # The other detectors are given the same faces, enlarged; their answers are not read.
        stacks = {each: _resized(batch.pixels, each.size) for each in predictor.views}
        from ml.detect.crops import SHOWN, Crops

        stacks.setdefault(SHOWN, _resized(batch.pixels, SHOWN.size))
        logits = predictor.look(Crops(stacks)).logits[:, column].astype(np.float64)
        found[name] = _rounded(metrics.auc(labels, logits))
    return found


def _resized(pixels: Pixels, size: int) -> Pixels:
    import cv2

    if pixels.shape[1] == size:
        return pixels
    return np.stack([np.asarray(cv2.resize(each, (size, size)), np.uint8) for each in pixels])


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 4)
