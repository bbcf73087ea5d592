"""Train the slim RRDB that enlarges fourfold: for PSNR first, from the compact upscaler on, then as a GAN.

``python -m ml.training.esrgan --stage psnr --data NATURAL --out RUN``
``python -m ml.training.esrgan --stage gan --data NATURAL --start RUN --out RUN2``

NATURAL holds ``bsds500/`` (see ``ml.training.natural``). A run goes on where it stands when it is started again.
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

SCALE = 4
VAL_PICTURES = 8
_VAL_SIDE = 192


def parser() -> argparse.ArgumentParser:
    """The command line's arguments."""
    made = argparse.ArgumentParser(prog="python -m ml.training.esrgan", description=__doc__)
    made.add_argument("--stage", choices=("psnr", "gan"), required=True)
    made.add_argument("--data", type=Path, required=True, help="folder that holds bsds500/")
    made.add_argument("--out", type=Path, required=True, help="folder of this run")
    made.add_argument("--start", type=Path, help="the run to begin with: stage gan needs that of stage psnr")
    made.add_argument("--base", choices=("shipped", "none"), default="shipped", help="what the compact part begins as")
    made.add_argument("--steps", type=int, default=6000)
    made.add_argument("--batch", type=int, default=8)
    made.add_argument("--side", type=int, default=24, help="of the small patches, px; a multiple of 4")
    made.add_argument("--rate", type=float, help="Adam's first learning rate (psnr: 1e-3, gan: 1e-4)")
    made.add_argument("--look", type=int, default=250, help="steps between two looks at the val pictures")
    made.add_argument("--features", type=int, default=32)
    made.add_argument("--blocks", type=int, default=4)
    made.add_argument("--growth", type=int, default=16)
    made.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32", help="what the trunk computes in")
    made.add_argument("--seed", type=int, default=2018)
    made.add_argument("--threads", type=int, default=1, help="TensorFlow's threads within an operation")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Train; prints one line a look at the val pictures. Returns the process's exit code."""
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    from ml import runtime

    runtime.configure(options.threads)
    import keras

    from ml.networks.rrdbnet import build_slim_rrdb
    from ml.restore import shipped
    from ml.training import natural
    from ml.training.restorer_run import Plan, RestorerRun, best_weights
    from ml.training.restorer_story import story

    keras.utils.set_random_seed(options.seed)
    shape = {"scale": SCALE, "features": options.features, "blocks": options.blocks, "growth": options.growth}
    model = build_slim_rrdb(**shape, dtype="mixed_bfloat16" if options.dtype == "bfloat16" else "float32")
    if options.base == "shipped":
        model.get_layer("base").set_weights(shipped.load(f"compact_x{SCALE}").get_weights())
    if options.start is not None:
        model.set_weights(best_weights(options.start))
    adversarial = options.stage == "gan"
    plan = Plan(options.steps, options.rate or (1e-4 if adversarial else 1e-3), options.look, clip=1.0)
    if adversarial:
        if options.start is None:
            raise SystemExit("the second stage needs --start, the run of the first")
        from ml.networks.discriminator import build_discriminator
        from ml.training.adversarial_run import AdversarialRun

        run: RestorerRun = AdversarialRun(model, build_discriminator(), options.out, plan)
    else:
        run = RestorerRun(model, options.out, plan)
    files = natural.paths(options.data, "train")
    batches = natural.Enlargements.read(files, SCALE, options.batch, options.side, options.seed)
    run.note(story("ml.training.esrgan", options, run.step, natural.fingerprint(files)))
    val = natural.paths(options.data, "val")[:VAL_PICTURES]
    run.train(batches, measure(build_slim_rrdb(**shape), val, adversarial))
    return 0


def measure(
    model: keras.Model, files: Sequence[Path], adversarial: bool
) -> Callable[[Sequence[NDArray[Any]]], dict[str, float]]:
    """The val figures: PSNR on Y, by which the first stage is chosen, and the likeness by which the second is.

    Likeness is the perceptual distance (``ml.restore.perceptual``) times -1000: larger is better.
    """
    import numpy as np

    from ml.restore import perceptual
    from ml.restore.fidelity import luma, psnr
    from ml.training import natural

    pairs = []
    for path in files:
        picture = natural.clean(path)
        y, x = (max(0, (extent - _VAL_SIDE) // 2) for extent in picture.shape[:2])
        pairs.append(natural.downscaled(picture[y : y + _VAL_SIDE, x : x + _VAL_SIDE], SCALE))

    def figures(weights: Sequence[NDArray[Any]]) -> dict[str, float]:
        model.set_weights(weights)
        near, alike = [], []
        for small, truth in pairs:
            made = np.asarray(model(small[None].astype(np.float32) / 255))[0]
            pixels = np.asarray(np.clip(np.rint(made * 255), 0, 255), np.uint8)
            near.append(psnr(luma(pixels), luma(truth), SCALE))
            alike.append(-1000 * (perceptual.distance(pixels, truth) or 0.0))
        found = {"psnr_y": float(np.mean(near)), "likeness": float(np.mean(alike))}
        return dict(reversed(found.items())) if adversarial else found

    return figures


if __name__ == "__main__":
    sys.exit(main())
