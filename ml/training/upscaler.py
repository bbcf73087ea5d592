"""Train a compact upscaler.

``python -m ml.training.upscaler --scale 2 --data NATURAL --out RUN --steps 4000``

NATURAL holds ``bsds500/`` (see ``ml.training.natural``). Bicubic reduction is the only fault that it learns to undo.
``--start`` takes the stack from a run of another scale. The run goes on where RUN stands when it is started again.
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

FEATURES, CONVS = 32, 8
VAL_PICTURES = 12
_VAL_SIDE = 256  # of the truth's centre: a look must not cost as much as a hundred steps


def parser() -> argparse.ArgumentParser:
    """The command line's arguments."""
    made = argparse.ArgumentParser(prog="python -m ml.training.upscaler", description=__doc__)
    made.add_argument("--scale", type=int, choices=(2, 4), required=True)
    made.add_argument("--data", type=Path, required=True, help="folder that holds bsds500/")
    made.add_argument("--out", type=Path, required=True, help="folder of this run")
    made.add_argument("--start", type=Path, help="folder of a run whose stack this one begins with")
    made.add_argument("--steps", type=int, default=4000)
    made.add_argument("--batch", type=int, default=16)
    made.add_argument("--side", type=int, default=32, help="of the small patches, px")
    made.add_argument("--rate", type=float, default=1e-3, help="Adam's first learning rate")
    made.add_argument("--look", type=int, default=250, help="steps between two looks at the val pictures")
    made.add_argument("--features", type=int, default=FEATURES)
    made.add_argument("--convs", type=int, default=CONVS)
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
    import keras

    from ml.networks.compact import build_compact
    from ml.training import natural
    from ml.training.restorer_run import Plan, RestorerRun, best_weights
    from ml.training.restorer_story import story

    keras.utils.set_random_seed(options.seed)
    shape = {"scale": options.scale, "features": options.features, "convs": options.convs}
    dtype = "mixed_bfloat16" if options.dtype == "bfloat16" else "float32"
    model = build_compact(**shape, dtype=dtype)
    if options.start is not None:
        take_stack(model, best_weights(options.start))
    run = RestorerRun(model, options.out, Plan(options.steps, options.rate, options.look))
    files = natural.paths(options.data, "train")
    batches = natural.Enlargements.read(files, options.scale, options.batch, options.side, options.seed)
    val = natural.paths(options.data, "val")[:VAL_PICTURES]
    run.note(story("ml.training.upscaler", options, run.step, natural.fingerprint(files)))
    run.train(batches, measure(build_compact(**shape), val, options.scale))
    return 0


def take_stack(model: keras.Model, weights: Sequence[NDArray[Any]]) -> None:
    """Give ``model`` the weights of another scale's run, all but the last convolution and the linear one.

    Raises ValueError when that run's stack has another size.
    """
    ours = model.get_weights()
    same = [mine.shape == theirs.shape for mine, theirs in zip(ours, weights, strict=True)]
    if sum(same) != len(ours) - 4:
        raise ValueError("the run to begin with has another stack")
    model.set_weights([theirs if fits else mine for mine, theirs, fits in zip(ours, weights, same, strict=True)])


def measure(
    model: keras.Model, files: Sequence[Path], scale: int
) -> Callable[[Sequence[NDArray[Any]]], dict[str, float]]:
    """The val figure: mean PSNR on Y, in whole numbers, borders of ``scale`` left out, in a float32 ``model``."""
    import numpy as np

    from ml.restore.fidelity import luma, psnr
    from ml.training import natural

    pairs = []
    for path in files:
        picture = natural.clean(path)
        y, x = (max(0, (extent - _VAL_SIDE) // 2) for extent in picture.shape[:2])
        pairs.append(natural.downscaled(picture[y : y + _VAL_SIDE, x : x + _VAL_SIDE], scale))

    def figures(weights: Sequence[NDArray[Any]]) -> dict[str, float]:
        model.set_weights(weights)
        found = []
        for small, truth in pairs:
            made = np.asarray(model(small[None].astype(np.float32) / 255))[0]
            made = np.clip(np.rint(made * 255), 0, 255)
            found.append(psnr(luma(made), luma(truth), scale))
        return {"psnr_y": float(np.mean(found))}

    return figures


if __name__ == "__main__":
    sys.exit(main())
