"""Every face through every network, as it is and degraded, in batches."""

from __future__ import annotations

import logging
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.detect.check import REENCODED_QUALITY
from ml.detect.quality import sharpness
from ml.evaluate.degradations import DEGRADATIONS
from ml.faces import cut
from ml.training.augment import jpeg

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ml.detect.predictor import Predictor
    from ml.evaluate.subjects import Subject

logger = logging.getLogger(__name__)

_CHUNK = 64


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Raw logits of P(manipulated) by detector, each float64 (faces,): of the faces, mirrored, and re-encoded.

    mirrored and reencoded are empty when they were not asked for. sharpness (see ``ml.detect.quality``) and face_px
    are those of the degraded faces.
    """

    plain: Mapping[str, NDArray[np.float64]]
    mirrored: Mapping[str, NDArray[np.float64]]
    reencoded: Mapping[str, NDArray[np.float64]]
    sharpness: NDArray[np.float64]
    face_px: NDArray[np.float64]


def score(subjects: Sequence[Subject], predictor: Predictor, degradation: str = "none", product: bool = True) -> Scores:
    """Score the subjects after one of :data:`DEGRADATIONS`.

    With ``product`` as the product does it: the mean of the face and its mirror image, and both re-encoded again, to
    see whether the score holds. Without, one look at the face as it is.
    """
    change = DEGRADATIONS[degradation]
    parts: list[list[NDArray[np.float32]]] = [[], [], []]
    sharp: list[float] = []
    sizes: list[float] = []
    for start in range(0, len(subjects), _CHUNK):
        crops = []
        for subject in subjects[start : start + _CHUNK]:
            # The noise belongs to the picture, not to its place among the others.
            seed = zlib.crc32(f"{degradation} {subject.row.name}".encode())
            pixels, square = change(subject.pixels, subject.square, np.random.default_rng(seed))
            crops.append(cut(pixels, square))
            sharp.append(sharpness(crops[-1]))
            sizes.append(subject.face_px * square.side / subject.square.side)
        batch = np.stack(crops)
        here = predictor.logits(batch)
        if product:
            # As the product does: a face and its mirror image count alike, and re-encoding shifts their mean.
            turned = predictor.logits(np.ascontiguousarray(batch[:, :, ::-1]))
            parts[1].append(turned)
            shift = (turned - here) / 2
            parts[0].append(here + shift)
            parts[2].append(shift + predictor.logits(np.stack([jpeg(crop, REENCODED_QUALITY) for crop in batch])))
        else:
            parts[0].append(here)
    logger.info("scored %d faces, %s", len(subjects), degradation)
    plain, mirrored, reencoded = (_by_name(predictor.names, part) for part in parts)
    return Scores(plain, mirrored, reencoded, np.array(sharp), np.array(sizes))


def _by_name(names: Sequence[str], parts: Sequence[NDArray[np.float32]]) -> dict[str, NDArray[np.float64]]:
    if not parts:
        return {}
    table = np.concatenate(parts).astype(np.float64)
    return {name: np.asarray(table[:, column], np.float64) for column, name in enumerate(names)}
