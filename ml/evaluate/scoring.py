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


def score(subjects: Sequence[Subject], predictor: Predictor, degradation: str = "none", looks: bool = True) -> Scores:
    """Score the subjects after one of :data:`DEGRADATIONS`.

    With ``looks`` also mirrored and re-encoded, as the product looks at them to see whether a score holds.
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
        parts[0].append(predictor.logits(batch))
        if looks:
            parts[1].append(predictor.logits(np.ascontiguousarray(batch[:, :, ::-1])))
            parts[2].append(predictor.logits(np.stack([jpeg(crop, REENCODED_QUALITY) for crop in batch])))
    logger.info("scored %d faces, %s", len(subjects), degradation)
    plain, mirrored, reencoded = (_by_name(predictor.names, part) for part in parts)
    return Scores(plain, mirrored, reencoded, np.array(sharp), np.array(sizes))


def _by_name(names: Sequence[str], parts: Sequence[NDArray[np.float32]]) -> dict[str, NDArray[np.float64]]:
    if not parts:
        return {}
    table = np.concatenate(parts).astype(np.float64)
    return {name: np.asarray(table[:, column], np.float64) for column, name in enumerate(names)}
