"""``python -m ml evaluate detectors``: faces found once, every network over them, one table of it all.

By default the val split of the faces under $UNMASK_SHARED_DATA is measured. With ``--calibrate`` temperatures, fusion
and thresholds are fitted on these rows first and written to ml/detect/calibration.json; do that on a val split only.
"""

from __future__ import annotations

import json
import logging
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml import runtime
from ml.evaluate.bench import measure, shared_data, unseen_rows
from ml.evaluate.rows import fingerprint, read_rows

if TYPE_CHECKING:
    import argparse

    from ml.evaluate.bench import Bench
    from ml.evaluate.result import Evaluation

logger = logging.getLogger(__name__)

__all__ = ["add_arguments", "run", "shared_data"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--index", type=Path, help="CSV with path, label, set, group (default: the shared val split)")
    parser.add_argument("--root", type=Path, help="what the paths are relative to (default: the CSV's folder)")
    parser.add_argument("--split", help="only rows of this split (default: val where nothing else is said)")
    parser.add_argument("--json", type=Path, help="write all figures here")
    parser.add_argument("--markdown", type=Path, help="write the tables here")
    parser.add_argument("--plots", type=Path, help="draw ROC curves and reliability into this folder")
    parser.add_argument("--calibrate", action="store_true", help="fit and write the calibration on these rows first")
    parser.add_argument("--version", help="version of the calibration (default: that of the weights)")
    parser.add_argument("--cache", type=Path, help="keep answers of unchanged networks in this folder between runs")
    parser.add_argument("--quick", action="store_true", help="no degradations but JPEG 50, and no authors' networks")


def run(options: argparse.Namespace) -> int:
    """Measure; returns the process's exit code."""
    started = time.monotonic()
    runtime.configure()
    index: Path = options.index or shared_data() / "faces" / "index.csv"
    split = options.split or ("val" if options.index is None else None)
    try:
        rows = read_rows(index, options.root, split)
        further = unseen_rows(index, options.root, split)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    data = f"{index.parent.name}/{index.name}" + (f", split {split}" if split else "")
    bench = measure(rows, further, options.quick, options.cache)
    if options.calibrate:
        _calibrate(bench, options.version, f"{data}, fingerprint {fingerprint(rows)}")
    from ml.detect.calibration import shipped
    from ml.evaluate.result import evaluate

    evaluation = evaluate(bench, rows, data, shipped())
    result = evaluation.result
    result["command"] = "python -m ml evaluate detectors" + _said(options)
    result["seconds"] = round(time.monotonic() - started, 1)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if options.markdown:
        from ml.evaluate.report import markdown

        options.markdown.parent.mkdir(parents=True, exist_ok=True)
        options.markdown.write_text(markdown(result), encoding="utf-8")
    _summary(result)
    if options.plots:
        _plots(evaluation, options.plots)
    return 0


def _calibrate(bench: Bench, version: str | None, data: str) -> None:
    from ml.detect import calibration
    from ml.evaluate.fit import fit
    from ml.weights import weights_version

    content = fit(bench.subjects, bench.scores, bench.own, version or weights_version().partition("+")[0], data)
    calibration.SHIPPED.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    calibration.shipped.cache_clear()


def _summary(result: dict[str, Any]) -> None:
    for row in result["sets"]:
        sys.stdout.write(f"{row['detector']:>24} {row['set']:<20} AUC {row['auc']} FPR {row['fpr']}\n")
    for row in result["targets"]:
        word = "holds" if row["held"] else "MISSED"
        sys.stdout.write(f"{word:>8}  {row['name']}: {row['reached']}, wanted {row['wanted']}\n")


def _plots(evaluation: Evaluation, folder: Path) -> None:
    from ml.evaluate.plots import draw_reliability, draw_roc

    folder.mkdir(parents=True, exist_ok=True)
    for name, (title, curves) in evaluation.rocs.items():
        draw_roc(folder / f"{name}.svg", curves, title)
    if evaluation.reliability:
        draw_reliability(folder / "reliability.svg", evaluation.reliability, "Reliability, calibrated")


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
