"""``python -m ml.weights.card --network meso4 --run RUN --work CACHE --evaluation docs/evaluation/detectors.json``

Writes a shipped network's card: data, run, every figure beside the authors' weights, float16 against float32, known
failures. All numbers come from the run's folder, the prepared crops and the evaluation; none is typed in.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.weights.store import MANIFEST, entries, load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TITLES = {"meso4": "Meso-4", "mesoinception4": "MesoInception-4"}

BASELINES = {
    "meso4": ("authors_meso4_df", "authors_meso4_f2f"),
    "mesoinception4": ("authors_mesoinception_df", "authors_mesoinception_f2f"),
}

FIGURES = ("auc", "ap", "eer", "accuracy", "accuracy_real", "accuracy_fake", "fpr", "tpr")

WORST = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m ml.weights.card", description=__doc__)
    parser.add_argument("--network", choices=tuple(TITLES), required=True)
    parser.add_argument("--run", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--work", type=Path, required=True, help="folder of the prepared crops")
    parser.add_argument("--evaluation", type=Path, required=True, help="detectors.json of these very weights")
    options = parser.parse_args(arguments)
    from ml import runtime

    runtime.configure()
    evaluation = json.loads(options.evaluation.read_text(encoding="utf-8"))
    card = write(options.network, options.run, options.work, evaluation)
    path = MANIFEST.parent / entries()[options.network].card
    path.parent.mkdir(exist_ok=True)
    path.write_text(card, encoding="utf-8")
    sys.stdout.write(f"{path.name}\n")
    return 0


def write(network: str, run: Path, work: Path, evaluation: Mapping[str, Any]) -> str:
    """The card as Markdown."""
    entry = entries()[network]
    names = (network, "fused", *BASELINES[network])
    parts = [
        f"# {TITLES[network]}, trained here",
        f"File `{entry.file}`, version {entry.version}, SHA-256 `{entry.sha256}`. {TITLES[network]} as in Afchar, "
        "Nozick, Yamagishi, Echizen, MesoNet (WIFS 2018): a face of 256 x 256 px, RGB in [0, 1], to the logit of "
        "P(manipulated).",
        "## Data",
        _data(work),
        "## Run",
        _run(run),
        "## Figures",
        f"Val split, {evaluation['made']}, weights {evaluation['weights_version']}, thresholds "
        f"{evaluation['thresholds_version']}, fingerprint `{evaluation['data']['fingerprint']}`. The baseline is the "
        "authors' published weights on the same faces; they were trained on all of mesonet_filmtv, val included.",
        _sets(evaluation, names),
        "AUC by degradation:",
        _degradations(evaluation, names),
        "Calibration:",
        _calibration(evaluation, (network, "fused")),
        "Float16 on disk against the float32 that was trained (val AUC):",
        _halves(network, run, work),
        "## Known failures",
        _failures(network, evaluation),
    ]
    return "\n\n".join(parts) + "\n"


def _data(work: Path) -> str:
    counts: dict[tuple[str, str, str], int] = {}
    for crop in json.loads((work / "crops.json").read_text(encoding="utf-8")):
        row = crop["row"]
        key = (row["set"], row["label"], row["split"])
        counts[key] = counts.get(key, 0) + 1
    used = sorted({key[:2] for key in counts})
    lines = [[name, label, counts.get((name, label, "train"), 0), counts.get((name, label, "val"), 0)]
             for name, label in used]  # fmt: skip
    return (
        "Trained on `split=train` only; chosen and calibrated on `val`; no group is in both. Every crop was found and "
        "cut by the product's own code. portraits_sd3 is never trained on. Batches are balanced between the classes "
        "(`ml/training/batches.py`); part of the fakes are made of real film and video frames by softening the inside "
        "of the face (`ml/training/augment.py`).\n\n" + table(["set", "label", "train", "val"], lines)
    )


def _run(run: Path) -> str:
    with (run / "log.csv").open(newline="", encoding="utf-8") as file:
        log = list(csv.DictReader(file))
    best = max(log, key=lambda line: float(line["auc"]))
    history = run / "history.md"
    told = history.read_text(encoding="utf-8").strip() if history.is_file() else ""
    return (
        f"The last stage took {log[-1]['step']} steps in {log[-1]['seconds']} s; the weights are the moving average at "
        f"step {best['step']} ({best['seconds']} s), the best mean AUC over the sets of the val split.\n\n{told}\n\n"
        + table(list(log[0]), [list(line.values()) for line in log])
    )


def _sets(evaluation: Mapping[str, Any], names: Sequence[str]) -> str:
    rows = []
    for row in evaluation["sets"]:
        if row["detector"] in names:
            interval = "-" if row["auc_low"] is None else f"{row['auc_low']:.3f} to {row['auc_high']:.3f}"
            rows.append([_name(evaluation, row), row["set"], row["auc"], interval, *[row[f] for f in FIGURES[1:]]])
    head = ["detector", "set", "AUC", "95 %", "AP", "EER", "acc", "acc real", "acc fake", "FPR", "TPR"]
    return table(head, rows)


def _degradations(evaluation: Mapping[str, Any], names: Sequence[str]) -> str:
    kinds = list(dict.fromkeys(row["degradation"] for row in evaluation["degradations"]))
    rows = []
    for name in names:
        for kind in evaluation["paired_sets"]:
            found = {
                row["degradation"]: row["auc"]
                for row in evaluation["degradations"]
                if row["detector"] == name and row["set"] == kind
            }
            if found:
                rows.append([evaluation["detectors"][name], kind, *[found.get(each) for each in kinds]])
    return table(["detector", "set", *kinds], rows)


def _calibration(evaluation: Mapping[str, Any], names: Sequence[str]) -> str:
    rows = [
        [_name(evaluation, row), row["temperature"], row["bias"], row["ece_before"], row["ece_after"]]
        for row in evaluation["calibration"]
        if row["detector"] in names
    ]
    return table(["detector", "temperature", "bias", "ECE before", "ECE after"], rows)


def _halves(network: str, run: Path, work: Path) -> str:
    from ml.detect.predictor import Predictor
    from ml.faces import cut
    from ml.training import dataset
    from ml.training.loop import set_aucs
    from ml.weights.publish import trained

    samples = dataset.load(work, "val")
    inputs = np.stack([cut(sample.pixels, sample.square) for sample in samples])
    predictor = Predictor({"float32": trained(network, run), "float16": load(network)})
    logits = predictor.logits(inputs).astype(np.float64)
    before, after = (set_aucs(samples, logits[:, column]) for column in (0, 1))
    moved = float(np.abs(logits[:, 0] - logits[:, 1]).max())
    rows = [[name, before[name], after[name]] for name in before]
    return table(["set", "float32", "float16"], rows) + f"\n\nNo logit moved by more than {moved:.4f}."


def _failures(network: str, evaluation: Mapping[str, Any]) -> str:
    lines = []
    measured = [r for r in evaluation["degradations"] if r["detector"] == network]
    for row in sorted((r for r in measured if r["auc"] is not None), key=lambda r: float(r["auc"]))[:WORST]:
        lines.append(f"- AUC {row['auc']:.3f} on {row['set']}, degradation: {row['degradation']}.")
    for row in sorted((r for r in measured if r["fpr"] is not None), key=lambda r: -float(r["fpr"]))[:WORST]:
        lines.append(
            f"- {row['fpr']:.1%} of the reals of {row['set']} over the threshold, degradation: {row['degradation']}."
        )
    for row in evaluation["sets"]:
        if row["detector"] == network and row["auc"] is not None and row["set"] != "all":
            lines.append(
                f"- Of the fakes of {row['set']} it puts {row['tpr']:.1%} over the threshold, at {row['fpr']:.1%} of "
                "the reals."
            )
    for row in evaluation["manipulations"]:
        if row["detector"] == network and "synthetic" in row["manipulation"]:
            lines.append(
                f"- Whole synthetic pictures are not its subject: on {row['manipulation']} it finds {row['tpr']:.1%} "
                f"at the threshold (AUC {row['auc']:.3f} against all reals)."
            )
    lines.append("- Manipulations and programs that are in none of these sets were not measured; in-domain figures say "
                 "little about them.")  # fmt: skip
    lines.append("- The val split of mesonet_filmtv holds four fake videos: its figure has the weight of four cases.")
    return "\n".join(lines)


def _name(evaluation: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    return str(evaluation["detectors"][row["detector"]])


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Rows as a Markdown table, numbers to three places."""

    def cell(value: Any) -> str:
        return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)

    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(map(cell, row))} |" for row in rows)])


if __name__ == "__main__":
    sys.exit(main())
