"""Small generators made here, so that the synthesis detector has something to learn from: autoencoders of real faces.

``python -m ml.training.generators --kind nearest --data FACES --work CACHE --out DIR --minutes 3``

A face that an autoencoder renders has its real partner: same person, light and size. What sets them apart is what
decoders leave: the grid of their upsampling layers, smooth skin, the want of noise. The kinds differ in how they
upsample, as generators in the wild do. Two more need no training: "resampled" loses detail and leaves a grid by kernels
that are drawn anew for every face; "cleaned" loses its grain and keeps its edges.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import keras
    from numpy.typing import NDArray

    from ml.training.dataset import Sample
    from ml.training.loop import Schedule

    Pixels = NDArray[np.uint8]

logger = logging.getLogger(__name__)

KINDS = ("transposed", "nearest", "shuffle")
"""Decoders: transposed convolution (DCGAN), nearest enlarging and convolution (latent diffusion), pixel shuffle."""

LATENTS = {"transposed": 8, "nearest": 16, "shuffle": 12}
"""Channels of the bottleneck, at an eighth of the picture's side."""

RATE = 2e-3

_PATCH = 96
_WIDTHS = (24, 48, 64)


def build(kind: str) -> keras.Model:
    """The autoencoder: float32 (N, H, W, 3) in [0, 1] -> the same, H and W multiples of 8. Raises KeyError."""
    import keras
    from keras import layers

    from ml.networks.pixel_shuffle import PixelShuffle, PixelUnshuffle

    latent = LATENTS[kind]

    def active(x: Any, width: int, size: int = 3, stride: int = 1) -> Any:
        return layers.Conv2D(width, size, stride, padding="same", activation="leaky_relu")(x)

    def enlarged(x: Any, width: int) -> Any:
        if kind == "transposed":
            return layers.Conv2DTranspose(width, 4, 2, padding="same", activation="leaky_relu")(x)
        if kind == "shuffle":
            return PixelShuffle(2)(active(x, 4 * width))
        return active(layers.UpSampling2D(2, interpolation="nearest")(x), width)

    inputs = keras.Input((None, None, 3))
    x = active(PixelUnshuffle(2)(inputs), _WIDTHS[0])
    x = active(active(x, _WIDTHS[1], 4, 2), _WIDTHS[1])
    x = active(active(x, _WIDTHS[2], 4, 2), _WIDTHS[2])
    x = layers.Conv2D(latent, 1)(x)
    x = active(active(x, _WIDTHS[2]), _WIDTHS[2])
    x = active(enlarged(x, _WIDTHS[1]), _WIDTHS[1])
    x = active(enlarged(x, _WIDTHS[0]), _WIDTHS[0])
    x = enlarged(x, 16)
    return keras.Model(inputs, layers.Conv2D(3, 3, padding="same")(x), name=f"autoencoder_{kind}")


