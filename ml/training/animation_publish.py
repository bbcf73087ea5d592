"""Ship the best weights of a run of the motion model, and write the card of what is shipped.

``python -m ml.training.animation_publish weights --run RUN --version 2026.11.1``
``python -m ml.training.animation_publish card --run RUN --cache CACHE --evaluation docs/evaluation/animation.json``

Between the two comes ``python -m ml evaluate animation --clips CLIPS --write docs/evaluation``. Every number in the
card comes from the run's folder, the cache it was trained on, or the evaluation of these very weights.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.weights import MANIFEST, entries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NETWORK = "motion"
_MOST_LINES = 30

_FAILURES = (
    "It was trained for minutes of one processor thread (see Run), on few filmed people and on still portraits that "
    "were turned by their mesh; the authors trained theirs for days on GPUs and on thousands of people.",
    "Large turns from the portrait's own pose distort: what was hidden is stretched or blurred, not invented.",
    "It shuts no lids: blinks of a driving clip are lost. Those of the built-in motions are made in the portrait by "
    "its face mesh (`ml/animate/lids.py`).",
    "Teeth and the inside of a mouth that is shut in the portrait are dark and soft.",
    "Hands, glasses' arms, earrings and loose hair before the face move as if they were painted on it.",
    "The background near the head moves along with it, and so do shoulders.",
    "Children, beards, veils and dark light are rare in the training data and were not measured one by one.",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m ml.training.animation_publish", description=__doc__)
    what = parser.add_subparsers(dest="what", required=True)
    weights = what.add_parser("weights", help="ship the best weights of a run")
    card = what.add_parser("card", help="write the card of what is shipped")
    for each in (weights, card):
        each.add_argument("--run", type=Path, required=True)
    weights.add_argument("--version", required=True)
    card.add_argument("--cache", type=Path, required=True)
    card.add_argument("--evaluation", type=Path, required=True)
    options = parser.parse_args(arguments)
    if options.what == "weights":
        ship(options.run, options.version)
    else:
        evaluation = json.loads(options.evaluation.read_text(encoding="utf-8"))
        path = MANIFEST.parent / entries()[NETWORK].card
        path.write_text(card_of(options.run, options.cache, evaluation), encoding="utf-8")
        sys.stdout.write(f"{path.name}\n")
    return 0


def ship(run: Path, version: str) -> None:
    """Write the run's best weights beside the manifest and enter them."""
    from ml.animate.model import network_of
    from ml.training.animation_run import best_weights
    from ml.weights.store import publish

    arrays = best_weights(run)
    network_of(arrays)  # refuses weights of another shape before anything is written
    entry = publish(NETWORK, arrays, version)
    sys.stdout.write(f"{entry.file} {entry.sha256}\n")


def card_of(run: Path, cache: Path, evaluation: Mapping[str, Any]) -> str:
    """The card as Markdown. Raises ValueError where the evaluation is of other weights."""
    from ml.evaluate.animation import markdown

    entry = entries()[NETWORK]
    if entry.sha256 not in evaluation["weights"]["motion"]:
        raise ValueError("the evaluation is of other weights than those that are shipped")
    figures = markdown(dict(evaluation)).partition("\n\n")[2].replace("\n## ", "\n### ")
    parts = [
        "# Motion model, trained here",
        f"File `{entry.file}`, version {entry.version}, SHA-256 `{entry.sha256}`.",
        "The First Order Motion Model (Siarohin et al., NeurIPS 2019) at 128 px, `SHIPPED_128` in `ml/networks/fomm`: "
        f"{_parameters():,} parameters. Its generator also keeps what it can of the moved source, as its authors' "
        "later one does (CVPR 2021).",
        "## Data",
        _data(cache),
        "## Run",
        _run(run),
        "## Figures",
        figures.strip(),
        "## Known failures",
        "\n".join(f"- {line}" for line in _FAILURES),
    ]
    return "\n\n".join(parts) + "\n"


def _parameters() -> int:
    from ml import runtime

    runtime.configure()
    from ml.networks.fomm import SHIPPED_128, FirstOrderMotion

    return sum(FirstOrderMotion(SHIPPED_128).count_params().values())


def _data(cache: Path) -> str:
    from ml.weights.card import table

    lines = []
    for split in ("train", "val", "test"):
        with np.load(cache / f"{split}.npz", allow_pickle=False) as held:
            names = [str(name) for name in held["names"]]
            people = {name.partition("/")[0] for name in names}
            lines.append([f"clips, {split}", len(people), len(names), len(held["clips"])])
    turned = cache / "portraits.npz"
    if turned.is_file():
        with np.load(turned, allow_pickle=False) as held:
            lines.append(
                ["still portraits, train, each beside a turned copy", "-", len(held["names"]), len(held["clips"])]
            )
    return (
        "People of the val and test lines (named in `ml/training/animation_faces.py`) are in no other line. Two fifths "
        "of the pairs are a still portrait of the train split and a copy that `ml/swap/reposing.py` turned; the others "
        "are two frames of one clip. Losses: L1 at four scales, SSIM, features of the boundary detector's first "
        "three stages in place of VGG-19 (whose weights cannot be had here), the paper's equivariance of value and "
        "jacobian with weight 10. Keypoints and jacobians were shown by the MediaPipe mesh at first "
        "(`ml/animate/places.py`) and then let go (column `shown`).\n\n"
        + table(["what", "people", "clips", "frames"], lines)
    )


def _run(run: Path) -> str:
    from ml.weights.card import table

    with (run / "log.csv").open(newline="", encoding="utf-8") as file:
        log = list(csv.DictReader(file))
    best = min(log, key=lambda line: float(line["val_l1"]))
    history = (run / "history.md").read_text(encoding="utf-8").strip()
    every = max(1, -(-len(log) // _MOST_LINES))
    keys = ("step", "seconds", "rate", "shown", "loss", "l1", "perception", "value", "equivariant_value", "val_l1")
    return (
        f"{log[-1]['step']} steps in {log[-1]['seconds']} s. The weights are the moving average at step "
        f"{best['step']}, the best on val: L1, weighted towards eyes and mouth, {float(best['val_l1']):.4f} against "
        f"{float(best['copy_source_l1']):.4f} of copying the source.\n\n{history}\n\n"
        + table(keys, [[line[key] for key in keys] for line in log[::every]])
    )


if __name__ == "__main__":
    sys.exit(main())
