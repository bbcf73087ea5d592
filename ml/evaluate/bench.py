"""What is measured: the faces, every network's answers to them, and what the calibration makes of those answers."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.evaluate import metrics
from ml.evaluate.rows import read_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ml.detect.calibration import Calibration
    from ml.detect.predictor import Predictor
    from ml.evaluate.rows import EvaluationRow
    from ml.evaluate.scoring import Scores
    from ml.evaluate.subjects import Subject

    Values = NDArray[np.float64]

REPOSITORY = Path(__file__).resolve().parents[2]

TITLES = {
    "meso4": "Meso-4",
    "mesoinception4": "MesoInception-4",
    "boundary": "Boundary",
    "synthesis": "Synthesis",
    "fused": "fused",
    "sharpness": "sharpness alone",
}

UNSEEN_GENERATORS = ("portraits_sd3",)
"""Sets of generated faces that no training here takes: the pictures of their train split are measured as well."""


def shared_data() -> Path:
    """The folder of research data: $UNMASK_SHARED_DATA, or shared/data beside the repository."""
    return Path(os.environ.get("UNMASK_SHARED_DATA") or REPOSITORY.parent / "shared" / "data")


@dataclass(slots=True, eq=False)
class Bench:
    """The subjects with their scores by degradation; own: our detectors; authors: titles of theirs by name.

    further: generated faces beside the subjects, of generators that were never trained on.
    """

    subjects: list[Subject]
    missing: list[EvaluationRow]
    scores: dict[str, Scores]
    predictor: Predictor
    authors: dict[str, str]
    further: list[Subject]

    @property
    def own(self) -> tuple[str, ...]:
        return self.predictor.names

    @property
    def titles(self) -> dict[str, str]:
        return {**TITLES, **self.authors}


def measure(
    rows: Sequence[EvaluationRow], further: Sequence[EvaluationRow], quick: bool, cache: Path | None = None
) -> Bench:
    """Find the faces and score them, as they are and degraded; `quick` leaves out most of it.

    cache: a folder that keeps the answers of networks between runs.
    """
    from ml.detect.predictor import Predictor, shipped_view
    from ml.evaluate.cache import ScoreCache
    from ml.evaluate.degradations import DEGRADATIONS
    from ml.evaluate.scoring import MEASURED, chosen
    from ml.evaluate.subjects import find_subjects
    from ml.networks.detectors import NAMES
    from ml.weights import store

    subjects, missing = find_subjects(rows)
    if not subjects:
        raise SystemExit("no face was found in any picture")
    entries = store.entries()
    shipped = [name for name in NAMES if name in entries]
    own = Predictor({name: store.load(name) for name in shipped}, {name: shipped_view(name) for name in shipped})
    authors, titles = ({}, {}) if quick else _authors()
    each = {name: Predictor({name: own.models[name]}, {name: own.view[name]}) for name in shipped}
    theirs = {name: Predictor({name: model}) for name, model in authors.items()}
    kept = ScoreCache(cache, {name: entries[name].sha256 for name in shipped} | dict.fromkeys(authors, "authors"))
    scores: dict[str, Scores] = {}
    for name in ("none", "jpeg 50") if quick else DEGRADATIONS:
        index = chosen(subjects, name)
        scores[name] = kept.score(subjects, each, name, index, 3 if quick or name in {"none", *MEASURED} else 2)
        if theirs and name in {"none", "jpeg 50", "down 2x"}:
            also = kept.score(subjects, theirs, name, index, 1)
            scores[name] = replace(scores[name], plain={**scores[name].plain, **also.plain})
    return Bench(subjects, missing, scores, own, titles, find_subjects(further)[0])


def unseen_rows(index: Path, root: Path | None, split: str | None) -> list[EvaluationRow]:
    """Rows of other splits with faces of generators that nothing was trained on."""
    if split is None:
        return []
    here = {row.name for row in read_rows(index, root, split)}
    return [
        row
        for row in read_rows(index, root)
        if row.label == "synthetic" and row.set in UNSEEN_GENERATORS and row.name not in here
    ]


def told(raw: Mapping[str, Values], calibration: Calibration) -> dict[str, Values]:
    """What is told of faces (faces,) by detector: calibrated probabilities of ours, and of the fusion."""
    made = {
        name: metrics.sigmoid((raw[name] + calibration.bias.get(name, 0.0)) / calibration.temperature[name])
        for name in calibration.detectors
        if name in raw
    }
    total = np.full(len(next(iter(raw.values()))), calibration.offset)
    for name, weight in calibration.weights.items():
        total = total + weight * (raw[name] + calibration.bias.get(name, 0.0)) / calibration.temperature[name]
    made["fused"] = metrics.sigmoid(total)
    return made


def probabilities(bench: Bench, calibration: Calibration) -> dict[str, dict[str, Values]]:
    """By degradation and detector; the authors' networks as they are, where they were measured, ours calibrated."""
    return {
        degradation: told(found.plain, calibration)
        | {name: metrics.sigmoid(found.plain[name]) for name in bench.authors if name in found.plain}
        for degradation, found in bench.scores.items()
    }


def _authors() -> tuple[dict[str, Any], dict[str, str]]:
    """The authors' networks, where their files lie with the research data."""
    from ml.importers.mesonet import read

    models, titles = {}, {}
    for path in sorted((shared_data() / "reference" / "mesonet").glob("*.h5")):
        name = f"authors_{path.stem.lower()}"
        models[name] = read(path).model
        titles[name] = f"{path.stem} (authors')"
    return models, titles
