"""``python -m ml evaluate detectors``: faces found once, every network over them, one table of it all.

By default the val split of the faces under $UNMASK_SHARED_DATA is measured. With ``--calibrate`` temperatures, fusion
and thresholds are fitted on these rows first and written to ml/detect/calibration.json; do that on a val split only.
"""

from __future__ import annotations

import json
import logging
import os
import shlex
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ml import runtime
from ml.evaluate import metrics
from ml.evaluate.rows import fingerprint, read_rows

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ml.detect.calibration import Calibration
    from ml.evaluate.rows import EvaluationRow
    from ml.evaluate.scoring import Scores
    from ml.evaluate.subjects import Subject

logger = logging.getLogger(__name__)

REPOSITORY = Path(__file__).resolve().parents[2]

TITLES = {"meso4": "Meso-4", "mesoinception4": "MesoInception-4", "fused": "fused"}


def shared_data() -> Path:
    """The folder of research data: $UNMASK_SHARED_DATA, or shared/data beside the repository."""
    return Path(os.environ.get("UNMASK_SHARED_DATA") or REPOSITORY.parent / "shared" / "data")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--index", type=Path, help="CSV with path, label, set, group (default: the shared val split)")
    parser.add_argument("--root", type=Path, help="what the paths are relative to (default: the CSV's folder)")
    parser.add_argument("--split", help="only rows of this split (default: val where nothing else is said)")
    parser.add_argument("--json", type=Path, help="write all figures here")
    parser.add_argument("--markdown", type=Path, help="write the tables here")
    parser.add_argument("--plots", type=Path, help="write roc.svg and reliability.svg into this folder")
    parser.add_argument("--calibrate", action="store_true", help="fit and write the calibration on these rows first")
    parser.add_argument("--version", help="version of the calibration (default: that of the weights)")
    parser.add_argument("--quick", action="store_true", help="no degradations but JPEG 50, and no authors' networks")


def run(options: argparse.Namespace) -> int:
    """Measure; returns the process's exit code."""
    started = time.monotonic()
    runtime.configure()
    index: Path = options.index or shared_data() / "faces" / "index.csv"
    split = options.split or ("val" if options.index is None else None)
    try:
        rows = read_rows(index, options.root, split)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    data = f"{index.parent.name}/{index.name}" + (f", split {split}" if split else "")
    bench = _measure(rows, options.quick)
    if options.calibrate:
        _calibrate(bench, options.version, f"{data}, fingerprint {fingerprint(rows)}")
    result = _result(bench, rows, data)
    result["command"] = "python -m ml evaluate detectors" + _said(options)
    result["seconds"] = round(time.monotonic() - started, 1)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if options.markdown:
        from ml.evaluate.report import markdown

        options.markdown.parent.mkdir(parents=True, exist_ok=True)
        options.markdown.write_text(markdown(result), encoding="utf-8")
    for row in result["sets"]:
        sys.stdout.write(f"{row['detector']:>24} {row['set']:<20} AUC {row['auc']} FPR {row['fpr']}\n")
    if options.plots:
        _plots(bench, options.plots)
    return 0


@dataclass(slots=True, eq=False)
class _Bench:
    subjects: list[Subject]
    missing: list[EvaluationRow]
    scores: dict[str, Scores]
    own: tuple[str, ...]
    authors: dict[str, str]


def _measure(rows: Sequence[EvaluationRow], quick: bool) -> _Bench:
    from ml.detect.predictor import Predictor
    from ml.evaluate.degradations import DEGRADATIONS
    from ml.evaluate.scoring import score
    from ml.evaluate.subjects import find_subjects

    subjects, missing = find_subjects(rows)
    if not subjects:
        raise SystemExit("no face was found in any picture")
    own = Predictor.shipped()
    authors, titles = ({}, {}) if quick else _authors()
    others = Predictor(authors) if authors else None
    scores: dict[str, Scores] = {}
    for name in ("none", "jpeg 50") if quick else DEGRADATIONS:
        found = score(subjects, own, name)
        if others is not None:
            found.plain.update(score(subjects, others, name, product=False).plain)  # type: ignore[attr-defined]
        scores[name] = found
    return _Bench(subjects, missing, scores, own.names, titles)


def _authors() -> tuple[dict[str, Any], dict[str, str]]:
    """The authors' networks, where their files lie with the research data."""
    from ml.importers.mesonet import read

    models, titles = {}, {}
    for path in sorted((shared_data() / "reference" / "mesonet").glob("*.h5")):
        name = f"authors_{path.stem.lower()}"
        models[name] = read(path).model
        titles[name] = f"{path.stem} (authors')"
    return models, titles


def _calibrate(bench: _Bench, version: str | None, data: str) -> None:
    from ml.detect import calibration
    from ml.evaluate.fit import fit
    from ml.weights import weights_version

    content = fit(bench.subjects, bench.scores, bench.own, version or weights_version().partition("+")[0], data)
    calibration.SHIPPED.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    calibration.shipped.cache_clear()


def _probabilities(bench: _Bench, calibration: Calibration) -> dict[str, dict[str, NDArray[np.float64]]]:
    """By degradation and detector; the authors' networks as they are, ours calibrated."""
    made = {}
    for degradation, found in bench.scores.items():
        values = {
            name: metrics.sigmoid((found.plain[name] + calibration.bias.get(name, 0.0)) / calibration.temperature[name])
            for name in bench.own
        }
        values["fused"] = metrics.sigmoid(_fused(found.plain, calibration))
        values |= {name: metrics.sigmoid(found.plain[name]) for name in bench.authors}
        made[degradation] = values
    return made


