"""A motion model ready to use: the shipped one, or an imported checkpoint; graphs are built once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ml import runtime
from ml.networks.fomm.keypoints import Keypoints

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.networks.fomm import FirstOrderMotion

SHIPPED = "motion"
BATCH = 8
"""Frames that are made at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A portrait as the network knows it: tensors of the picture and its features, and its keypoints (N = 1)."""

    picture: Any
    features: Any
    keypoints: Keypoints


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """pixels: uint8 (N, S, S, 3). flow: float32 (N, s, s, 2), where each pixel comes from in the portrait, in [-1, 1].
    kept: float32 (N, k, k), the share of the portrait's own pixels in each.
    """

    pixels: NDArray[np.uint8]
    flow: NDArray[np.float32]
    kept: NDArray[np.float32]


class MotionModel:
    """size: side of its pictures. weights: what made the result, as {"motion": "trained here, ..."} or "imported: file,
    sha256". Use one instance from one thread.
    """

    def __init__(self, network: FirstOrderMotion, weights: dict[str, str]) -> None:
        tf = runtime.tensorflow()
        self.size, self.weights = network.config.size, weights
        self._constant = tf.constant
        count = network.config.keypoints
        picture = tf.TensorSpec((None, self.size, self.size, 3), tf.uint8)
        feature_side = self.size // 2**network.config.generator_levels
        channels = int(network.encoder.output_shape[-1])
        decoder, keeps = _decoder_of(network)

        def floats(pixels: Any) -> Any:
            return tf.cast(pixels, tf.float32) * (1.0 / 255.0)

        def find(pixels: Any) -> Any:
            return network.keypoint_detector(floats(pixels), training=False)

        def encode(pixels: Any) -> Any:
            return floats(pixels), network.encoder(floats(pixels), training=False)

        def make(source: Any, features: Any, own: Any, own_jacobian: Any, value: Any, jacobian: Any) -> Any:
            frames = tf.shape(value)[0]
            source, features, own, own_jacobian = (
                tf.repeat(part, frames, axis=0) for part in (source, features, own, own_jacobian)
            )
            flow, occlusion, _ = network.dense_motion([source, own, own_jacobian, value, jacobian], training=False)
            parts = [features, flow, occlusion, *([source] if keeps else [])]
            answer = decoder(parts, training=False)
            made, kept = (answer[0], 1 - tf.sigmoid(answer[1])) if keeps else (answer, occlusion)
            made = tf.cast(tf.round(tf.clip_by_value(made, 0.0, 1.0) * 255.0), tf.uint8)
            return made, flow, kept[..., 0]

        single = [(None, self.size, self.size, 3), (None, feature_side, feature_side, channels)]
        places = [(None, count, 2), (None, count, 2, 2)] * 2
        self._find = tf.function(find, input_signature=[picture], jit_compile=False)
        self._encode = tf.function(encode, input_signature=[picture], jit_compile=False)
        self._make = tf.function(
            make, input_signature=[tf.TensorSpec(shape, tf.float32) for shape in single + places], jit_compile=False
        )

    def keypoints(self, pixels: NDArray[np.uint8]) -> Keypoints:
        """Of pictures uint8 (N, S, S, 3)."""
        value, jacobian = self._find(self._constant(pixels))
        return Keypoints(np.asarray(value, np.float32), np.asarray(jacobian, np.float32))

    def portrait(self, pixels: NDArray[np.uint8]) -> Portrait:
        """Look at the portrait's square, uint8 (S, S, 3), once for all frames."""
        picture, features = self._encode(self._constant(pixels[None]))
        return Portrait(picture, features, self.keypoints(pixels[None]))

    def make(self, portrait: Portrait, keypoints: Keypoints) -> Made:
        """The portrait with each of these keypoints."""
        own = [self._constant(part) for part in portrait.keypoints]
        pixels, flow, kept = self._make(
            portrait.picture, portrait.features, *own, *(self._constant(part) for part in keypoints)
        )
        return Made(np.asarray(pixels), np.asarray(flow), np.asarray(kept))


def model_of(path: Path | None = None) -> MotionModel:
    """The shipped model, or that of a checkpoint (``.pth.tar``, or ``.npz`` by ``python -m ml import``); kept warm.

    Raises CheckpointError for a file that is no motion model, WeightsError when the shipped one is damaged.
    """
    return _shipped() if path is None else _imported(path.resolve(), path.stat().st_mtime_ns)


def network_of(arrays: list[NDArray[np.float32]]) -> FirstOrderMotion:
    """The shipped network with these weights, in the order of ``FirstOrderMotion.parts``. Raises ValueError."""
    runtime.configure()
    from ml.networks.fomm import SHIPPED_128, FirstOrderMotion

    network = FirstOrderMotion(SHIPPED_128)
    left = list(arrays)
    for part in network.parts():
        own, left = left[: len(part.weights)], left[len(part.weights) :]
        part.set_weights(own)
    if left:
        raise ValueError("these are the weights of another network")
    return network


@lru_cache(maxsize=1)
def _shipped() -> MotionModel:
    from ml.weights.store import WeightsError, entries, load_arrays

    try:
        network = network_of(load_arrays(SHIPPED))
    except ValueError as error:
        raise WeightsError("the motion model's weights do not fit it") from error
    entry = entries()[SHIPPED]
    return MotionModel(network, {SHIPPED: f"{entry.kind}, {entry.version}, sha256 {entry.sha256}"})


@lru_cache(maxsize=1)
def _imported(path: Path, changed: int) -> MotionModel:
    from ml.importers import read_checkpoint

    network = read_checkpoint("fomm", path)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return MotionModel(network, {SHIPPED: f"imported: {path.name}, sha256 {sha256}"})


def _decoder_of(network: FirstOrderMotion) -> tuple[Any, bool]:
    """The decoder, and whether it also tells the share (as logits) of what it paints against what it keeps."""
    if not network.config.keeps_source:
        return network.decoder, False
    import keras

    share = network.decoder.get_layer("share").output
    return keras.Model(network.decoder.inputs, [network.decoder.output, share]), True
