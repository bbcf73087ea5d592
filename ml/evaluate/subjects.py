"""The faces that are measured: found once a picture, by the product's finder, with the pixels around them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.errors import MediaError
from ml.faces import FaceFinder, Square, face_square
from ml.media import decode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ml.evaluate.rows import EvaluationRow
    from ml.faces import Face

logger = logging.getLogger(__name__)

_MARGIN = 1.25  # around the square: blur and recompression look at pixels beside it


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """One found face of a row: pixels around it uint8 (H, W, 3), the detectors' square in them, and what it looks like.

    face_px: longer side of the face in the picture at hand. yaw in degrees. landmarks: float32 (478, 2) in the pixels
    around it, None where they are not known.
    """

    row: EvaluationRow
    pixels: NDArray[np.uint8]
    square: Square
    face_px: float
    yaw: float
    landmarks: NDArray[np.float32] | None = None


def find_subjects(rows: Sequence[EvaluationRow]) -> tuple[list[Subject], list[EvaluationRow]]:
    """The face of every row, and the rows in which none is found; a file that is no picture has none, and is logged."""
    found: list[Subject] = []
    missing: list[EvaluationRow] = []
    with FaceFinder() as finder:
        for number, row in enumerate(rows, start=1):
            try:
                pixels = decode(row.path).pixels
            except (MediaError, OSError) as error:
                logger.warning("%s: %s", row.name, error)
                missing.append(row)
                continue
            face = _meant(finder.find(pixels), row)
            if face is None:
                missing.append(row)
            else:
                found.append(_subject(row, pixels, face))
            if number % 500 == 0:
                logger.info("faces: %d of %d pictures", number, len(rows))
    return found, missing


def _meant(faces: Sequence[Face], row: EvaluationRow) -> Face | None:
    if row.nose is None:
        return faces[0] if faces else None
    x, y = row.nose
    inside = [f for f in faces if f.box[0] <= x <= f.box[2] and f.box[1] <= y <= f.box[3]]
    return inside[0] if inside else None


def _subject(row: EvaluationRow, pixels: NDArray[np.uint8], face: Face) -> Subject:
    square = face_square(face)
    height, width = pixels.shape[:2]
    half = square.side * _MARGIN / 2
    x0, y0 = max(0, int(square.cx - half)), max(0, int(square.cy - half))
    x1, y1 = min(width, int(square.cx + half) + 2), min(height, int(square.cy + half) + 2)
    return Subject(
        row=row,
        pixels=np.ascontiguousarray(pixels[y0:y1, x0:x1]),
        square=Square(square.cx - x0, square.cy - y0, square.side),
        face_px=face.size,
        yaw=face.yaw,
        landmarks=face.landmarks - np.array([x0, y0], np.float32),
    )
