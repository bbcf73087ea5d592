"""Answers of networks kept between runs: a network that has not changed is not asked again about the same faces."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from ml.evaluate.scoring import Scores, score

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.detect.predictor import Predictor
    from ml.evaluate.subjects import Subject

_FORMAT = 1
_PARTS = ("plain", "mirrored", "reencoded")


class ScoreCache:
    """A folder of scores. `weights` tells of each network which it is, by name: the hash of its file."""

    def __init__(self, folder: Path | None, weights: Mapping[str, str]) -> None:
        self._folder = folder
        self._weights = weights

    def score(
        self,
        subjects: Sequence[Subject],
        predictors: Mapping[str, Predictor],
        degradation: str,
        index: NDArray[np.intp],
        looks: int,
    ) -> Scores:
        """As ``ml.evaluate.scoring.score``, by predictors of one network each; only those without answers are run."""
        faces = "\n".join(subjects[i].row.name for i in index)
        found: dict[str, Scores] = {}
        for name, predictor in predictors.items():
            path = self._path(name, degradation, faces, looks)
            known = None if path is None or not path.is_file() else _read(path, name, index)
            found[name] = known or score(subjects, predictor, degradation, index=index, looks=looks)
            if path is not None and known is None:
                _write(path, name, found[name])
        first = next(iter(found.values()))
        plain, mirrored, reencoded = (
            {name: v for each in found.values() for name, v in getattr(each, part).items()} for part in _PARTS
        )
        return Scores(plain, mirrored, reencoded, first.sharpness, first.face_px, index)

    def _path(self, name: str, degradation: str, faces: str, looks: int) -> Path | None:
        if self._folder is None or name not in self._weights:
            return None
        key = f"{_FORMAT}\n{name}\n{self._weights[name]}\n{degradation}\n{looks}\n{faces}"
        return self._folder / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.npz"


def _read(path: Path, name: str, index: NDArray[np.intp]) -> Scores:
    with np.load(path, allow_pickle=False) as archive:
        plain, mirrored, reencoded = ({name: archive[part]} if part in archive.files else {} for part in _PARTS)
        return Scores(plain, mirrored, reencoded, archive["sharpness"], archive["face_px"], index)


def _write(path: Path, name: str, scores: Scores) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    parts = {part: getattr(scores, part)[name] for part in _PARTS if getattr(scores, part)}
    with path.open("wb") as file:
        np.savez(file, sharpness=scores.sharpness, face_px=scores.face_px, **parts)
