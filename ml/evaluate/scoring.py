"""Every face through every network, as it is and degraded, in batches."""

from __future__ import annotations

import logging
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.detect.check import REENCODED_QUALITY
from ml.detect.crops import cut_squares
from ml.detect.quality import sharpness
from ml.evaluate.degradations import DEGRADATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ml.detect.crops import Crops
    from ml.detect.predictor import Predictor
    from ml.evaluate.subjects import Subject

logger = logging.getLogger(__name__)

_CHUNK = 64

MEASURED = {"jpeg 30": 240, "down 2x": 240, "blur 1.5": 240}
"""Faces of each set and class that a degradation is measured on, ..."""

OTHERS = 80
"""... and for the degradations that no promise is made about."""

PROMISED = ("none", *MEASURED)
"""The degradations that the product's verdicts are measured on, with their second looks."""


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Raw logits of P(manipulated) by detector, each float64 (faces,): of the faces, mirrored, and re-encoded.

    mirrored and reencoded are empty when they were not asked for. sharpness (see ``ml.detect.quality``) and face_px
    are those of the degraded faces. index: int (faces,), which of the subjects they are.
    """

    plain: Mapping[str, NDArray[np.float64]]
    mirrored: Mapping[str, NDArray[np.float64]]
    reencoded: Mapping[str, NDArray[np.float64]]
    sharpness: NDArray[np.float64]
    face_px: NDArray[np.float64]
    index: NDArray[np.intp]


def chosen(subjects: Sequence[Subject], degradation: str) -> NDArray[np.intp]:
    """Which subjects are measured after a degradation: all as they are, else so many of each set and class.

    Always the same ones: those whose names have the lowest checksums.
    """
    if degradation == "none":
        return np.arange(len(subjects))
    limit = MEASURED.get(degradation, OTHERS)
    order = sorted(range(len(subjects)), key=lambda i: zlib.crc32(subjects[i].row.name.encode()))
    taken: dict[tuple[str, str], list[int]] = {}
    for i in order:
        taken.setdefault((subjects[i].row.set, subjects[i].row.label), []).append(i)
    return np.array(sorted(i for part in taken.values() for i in part[:limit]), np.intp)


def degraded(subjects: Sequence[Subject], degradation: str, predictor: Predictor) -> tuple[Crops, list[float]]:
    """The subjects' crops after one of :data:`DEGRADATIONS`, and how many pixels their faces have then."""
    change = DEGRADATIONS[degradation]
    squares, sizes = [], []
    for subject in subjects:
        # The noise belongs to the picture, not to its place among the others.
        seed = zlib.crc32(f"{degradation} {subject.row.name}".encode())
        pixels, square = change(subject.pixels, subject.square, np.random.default_rng(seed))
        squares.append((pixels, square))
        sizes.append(subject.face_px * square.side / subject.square.side)
    return cut_squares(squares, predictor.views), sizes


def score(
    subjects: Sequence[Subject],
    predictor: Predictor,
    degradation: str = "none",
    *,
    index: NDArray[np.intp] | None = None,
    looks: int = 3,
) -> Scores:
    """Score the subjects, or those of `index`, after one of :data:`DEGRADATIONS`.

    looks: 3 as the product does it: the mean of the face and its mirror image, and both re-encoded again, to see
    whether the score holds. 2 without re-encoding. 1 is one look at the face as it is.
    """
    index = np.arange(len(subjects)) if index is None else index
    parts: list[list[NDArray[np.float32]]] = [[], [], []]
    sharp: list[float] = []
    sizes: list[float] = []
    for start in range(0, len(index), _CHUNK):
        crops, some = degraded([subjects[i] for i in index[start : start + _CHUNK]], degradation, predictor)
        sizes += some
        sharp += [sharpness(crop) for crop in crops.shown]
        here = predictor.look(crops).logits
        if looks > 1:
            # As the product does: a face and its mirror image count alike, and re-encoding shifts their mean.
            turned = predictor.look(crops.mirrored()).logits
            parts[1].append(turned)
            shift = (turned - here) / 2
            if looks > 2:
                parts[2].append(shift + predictor.look(crops.reencoded(REENCODED_QUALITY)).logits)
            here = here + shift
        parts[0].append(here)
    logger.info("scored %d faces, %s", len(index), degradation)
    plain, mirrored, reencoded = (_by_name(predictor.names, part) for part in parts)
    return Scores(plain, mirrored, reencoded, np.array(sharp), np.array(sizes), index)


def _by_name(names: Sequence[str], parts: Sequence[NDArray[np.float32]]) -> dict[str, NDArray[np.float64]]:
    if not parts:
        return {}
    table = np.concatenate(parts).astype(np.float64)
    return {name: np.asarray(table[:, column], np.float64) for column, name in enumerate(names)}
