"""Train the restorer for noise, JPEG blocks and blur: one network, told how strong which fault is.

``python -m ml.training.restorer --data NATURAL --out RUN --steps 6000``

NATURAL holds ``bsds500/`` (see ``ml.training.natural``). The run goes on where RUN stands when it is started again.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import keras
    from numpy.typing import NDArray

FEATURES, BLOCKS = 48, 4
VAL_PICTURES = 8
_VAL_SIDE = 192
VAL_FAULTS = ("noise25", "jpeg20", "blur1.5")


def parser() -> argparse.ArgumentParser:
    """The command line's arguments."""
    made = argparse.ArgumentParser(prog="python -m ml.training.restorer", description=__doc__)
    made.add_argument("--data", type=Path, required=True, help="folder that holds bsds500/")
    made.add_argument("--out", type=Path, required=True, help="folder of this run")
    made.add_argument("--steps", type=int, default=6000)
    made.add_argument("--batch", type=int, default=16)
    made.add_argument("--side", type=int, default=64, help="of the patches, px; even")
    made.add_argument("--rate", type=float, default=1e-3, help="Adam's first learning rate")
    made.add_argument("--look", type=int, default=250, help="steps between two looks at the val pictures")
    made.add_argument("--mix", default="nnnnjjbb", help="faults by turns: n noise, j JPEG, b blur")
    made.add_argument("--features", type=int, default=FEATURES)
    made.add_argument("--blocks", type=int, default=BLOCKS)
    made.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32", help="what the stack computes in")
    made.add_argument("--seed", type=int, default=2018)
    made.add_argument("--threads", type=int, default=1, help="TensorFlow's threads within an operation")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Train; prints one line a look at the val pictures. Returns the process's exit code."""
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    from ml import runtime

    runtime.configure(options.threads)
    import cv2
    import keras

    from ml.networks.compact import build_restorer
    from ml.training import natural
    from ml.training.restorer_run import Plan, RestorerRun
    from ml.training.restorer_story import story

    cv2.setNumThreads(options.threads)
    keras.utils.set_random_seed(options.seed)
    shape = {"features": options.features, "blocks": options.blocks}
    model = build_restorer(**shape, dtype="mixed_bfloat16" if options.dtype == "bfloat16" else "float32")
    run = RestorerRun(model, options.out, Plan(options.steps, options.rate, options.look))
    files = natural.paths(options.data, "train")
    batches = natural.Faults.read(files, options.batch, options.side, options.seed, options.mix)
    run.note(story("ml.training.restorer", options, run.step, natural.fingerprint(files)))
    val = natural.paths(options.data, "val")[:VAL_PICTURES]
    run.train(batches, measure(build_restorer(**shape), val))
    return 0


def measure(model: keras.Model, files: Sequence[Path]) -> Callable[[Sequence[NDArray[Any]]], dict[str, float]]:
    """The val figure: mean gain in dB (RGB PSNR) over noise 25, JPEG 20 and blur 1.5, and each of the three."""
    import numpy as np

    from ml.restore.fidelity import psnr
    from ml.training import natural

    cases = []
    for number, path in enumerate(files):
        picture = natural.clean(path)
        y, x = (max(0, (extent - _VAL_SIDE) // 2) for extent in picture.shape[:2])
        cut = picture[y : y + _VAL_SIDE, x : x + _VAL_SIDE]
        truth = cut[: cut.shape[0] // 2 * 2, : cut.shape[1] // 2 * 2].astype(np.float32) / 255
        random = np.random.default_rng(number)
        cases.append((truth, {
            "noise25": (natural.noisy(truth, 25, random), (0.5, 0.0, 0.0)),
            "jpeg20": (natural.jpeg(truth, 20), (0.0, natural.jpeg_level(20), 0.0)),
            "blur1.5": (natural.blurred(truth, 1.5), (0.0, 0.0, 0.5)),
        }))  # fmt: skip

    def figures(weights: Sequence[NDArray[Any]]) -> dict[str, float]:
        model.set_weights(weights)
        gains: dict[str, list[float]] = {name: [] for name in VAL_FAULTS}
        for truth, faults in cases:
            for name, (worse, level) in faults.items():
                made = np.asarray(model([worse[None], np.array([level], np.float32)]))[0]
                gains[name].append(psnr(made.clip(0, 1) * 255, truth * 255) - psnr(worse * 255, truth * 255))
        means = {name: float(np.mean(found)) for name, found in gains.items()}
        return {"gain": float(np.mean(list(means.values()))), **means}

    return figures


if __name__ == "__main__":
    sys.exit(main())
