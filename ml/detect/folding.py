"""Rewriting a trained network for serving: the same function of its input, with fewer and cheaper operations.

BatchNorm with fixed statistics is `s * x + o` per channel, and commutes with a max-pool that follows it (for a
channel with negative s the pool takes the minimum, which is the maximum of -x). So it is applied after the pool, on a
quarter or a sixteenth of the values, and weights become constants, which lets oneDNN keep its own layout of them.
This is exact up to rounding. On two cores it serves 1.3-1.6 times the images of the plain network (`python -m
benchmarks networks`).

LiteRT was measured too: faster at batch 1 on idle cores, but its threads wait for each other by spinning, and with
another process on the cores calls of one image took ten times as long; it cannot use a GPU either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ml import runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    import keras


class NotFoldable(TypeError):
    """The network holds a layer, or a wiring of one, that this module does not know."""


def fold(model: keras.Model) -> Callable[[Any], Any]:
    """The network's forward pass for inference with its weights of this moment, as a function to be traced.

    It takes what the model takes, a float32 tensor (N, H, W, C), and returns what the model returns, to within
    rounding. Raises NotFoldable; serve the model itself then.
    """
    tf = runtime.tensorflow()
    steps = [
        _Step(layer, _follower(model, layer)) for layer in model.layers if layer.__class__.__name__ != "InputLayer"
    ]
    source, results = id(model.inputs[0]), [id(output) for output in model.outputs]

    def run(batch: Any) -> Any:
        values = {source: batch}
        for step in steps:
            values[step.output] = step.apply(tf, [values[i] for i in step.inputs])
        return values[results[0]] if len(results) == 1 else [values[result] for result in results]

    return run


def _follower(model: keras.Model, layer: Any) -> str | None:
    """Class of the one layer that uses `layer`'s output; None when several do."""
    users = [
        other.__class__.__name__
        for other in model.layers
        if other is not layer and other.__class__.__name__ != "InputLayer" and id(layer.output) in _ids(other.input)
    ]
    return users[0] if len(users) == 1 else None


def _ids(tensors: Any) -> list[int]:
    return [id(tensor) for tensor in (tensors if isinstance(tensors, list | tuple) else [tensors])]


class _Step:
    """One layer, its weights read out."""

    def __init__(self, layer: Any, follower: str | None) -> None:
        self.inputs = _ids(layer.input)
        self.output = id(layer.output)
        self._layer = layer
        self._kind = layer.__class__.__name__
        self._weights = [np.asarray(weight, dtype=np.float32) for weight in layer.get_weights()]
        self._pooled_next = follower == "MaxPooling2D"
        if self._kind not in _APPLY or layer.output.dtype != "float32":
            raise NotFoldable(f"layer {layer.name} ({self._kind})")
        if self._kind == "BatchNormalization" and not (layer.scale and layer.center and layer.axis in {-1, 3}):
            raise NotFoldable(f"layer {layer.name}: BatchNormalization over another axis, or without scale or offset")
        if self._kind == "Conv2D" and (layer.strides != (1, 1) or layer.groups != 1):
            raise NotFoldable(f"layer {layer.name}: a strided or grouped convolution")

    def apply(self, tf: Any, values: list[Any]) -> Any:
        return _APPLY[self._kind](self, tf, values)

    def _conv(self, tf: Any, values: list[Any]) -> Any:
        layer, (kernel, *bias) = self._layer, self._weights
        value = tf.nn.conv2d(values[0], kernel, 1, layer.padding.upper(), dilations=layer.dilation_rate)
        return layer.activation(tf.nn.bias_add(value, bias[0]) if bias else value)

    def _norm(self, tf: Any, values: list[Any]) -> Any:
        gamma, beta, mean, variance = self._weights
        scale = gamma / np.sqrt(variance + self._layer.epsilon)
        affine = (scale, beta - mean * scale)
        if not self._pooled_next:
            return values[0] * affine[0] + affine[1]
        return values[0], affine

    def _pool(self, tf: Any, values: list[Any]) -> Any:
        layer, value = self._layer, values[0]

        def pooled(x: Any) -> Any:
            return tf.nn.max_pool2d(x, layer.pool_size, layer.strides, layer.padding.upper())

        if not isinstance(value, tuple):
            return pooled(value)
        value, (scale, offset) = value
        if (scale < 0).any():
            value, scale = value * np.where(scale < 0, -1, 1).astype(np.float32), np.abs(scale)
        return pooled(value) * scale + offset

    def _dense(self, tf: Any, values: list[Any]) -> Any:
        kernel, *bias = self._weights
        value = tf.matmul(values[0], kernel)
        return self._layer.activation(value + bias[0] if bias else value)

    def _concatenate(self, tf: Any, values: list[Any]) -> Any:
        return tf.concat(values, self._layer.axis)

    def _flatten(self, tf: Any, values: list[Any]) -> Any:
        return tf.reshape(values[0], (-1, self._layer.output.shape[-1]))

    def _leaky(self, tf: Any, values: list[Any]) -> Any:
        return tf.nn.leaky_relu(values[0], self._layer.negative_slope)

    def _same(self, tf: Any, values: list[Any]) -> Any:
        return values[0]


_APPLY: dict[str, Callable[[_Step, Any, list[Any]], Any]] = {
    "Conv2D": _Step._conv,
    "BatchNormalization": _Step._norm,
    "MaxPooling2D": _Step._pool,
    "Dense": _Step._dense,
    "Concatenate": _Step._concatenate,
    "Flatten": _Step._flatten,
    "LeakyReLU": _Step._leaky,
    "Dropout": _Step._same,
}
