"""Grad-CAM (Selvaraju et al. 2017): which regions of a face moved the answer towards "manipulated".

It differentiates the logit, not the sigmoid, whose gradient vanishes exactly where a network is sure. What it shows
is what a network looked at, never a proof.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from ml import runtime

if TYPE_CHECKING:
    from collections.abc import Mapping

    import keras
    from numpy.typing import NDArray

STRENGTH = 0.65
"""Opacity of the heat map where it is hottest."""


class GradCam:
    """Grad-CAM on the fused logit of several detectors.

    The fused logit is a weighted sum of logits, and so is its gradient: the maps of the detectors are added with these
    weights before negative evidence is cut off. The detectors' last convolutions must have the same height and width.

    models: detectors by name, float32 (N, S, S, 3) in [0, 1] -> logit (N, 1) of P(manipulated).
    weights: each detector's weight in the fused logit (with calibration: weight / temperature); 1 where not given.
    """

    def __init__(self, models: Mapping[str, keras.Model], weights: Mapping[str, float] | None = None) -> None:
        tf = runtime.tensorflow()
        weights = weights or {}
        self._parts = [(*split(model), weights.get(name, 1.0)) for name, model in models.items()]
        self._trace = tf.function(self._maps, reduce_retracing=True, jit_compile=False)
        self._tf = tf

    def maps(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """crops: uint8 (N, S, S, 3). Returns float32 (N, h, w) in [0, 1].

        1 where evidence for manipulation is strongest; all zero where nothing spoke for manipulation.
        """
        evidence = self._trace(self._tf.constant(crops)).numpy()
        evidence = np.maximum(evidence, 0.0)
        top = evidence.max(axis=(1, 2), keepdims=True)
        # Below this the map is rounding noise, and scaling it up would make a pattern of nothing.
        return np.where(top > 1e-6, evidence / np.maximum(top, 1e-6), 0.0).astype(np.float32)

    def _maps(self, crops: Any) -> Any:
        tf = self._tf
        batch = tf.cast(crops, tf.float32) * (1.0 / 255.0)
        total: Any = 0.0
        for body, head, weight in self._parts:
            features = body(batch, training=False)
            gradient = gradients(head, features)
            importance = tf.reduce_mean(gradient, axis=(1, 2), keepdims=True)
            total += weight * tf.reduce_sum(importance * features, axis=-1)
        return total


def split(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """A network cut behind its last convolution: (image -> features (N, h, w, C), features -> logit (N, 1)).

    Raises ValueError when it has no convolution.
    """
    import keras

    for layer in reversed(model.layers):
        if layer.__class__.__name__ == "Conv2D":
            return keras.Model(model.inputs[0], layer.output), keras.Model(layer.output, model.outputs[0])
    raise ValueError(f"{model.name} has no convolution to explain")


def gradients(head: keras.Model, features: Any) -> Any:
    """The gradient of each row's logit by its features (N, h, w, C), of the same shape."""
    tf = runtime.tensorflow()
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(features)
        # Rows do not mix at inference, so the gradient of the sum holds each row's own.
        total = tf.reduce_sum(head(features, training=False))
    return tape.gradient(total, features)


def overlay(crop: NDArray[np.uint8], heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Lay a map (h, w) in [0, 1] over a crop uint8 (S, S, 3), as a picture of the same shape.

    Colours are matplotlib's inferno, whose lightness rises evenly; opacity rises with the value, so that a face without
    evidence stays as it is.
    """
    side = (crop.shape[1], crop.shape[0])
    smooth = np.clip(np.asarray(cv2.resize(heat, side, interpolation=cv2.INTER_CUBIC)), 0.0, 1.0)
    coloured = cv2.applyColorMap((smooth * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    alpha = (STRENGTH * smooth)[..., None]
    return np.asarray(np.rint(crop * (1.0 - alpha) + coloured * alpha), dtype=np.uint8)