def patches(samples: Sequence[Sample], batch: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """Random pieces of 96 x 96 px of faces, mirrored half the time: float32 (batch, 96, 96, 3) in [0, 1]."""
    random = np.random.default_rng(seed)
    while True:
        made = np.empty((batch, _PATCH, _PATCH, 3), np.float32)
        for index in range(batch):
            pixels = samples[int(random.integers(len(samples)))].pixels
            height, width = pixels.shape[:2]
            if min(height, width) < _PATCH:
                size = (max(width, _PATCH), max(height, _PATCH))
                pixels = np.asarray(cv2.resize(np.ascontiguousarray(pixels), size), np.uint8)
                height, width = pixels.shape[:2]
            y, x = int(random.integers(height - _PATCH + 1)), int(random.integers(width - _PATCH + 1))
            piece = pixels[y : y + _PATCH, x : x + _PATCH]
            made[index] = piece[:, ::-1] if random.random() < 0.5 else piece
        yield made / 255


def train(
    kind: str, samples: Sequence[Sample], length: Schedule, seed: int = 2018, batch: int = 16
) -> tuple[Any, float]:
    """Train an autoencoder for so many steps or seconds; returns it and its mean absolute error of late, of 1."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    model = build(kind)
    optimizer = keras.optimizers.Adam(length.rate)
    optimizer.build(model.trainable_variables)

    def step(images: Any) -> Any:
        with tf.GradientTape() as tape:
            off = model(images, training=True) - images
            error = tf.reduce_mean(tf.abs(off))
            # Edges count too, or everything comes out blurred.
            edges = tf.reduce_mean(tf.abs(off[:, 1:] - off[:, :-1])) + tf.reduce_mean(
                tf.abs(off[:, :, 1:] - off[:, :, :-1])
            )
            value = error + edges
        optimizer.apply(tape.gradient(value, model.trainable_variables), model.trainable_variables)
        return error

    compiled = tf.function(step, jit_compile=False, autograph=False)
    started, errors = time.monotonic(), [1.0]
    for number, images in enumerate(patches(samples, batch, seed)):
        done = length.done(number, time.monotonic() - started)
        if done >= 1:
            break
        optimizer.learning_rate.assign(length.rate * min(1.0, 2.2 * (1 - done) + 0.02))
        errors = [*errors[-50:], float(compiled(tf.constant(images)))]
    return model, float(np.mean(errors))


def traced(model: keras.Model) -> Any:
    """The autoencoder as one graph for pictures of any size."""
    import tensorflow as tf

    return tf.function(
        lambda images: model(images, training=False),
        input_signature=[tf.TensorSpec((None, None, None, 3), tf.float32)],
        jit_compile=False,
        autograph=False,
    )


def render(model: Any, pixels: Pixels) -> Pixels:
    """A picture uint8 (H, W, 3) as the autoencoder (see :func:`traced`) renders it."""
    height, width = pixels.shape[:2]
    padded = np.pad(pixels, ((0, -height % 8), (0, -width % 8), (0, 0)), mode="edge")
    made = np.asarray(model(padded[None].astype(np.float32) / 255))[0]
    return np.asarray(np.clip(made[:height, :width] * 255 + 0.5, 0, 255), np.uint8)


def resampled(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """A picture that lost detail and was enlarged by a kernel drawn at random, which leaves a grid."""
    height, width = pixels.shape[:2]
    factor = 4 if random.random() < 0.3 else 2
    size = (max(8, -(-width // factor)), max(8, -(-height // factor)))
    small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.float32)
    spread = np.zeros((size[1] * factor, size[0] * factor, 3), np.float32)
    spread[::factor, ::factor] = small
    reach = 2 * factor
    ramp = 1 - np.abs(np.arange(reach) - (reach - 1) / 2) / factor
    kernel = np.outer(ramp, ramp).astype(np.float32)
    kernel += (random.uniform(0.02, 0.25) * random.standard_normal(kernel.shape) * kernel).astype(np.float32)
    for i in range(factor):  # flat areas stay as bright as they were, apart from a trace
        for j in range(factor):
            share = kernel[i::factor, j::factor]
            share *= (1 + random.normal(0, 0.004)) / share.sum()
    made = cv2.filter2D(spread, -1, kernel, borderType=cv2.BORDER_REFLECT_101)[:height, :width]
    plain = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    kept = random.uniform(0.0, 0.7)
    return np.asarray(np.clip(made + kept * (pixels - plain), 0, 255), np.uint8)


def cleaned(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """A picture without grain whose edges stay sharp: diffusion models draw no noise of a camera."""
    made = pixels
    for _ in range(1 if random.random() < 0.6 else 2):
        made = np.asarray(cv2.bilateralFilter(made, 5, random.uniform(12, 45), random.uniform(1.5, 4)), np.uint8)
    if random.random() < 0.5:  # colours are coarser than light in what decoders make
        bright = cv2.cvtColor(made, cv2.COLOR_RGB2YCrCb)
        soft = cv2.GaussianBlur(bright, (0, 0), random.uniform(0.7, 2.0))
        soft[:, :, 0] = bright[:, :, 0]
        made = np.asarray(cv2.cvtColor(soft, cv2.COLOR_YCrCb2RGB), np.uint8)
    amount, sigma = random.uniform(0.2, 1.3), random.uniform(0.6, 1.3)
    return np.asarray(cv2.addWeighted(made, 1 + amount, cv2.GaussianBlur(made, (0, 0), sigma), -amount, 0), np.uint8)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train one kind and write its weights, DIR/kind.weights.h5, and how near it comes, DIR/kind.json."""
    parser = argparse.ArgumentParser(prog="python -m ml.training.generators", description=__doc__)
    parser.add_argument("--kind", choices=KINDS, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder with index.csv and the pictures")
    parser.add_argument("--work", type=Path, required=True, help="folder of the prepared crops")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=2018)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    from ml import runtime

    runtime.configure(1)

    from ml.training import dataset
    from ml.training.loop import Schedule

    dataset.prepare(options.data, options.work)
    reals = [s for s in dataset.load(options.work, "train") if not s.row.manipulated]
    model, error = train(options.kind, reals, Schedule(RATE, seconds=options.minutes * 60), options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    model.save_weights(options.out / f"{options.kind}.weights.h5")
    told = {"kind": options.kind, "latent": LATENTS[options.kind], "minutes": options.minutes, "error": error}
    (options.out / f"{options.kind}.json").write_text(json.dumps(told), encoding="utf-8")
    logger.info("%s: mean absolute error %.4f", options.kind, error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
