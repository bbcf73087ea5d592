"""Train the face restorer in two stages: first without dictionaries, then with those that its own encoder makes.

``python -m ml.training.face_restorer --stage encoder --faces CROPS.npz --out RUN``
``python -m ml.training.face_restorer --stage dictionaries --faces CROPS.npz --start RUN --out RUN2``

CROPS is what ``ml.training.sharp_faces`` made. The second stage freezes the encoder of the first, has K-means find the
entries among its features of sharp faces, and trains the rest. Both go on where they stand when started again.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import keras
    from numpy.typing import NDArray

    from ml.training.sharp_faces import SharpFaces

CHOOSING_EVERY = 20
"""One face in so many chooses the weights and is not trained on."""

_CHOOSING_MOST = 48
_DSSIM = 0.3
_CLIP = 0.5  # of gradients: what scales features by features can run away otherwise


def parser() -> argparse.ArgumentParser:
    """The command line's arguments."""
    made = argparse.ArgumentParser(prog="python -m ml.training.face_restorer", description=__doc__)
    made.add_argument("--stage", choices=("encoder", "dictionaries"), required=True)
    made.add_argument("--faces", type=Path, required=True, help="crops of sharp faces")
    made.add_argument("--out", type=Path, required=True, help="folder of this run")
    made.add_argument("--start", type=Path, help="the first stage's run; of the second stage")
    made.add_argument("--steps", type=int, default=3000)
    made.add_argument("--batch", type=int, default=8)
    made.add_argument("--rate", type=float, default=5e-4, help="Adam's first learning rate")
    made.add_argument("--look", type=int, default=250, help="steps between two looks at the choosing faces")
    made.add_argument("--widths", type=int, nargs=3, default=(32, 64, 96))
    made.add_argument("--entries", type=int, default=32, help="of each dictionary")
    made.add_argument(
        "--dtype", choices=("float32", "bfloat16"), default="float32", help="what convolutions compute in"
    )
    made.add_argument("--seed", type=int, default=2018)
    made.add_argument("--threads", type=int, default=1, help="TensorFlow's threads within an operation")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Train; prints one line a look. Returns the process's exit code."""
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    from ml import runtime

    runtime.configure(options.threads)
    import cv2
    import keras

    from ml.networks.face_restorer import FaceRestorerConfig, build_face_restorer
    from ml.training.face_faults import DegradedFaces
    from ml.training.restorer_run import Plan, RestorerRun, best_weights
    from ml.training.restorer_story import story
    from ml.training.sharp_faces import SharpFaces

    cv2.setNumThreads(options.threads)
    keras.utils.set_random_seed(options.seed)
    faces = SharpFaces.load(options.faces)
    numbers = np.arange(len(faces.crops))
    choosing = faces.part(numbers[numbers % CHOOSING_EVERY == 0][:_CHOOSING_MOST])
    training = faces.part(numbers[numbers % CHOOSING_EVERY != 0])
    second = options.stage == "dictionaries"
    config = FaceRestorerConfig(widths=tuple(options.widths), entries=options.entries if second else 0)
    dtype = "mixed_bfloat16" if options.dtype == "bfloat16" else "float32"
    model = build_face_restorer(config, dtype=dtype)
    if second:
        if options.start is None:
            raise SystemExit("the second stage needs --start, the run of the first")
        first = build_face_restorer(FaceRestorerConfig(widths=config.widths, entries=0))
        first.set_weights(best_weights(options.start))
        take_layers(model, first)
        model.get_layer("encoder").trainable = False
        if not (options.out / "state.npz").is_file():
            fill_dictionaries(model, config, training, options.seed)
    run = RestorerRun(model, options.out, Plan(options.steps, options.rate, options.look, _CLIP), loss)
    run.note(story("ml.training.face_restorer", options, run.step, faces.fingerprint))
    run.train(DegradedFaces(training, options.batch, options.seed), measure(build_face_restorer(config), choosing))
    return 0


def loss(made: Any, truth: Any) -> Any:
    """L1, and structural dissimilarity of the brightness; the middle of the square counts more than its margin."""
    from keras import ops

    from ml.swap.losses import dssim, weighted_l1

    side = truth.shape[1]
    across = np.clip(1.6 - 1.6 * np.abs(np.linspace(-1, 1, side)), 0.2, 1).astype(np.float32)
    middle = (across[:, None] * across[None, :])[None, :, :, None]
    weight = middle * ops.ones_like(truth[..., :1])

    def brightness(x: Any) -> Any:
        return ops.sum(ops.clip(x, 0.0, 1.0) * np.array([0.299, 0.587, 0.114], np.float32), axis=-1, keepdims=True)

    return weighted_l1(made, truth, weight) + _DSSIM * dssim(brightness(made), brightness(truth), weight)


def take_layers(model: keras.Model, first: keras.Model) -> None:
    """Give ``model`` the weights of every layer that the first stage has too."""
    for layer in first.layers:
        if layer.weights:
            model.get_layer(layer.name).set_weights(layer.get_weights())


def fill_dictionaries(model: keras.Model, config: Any, faces: SharpFaces, seed: int) -> None:
    """Find every dictionary's entries by K-means among the parts of sharp faces, seen by the model's own encoder.

    An entry is the mean of many faces, never one of them. Of left and right eyes both are seen in both, mirrored.
    """
    from ml.networks.dfdnet import PARTS
    from ml.networks.face_restorer import STRIDES, dictionary_name
    from ml.training.face_entries import centres_of, part_features

    features = part_features(model.get_layer("encoder"), config, faces)
    for index in range(len(STRIDES)):
        for part, name in enumerate(PARTS):
            found = centres_of(features[index][part], config.entries, seed)
            model.get_layer(dictionary_name(index, name)).set_entries(found)


def measure(model: keras.Model, faces: SharpFaces) -> Callable[[Sequence[NDArray[Any]]], dict[str, float]]:
    """The figure to choose by: SSIM (Y) of faces degraded once and for all; also PSNR, and both before."""
    from ml.restore.fidelity import luma, psnr, ssim
    from ml.training.face_faults import DegradedFaces

    (worse, centres), truths = DegradedFaces(faces, len(faces.crops), 1).at(0)
    before = [ssim(luma(a * 255), luma(b * 255)) for a, b in zip(worse, truths, strict=True)]

    def figures(weights: Sequence[NDArray[Any]]) -> dict[str, float]:
        model.set_weights(weights)
        made = np.concatenate([
            np.asarray(model([worse[i : i + 8], centres[i : i + 8]])) for i in range(0, len(worse), 8)
        ]).clip(0, 1)  # fmt: skip
        alike = [ssim(luma(a * 255), luma(b * 255)) for a, b in zip(made, truths, strict=True)]
        near = [psnr(a * 255, b * 255) for a, b in zip(made, truths, strict=True)]
        return {"ssim": float(np.mean(alike)), "ssim_before": float(np.mean(before)), "psnr": float(np.mean(near))}

    return figures


if __name__ == "__main__":
    sys.exit(main())
