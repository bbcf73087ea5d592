"""Ship the best weights of a run, and write the card of what is shipped.

``python -m ml.training.restorer_publish weights --network compact_x2 --run RUN --version 2026.11.1``
``python -m ml.training.restorer_publish card --network compact_x2 --run RUN --evaluation EVALUATION.json``

Between the two comes ``python -m ml evaluate restore``. Every number in a card comes from the run's folder or from the
evaluation of these very weights.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.evaluate import faces, restore
from ml.restore import shipped
from ml.weights import MANIFEST, entries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TITLES = {
    "compact_x2": "Compact upscaler x2, trained here",
    "compact_x4": "Compact upscaler x4, trained here",
    "dictionary": "Face restorer with dictionaries, trained here",
    "esrgan_psnr_x4": "Slim RRDB x4 for PSNR, trained here",
    "esrgan_gan_x4": "Slim RRDB x4 against a discriminator (ESRGAN), trained here",
    "restorer": "Restorer for noise, JPEG and blur, trained here",
}
_WHAT = {
    "compact": "Convolutions at the small picture's size and a pixel shuffle, added to a trained 5 x 5 interpolation "
    "(`ml/networks/compact.py`): RGB in [0, 1] to RGB enlarged.",
    "dictionary": "An encoder that stays as its first training left it, dictionaries of eyes, noses and mouths that "
    "K-means found among its features, and a decoder that they steer (`ml/networks/face_restorer.py`), after DFDNet "
    "(Li et al., ECCV 2020): a face of 128 px, RGB in [0, 1], and its parts' places to the face restored. Entries are "
    "means over many faces and their mirror images, never one face.",
    "esrgan": "Four residual-in-residual dense blocks of 32 features (`ml/networks/rrdbnet.py`), after ESRGAN (Wang et "
    "al., ECCVW 2018), added to what the compact upscaler says: RGB in [0, 1] to RGB enlarged four times. A strength "
    "mixes the weights for PSNR with those of the adversarial training.",
    "restorer": "A stack at half size steered by three levels, noise, JPEG and blur (`ml/networks/compact.py`), after "
    "FFDNet (Zhang, Zuo, Zhang, TIP 2018): RGB in [0, 1] to RGB of the same size.",
}
_NATURAL = (
    "BSDS500 (Arbelaez et al., TPAMI 2011; for non-commercial research and education), its train part without one "
    'picture that is Set5\'s "woman": 199 photographs, reduced to .8 of their size (upscalers: and to .6) against '
    "their own JPEG noise. Weights are chosen on every fifth picture of the test part; the others are held out. "
    "Set5 and Set14 are measured on only. `ml/training/natural.py` makes the faults."
)
_FACES = (
    "Synthetic portraits (Stable Diffusion 3, CC0) and the sharpest photographed faces of the train split of a faces "
    "data set for research that nobody had swapped, aligned by their mesh (`ml/training/sharp_faces.py`). One face in "
    "twenty chooses the weights and is not trained on; the val split is measured on only. `ml/training/face_faults.py` "
    "makes the faults: blur, reduction by .8 to 8, noise, JPEG."
)
_LOSSES = {
    "compact": "L1 loss", "restorer": "L1 loss", "dictionary": "L1 and structural dissimilarity of the brightness",
    "esrgan": "L1 loss; in the adversarial stage beside it a perceptual distance and a relativistic average GAN",
}  # fmt: skip
_FAILURES = {
    "dictionary": (
        "What is gone is made up: eyes and teeth are the likeliest ones, not this person's. No face may be recognised "
        "or judged by what it adds, and results say that they hold invented detail.",
        "Faces from the side, behind hands or glasses, and children are rare in its training and come out softer.",
        "It knows 128 px: a face that has more gains contrast and loses blur, but no finer structure.",
        "Faces that are not found (under some 30 px, or far from upright) are left as they are.",
    ),
    "esrgan": (
        "With the adversarial weights texture is made up: it may look sharper and be further from the truth.",
        "It undoes bicubic reduction: noise and JPEG blocks of a small picture are enlarged with it, and sharpened.",
        "Trained for minutes on some two hundred photographs, where ESRGAN had days and thousands: see the figures.",
    ),
    "compact": (
        "It undoes bicubic reduction and nothing else: noise and JPEG blocks of a small picture are enlarged with it.",
        "It invents no detail: at four times hair, grass and small letters stay soft.",
        "Trained on some two hundred photographs only; line art, text and screenshots were not in them.",
    ),
    "restorer": (
        "It believes what it is told: too high a level smooths fine texture away, too low a level leaves the fault.",
        "Noise that is not white (a camera's own after its processing, a film's grain) was not in its training.",
        "A slight blur (sigma 1) is undone better by a plain unsharp mask of that sigma; see the figures.",
        "Blur is undone where it is Gaussian and even; motion blur and bad focus in parts of a picture are not.",
        "One fault at a time: a noisy, blurred JPEG takes several passes, each of which sees what the others left.",
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m ml.training.restorer_publish", description=__doc__)
    what = parser.add_subparsers(dest="what", required=True)
    weights = what.add_parser("weights", help="ship the best weights of a run")
    card = what.add_parser("card", help="write the card of what is shipped")
    for each in (weights, card):
        each.add_argument("--network", choices=shipped.NETWORKS, required=True)
        each.add_argument("--run", type=Path, required=True, help="folder of the training run")
        each.add_argument("--first", type=Path, help="folder of the run that it began with, told of in the card")
        each.add_argument("--manifest", type=Path, default=MANIFEST)
    weights.add_argument("--version", required=True)
    card.add_argument("--evaluation", type=Path, required=True, help="enhancement.json of these very weights")
    options = parser.parse_args(arguments)
    from ml import runtime

    runtime.configure()
    if options.what == "weights":
        from ml.training.restorer_run import best_weights

        sha256 = shipped.publish(options.network, best_weights(options.run), options.version, options.manifest)
        sys.stdout.write(f"{options.network}.npz {sha256}\n")
        return 0
    evaluation = json.loads(options.evaluation.read_text(encoding="utf-8"))
    path = options.manifest.parent / entries(options.manifest)[options.network].card
    path.parent.mkdir(exist_ok=True)
    path.write_text(write(options.network, options.run, evaluation, options.manifest, options.first), encoding="utf-8")
    sys.stdout.write(f"{path.name}\n")
    return 0


def write(
    network: str, run: Path, evaluation: Mapping[str, Any], manifest: Path = MANIFEST, first: Path | None = None
) -> str:
    """The card as Markdown. Raises ValueError when the evaluation is of other weights."""
    entry = entries(manifest)[network]
    if evaluation["weights"].get(network, {}).get("sha256") != entry.sha256:
        raise ValueError(f"the evaluation is not of the shipped weights of {network}")
    kind = network.partition("_")[0]
    model = shipped.load(network, manifest)
    parts = [
        f"# {TITLES[network]}",
        f"File `{entry.file}`, version {entry.version}, SHA-256 `{entry.sha256}`. {_WHAT[kind]} "
        f"{model.count_params():,} parameters, kernels in float16 on disk.",
        "## Data",
        _FACES if kind == "dictionary" else _NATURAL,
        "## Run",
        *([] if first is None else ["First stage:", _run(first, kind), "Then:"]),
        _run(run, kind),
        "## Figures",
        f"Measured {evaluation['made']} by `{evaluation['command']}` on {evaluation['device']}.",
        *(faces.markdown_tables(evaluation) if kind == "dictionary" else restore.markdown_tables(evaluation, network)),
        _halves(network, run, manifest),
        "## Known failures",
        "\n".join(f"- {line}" for line in _FAILURES[kind]),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _run(run: Path, kind: str) -> str:
    with (run / "log.csv").open(newline="", encoding="utf-8") as file:
        log = list(csv.DictReader(file))
    figure = list(log[0])[4]
    best = max(log, key=lambda line: float(line[figure]))
    told = (run / "history.md").read_text(encoding="utf-8").strip()
    lines = [f"| {' | '.join(log[0])} |", f"|{'---|' * len(log[0])}"]
    lines += [f"| {' | '.join(line.values())} |" for line in log]
    return (
        f"{_LOSSES[kind]}, Adam, moving average of the weights; {log[-1]['step']} steps in {log[-1]['seconds']} s (of "
        f"a clock, on one core shared with other work). Shipped is the average at step {best['step']} "
        f"({best['seconds']} s), the best {figure} on val. Started again with the same command the run goes on.\n\n"
        f"{told}\n\n" + "\n".join(lines)
    )


def _halves(network: str, run: Path, manifest: Path) -> str:
    from ml.training.restorer_run import best_weights

    model = shipped.build(network)
    model.set_weights(best_weights(run))
    inputs = shipped.probes(model)
    moved = float(np.abs(np.asarray(model(inputs)) - np.asarray(shipped.load(network, manifest)(inputs))).max())
    return f"Float16 on disk moved no value of the probe picture by more than {moved * 255:.3f} of 255."


if __name__ == "__main__":
    sys.exit(main())