def _fused(plain: Mapping[str, NDArray[np.float64]], calibration: Calibration) -> NDArray[np.float64]:
    total = np.zeros(len(next(iter(plain.values()))))
    for name, weight in calibration.weights.items():
        total += weight * (plain[name] + calibration.bias.get(name, 0.0)) / calibration.temperature[name]
    return total


def _result(bench: _Bench, rows: Sequence[EvaluationRow], data: str) -> dict[str, Any]:
    from ml.detect.calibration import shipped
    from ml.evaluate.tables import Tables, abstentions
    from ml.weights import weights_version

    calibration = shipped()
    probabilities = _probabilities(bench, calibration)
    thresholds = dict.fromkeys(probabilities["none"], calibration.manipulated)
    thresholds |= dict.fromkeys(bench.authors, 0.5)
    tables = Tables(bench.subjects, probabilities, thresholds)
    labels = np.array([s.row.manipulated for s in bench.subjects])
    paired = tables.paired()
    kinds = sorted({(row.set, row.label) for row in rows})
    return {
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "data": {
            "name": data,
            "rows": len(rows),
            "faces": len(bench.subjects),
            "fingerprint": fingerprint(rows),
            "groups": len({row.group for row in rows}),
        },
        "weights_version": weights_version(),
        "thresholds_version": calibration.version,
        "threshold": calibration.manipulated,
        "device": runtime.device_name(),
        "notes": _notes(bench),
        "detectors": {name: {**TITLES, **bench.authors}.get(name, name) for name in probabilities["none"]},
        "paired_sets": tables.paired_sets(),
        "sets_with_reals": sorted({row.set for row in rows if row.label == "real"}),
        "sets": tables.sets(),
        "manipulations": tables.manipulations(),
        "degradations": tables.degradations(),
        "calibration": _calibration_rows(bench, calibration, probabilities["none"], labels, paired),
        "abstentions": abstentions(bench.subjects, bench.missing, bench.scores, calibration),
        "sizes": tables.sizes(),
        "yaws": tables.yaws(),
        "cross": tables.cross(),
        "no_face": [
            {
                "set": name,
                "label": label,
                "pictures": sum((row.set, row.label) == (name, label) for row in rows),
                "missing": sum((row.set, row.label) == (name, label) for row in bench.missing),
            }
            for name, label in kinds
        ],
    }


def _calibration_rows(
    bench: _Bench,
    calibration: Calibration,
    after: Mapping[str, NDArray[np.float64]],
    labels: NDArray[np.int_],
    paired: NDArray[np.bool_],
) -> list[dict[str, Any]]:
    if not paired.any():
        return []
    plain = bench.scores["none"].plain
    before = {name: metrics.sigmoid(plain[name]) for name in (*bench.own, *bench.authors)}
    before["fused"] = metrics.sigmoid(np.mean([plain[name] for name in bench.own], axis=0))
    return [
        {
            "detector": name,
            "temperature": calibration.temperature.get(name),
            "bias": calibration.bias.get(name),
            "ece_before": round(metrics.expected_calibration_error(labels[paired], values[paired]), 4),
            "ece_after": None
            if name in bench.authors
            else round(metrics.expected_calibration_error(labels[paired], after[name][paired]), 4),
        }
        for name, values in before.items()
    ]


def _notes(bench: _Bench) -> list[str]:
    notes = [
        "Sets that hold only reals or only synthetic faces give no AUC of their own and enter no pooled figure: "
        "there the look of the set would stand for the label.",
        "Absence of evidence is not evidence: a kind of manipulation that is not listed here was not measured.",
    ]
    if bench.authors:
        notes.append(
            "The authors' networks were trained on their whole data set, the frames of mesonet_filmtv included: their "
            "figures on that set are optimistic. They are uncalibrated; their threshold is .5."
        )
    return notes


def _plots(bench: _Bench, folder: Path) -> None:
    from ml.detect.calibration import shipped
    from ml.evaluate.plots import draw_reliability, draw_roc
    from ml.evaluate.tables import Tables

    folder.mkdir(parents=True, exist_ok=True)
    probabilities = _probabilities(bench, shipped())
    labels = np.array([s.row.manipulated for s in bench.subjects])
    sets = np.array([s.row.set for s in bench.subjects])
    tables = Tables(bench.subjects, probabilities, {})
    titles = {**TITLES, **bench.authors}
    for name in tables.paired_sets():
        chosen = sets == name
        curves = {titles[d]: (labels[chosen], v[chosen]) for d, v in probabilities["none"].items()}
        draw_roc(folder / f"roc_{name}.svg", curves, f"{name}: ROC")
    if tables.paired_sets():
        paired = tables.paired()
        own = (*bench.own, "fused")
        curves = {titles[d]: (labels[paired], probabilities["none"][d][paired]) for d in own}
        draw_reliability(folder / "reliability.svg", curves, "Reliability, calibrated")


def _said(options: argparse.Namespace) -> str:
    """The options as given, without folders of this machine."""
    words = []
    for name in ("index", "split", "calibrate", "quick"):
        value = getattr(options, name)
        if value is True:
            words.append(f"--{name}")
        elif value:
            words.append(f"--{name} {shlex.quote(value.name if isinstance(value, Path) else str(value))}")
    return "".join(f" {word}" for word in words)
