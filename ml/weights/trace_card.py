"""The cards of the boundary and the synthesis detector.

``python -m ml.weights.trace_card --run RUN --work CACHE --figures FIGURES.json --evaluation detectors.json``

FIGURES is written by ``ml.training.trace_figures``, the evaluation by ``python -m ml evaluate detectors``: what MesoNet
reaches there on the same val faces is the baseline. All numbers come from files; none is typed in.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml.weights.card import table
from ml.weights.store import MANIFEST, entries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ALLOWED_FPR = 0.10
_BASELINES = ("meso4", "mesoinception4")

_SUBJECT = {
    "boundary": (
        "# Boundary detector\n\n{file} A face of 128 x 128 px, RGB in [0, 1], to the logit of P(manipulated) and a map "
        "of 32 x 32 cells of the blending boundary (`ml/networks/boundary.py`). Self-blended images after Shiohara and "
        "Yamasaki (CVPR 2022), the boundary after Li et al., Face X-ray (CVPR 2020)."
    ),
    "synthesis": (
        "# Synthesis detector\n\n{file} A face of 128 x 128 px, RGB in [0, 1], to the logit of P(wholly generated) "
        "(`ml/networks/synthesis.py`)."
    ),
}

_DATA = {
    "boundary": (
        "Reals and swaps of `split=train`, found and cut by the product's own code; chosen on `val`; no group is in "
        "both. Half of what the network sees are pairs: a blend that was made of a real face, and the picture it was "
        "blended into, both after the same changes (`ml/training/blending.py`, `ml/training/pairs.py`). Every set with "
        "reals gives pairs, so that no set stands for a label. Synthetic portraits are never trained on."
    ),
    "synthesis": (
        "Reals of `split=train`; each fake is a real face as a small autoencoder made here renders it, or resampled by "
        "a kernel drawn at random (`ml/training/generators.py`), beside the face itself after the same changes."
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m ml.weights.trace_card", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--work", type=Path, required=True, help="folder of the prepared crops")
    parser.add_argument("--figures", type=Path, required=True)
    parser.add_argument("--evaluation", type=Path, required=True)
    parser.add_argument("--leak", type=Path, help="lines of ml.training.leak")
    parser.add_argument("--beside", type=Path, help="figures of the run that left the portraits out")
    options = parser.parse_args(arguments)
    figures = json.loads(options.figures.read_text(encoding="utf-8"))
    evaluation = json.loads(options.evaluation.read_text(encoding="utf-8"))
    leak = [] if options.leak is None else [json.loads(line) for line in options.leak.read_text().splitlines()]
    beside = None if options.beside is None else json.loads(options.beside.read_text(encoding="utf-8"))
    path = MANIFEST.parent / entries()[figures["network"]].card
    path.write_text(write(figures, options.run, options.work, evaluation, leak, beside), encoding="utf-8")
    sys.stdout.write(f"{path.name}\n")
    return 0


def write(
    figures: Mapping[str, Any],
    run: Path,
    work: Path,
    evaluation: Mapping[str, Any],
    leak: Sequence[Mapping[str, Any]],
    beside: Mapping[str, Any] | None,
) -> str:
    """The card as Markdown."""
    network = figures["network"]
    entry = entries()[network]
    file = f"File `{entry.file}`, version {entry.version}, SHA-256 `{entry.sha256}`."
    parts = [_SUBJECT[network].format(file=file), "## Data", _DATA[network], _counts(work), "## Run", _run(run)]
    parts += ["## Figures", f"Val split, {figures['made']} on {figures['device']}, fingerprint "
              f"`{figures['fingerprint']}`; the weights as shipped; a face counts with its mirror image. Rounding to "
              f"float16 moved no logit by more than {figures['float16_moves']:.4f}."]  # fmt: skip
    if network == "boundary":
        parts += _boundary(figures, evaluation, leak)
    else:
        parts += _synthesis(figures, beside)
    parts += [_degraded(figures), "## Known failures", _failures(figures)]
    return "\n\n".join(parts) + "\n"


def _counts(work: Path) -> str:
    found: dict[tuple[str, str], dict[str, int]] = {}
    for crop in json.loads((work / "crops.json").read_text(encoding="utf-8")):
        row = crop["row"]
        here = found.setdefault((row["set"], row["label"]), {"train": 0, "val": 0})
        here[row["split"]] += 1
    rows = [[*key, here["train"], here["val"]] for key, here in sorted(found.items())]
    return table(["set", "label", "train", "val"], rows)


def _run(run: Path) -> str:
    with (run / "log.csv").open(newline="", encoding="utf-8") as file:
        log = list(csv.DictReader(file))
    best = max(log, key=lambda line: float(line["auc"]))
    told = (run / "history.md").read_text(encoding="utf-8").strip()
    return (
        f"{log[-1]['step']} steps in {log[-1]['seconds']} s; the weights are the moving average at step {best['step']} "
        f"({best['seconds']} s), the one with the best `auc` below.\n\n{told}\n\n"
        + table(list(log[0]), [list(line.values()) for line in log])
    )


def _boundary(
    figures: Mapping[str, Any], evaluation: Mapping[str, Any], leak: Sequence[Mapping[str, Any]]
) -> list[str]:
    rows = []
    for name, found in figures["sets"].items():
        before = [
            next(r["auc"] for r in evaluation["sets"] if r["detector"] == other and r["set"] == name)
            for other in _BASELINES
        ]
        interval = f"{found['low']:.3f} to {found['high']:.3f}"
        rows.append([name, found["faces"], found["auc"], interval, found["auc_without_mirror"], *before])
    drawn = figures["map"]
    parts = [
        "Swaps against the reals of their set; the 95 % interval resamples whole groups. Baseline: our MesoNet.",
        table(["set", "faces", "AUC", "95 %", "AUC without mirror", "Meso-4", "MesoInception-4"], rows),
        f"AUC on {figures['blend_pairs']} blends of val faces against their partners, not degraded, ratios as "
        "published (chance: .5):",
        table(["kind of blend", "AUC"], [[kind, value] for kind, value in figures["blends"].items()]),
        f"Boundary map, average precision over cells: {drawn['average_precision_fakes']:.3f} on the fakes, "
        f"{drawn['average_precision_all']:.3f} with their partners (chance on the fakes: "
        f"{drawn['seam_share_fakes']:.3f}).",
    ]
    if leak:
        rows = [[line["seen"], line["steps"], line["pairs"], line["auc"]] for line in leak]
        parts += [
            "A network trained to tell blends from partners by the pixels outside the mask, and the same one on whole "
            "pictures (`python -m ml.training.leak`):",
            table(["pixels seen", "steps", "val pairs", "AUC"], rows),
        ]
    return parts


def _synthesis(figures: Mapping[str, Any], beside: Mapping[str, Any] | None) -> list[str]:
    def rows(found: Mapping[str, Any]) -> list[list[Any]]:
        return [[k, v["made"], v["real"], v["auc"], v["sharpness_alone"]] for k, v in found["kinds"].items()]

    head = ["fakes", "n", "reals", "AUC", "sharpness alone"]
    parts = [
        "Renderings against the very faces that were rendered, portraits against reals of the same size in pixels and "
        "with the same compression. The last column is what one number, sharpness, tells by itself:",
        table(head, rows(figures)),
    ]
    if beside is not None:
        parts += ["The same network trained without any portrait, so that their generator is new to it:",
                  table(head, rows(beside))]  # fmt: skip
    return parts


def _degraded(figures: Mapping[str, Any]) -> str:
    found = figures["degradations"]["table"]
    sets = list(found["none"]["fpr_sets"])
    paired = list(found["none"]["auc"])
    rows = [
        [name, line["fpr"], *[line["fpr_sets"][s] for s in sets], *[line["auc"][s] for s in paired]]
        for name, line in found.items()
    ]
    head = ["degradation", "FPR", *[f"FPR {s}" for s in sets], *[f"AUC {s}" for s in paired]]
    return "False alarms on reals at the threshold that 5 % of the clean reals pass, and the AUC of swaps:\n\n" + table(
        head, rows
    )


def _failures(figures: Mapping[str, Any]) -> str:
    lines = []
    for name, line in figures["degradations"]["table"].items():
        if line["fpr"] > _ALLOWED_FPR:
            lines.append(f"- {line['fpr']:.1%} of the reals are called fake after {name}, at a threshold for 5 %.")
    for name, found in figures.get("sets", {}).items():
        if found["auc"] < 0.9:
            lines.append(f"- AUC {found['auc']:.3f} on {name} ({found['low']:.3f} to {found['high']:.3f}).")
    for kind, value in figures.get("blends", {}).items():
        if value < 0.95:
            lines.append(f"- AUC {value:.3f} on blends of val faces, kind: {kind}.")
    if figures.get("map", {}).get("average_precision_fakes", 1) < 0.6:
        lines.append("- The map is rough: it shows about where a seam may run, not that there is one.")
    for kind, found in figures.get("kinds", {}).items():
        if found["auc"] < 0.9:
            lines.append(f"- AUC {found['auc']:.3f} on {kind} ({found['made']} fakes).")
        elif found["auc"] < found["sharpness_alone"] + 0.02:
            lines.append(f"- On {kind} sharpness alone does as well (AUC {found['sharpness_alone']:.3f}).")
    if "map" in figures:
        lines.append("- mesonet_filmtv has four fake videos in its val split: its figure has the weight of four cases.")
    lines.append("- Generators and programs that are not named here were not measured.")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
