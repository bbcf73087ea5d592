"""Rewriting a trained network for serving: the same function of its input, with fewer and cheaper operations.

BatchNorm with fixed statistics is `s * x + o` per channel. Behind a convolution without an activation it goes into
that convolution's kernel and bias. Before a max-pool it commutes with the pool (for a channel with negative s the pool
takes the minimum, which is the maximum of -x), so it is applied after it, on a quarter or a sixteenth of the values.
Weights become constants, which lets oneDNN keep its own layout of them. This is exact up to rounding. On two cores it
serves 1.3-1.6 times the images of the plain network (`python -m benchmarks networks`).

LiteRT was measured too: faster at batch 1 on idle cores, but its threads wait for each other by spinning, and with
another process on the cores calls of one image took ten times as long; it cannot use a GPU either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ml import runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import keras
    from numpy.typing import NDArray


class NotFoldable(TypeError):
    """The network does not compute in float32, or uses a layer twice."""


def fold(model: keras.Model) -> Callable[[Any], Any]:
    """The network's forward pass for inference with its weights of this moment, as a function to be traced.

    It takes what the model takes, a float32 tensor (N, H, W, C), and returns what the model returns, to within
    rounding: a tensor, or a dict of them. A layer that this module does not know is called as Keras has it. Raises
    NotFoldable; serve the model itself then.
    """
    tf = runtime.tensorflow()
    layers = [layer for layer in model.layers if layer.__class__.__name__ != "InputLayer"]
    nodes = [node for depth in model._nodes_by_depth.values() for node in depth]
    for layer in layers:
        # A layer may stand in other models too (Grad-CAM cuts networks in two): only its uses in this one count.
        uses = sum(node.operation is layer for node in nodes)
        if layer.compute_dtype != "float32" or uses != 1:
            raise NotFoldable(f"layer {layer.name}: computes in {layer.compute_dtype}, is used {uses} times")
    followers = {id(layer): _followers(layers, layer) for layer in layers}
    steps = []
    for layer in layers:
        (norm,) = followers[id(layer)] if len(followers[id(layer)]) == 1 else (None,)
        if layer.__class__.__name__ == "Conv2D" and _is_linear(layer) and _is_affine(norm):
            steps.append(_Step(layer, followers[id(layer)], norm))
        else:
            steps.append(_Step(layer, followers[id(layer)]))
    taken = {id(step.norm) for step in steps if step.norm is not None}
    source, result = id(model.inputs[0]), model.output

    def run(batch: Any) -> Any:
        values = {source: batch}
        for step in steps:
            inputs = [values[i] for i in step.inputs]
            values[step.output] = inputs[0] if id(step.layer) in taken else step.apply(tf, inputs)
        if isinstance(result, dict):
            return {name: values[id(tensor)] for name, tensor in result.items()}
        return values[id(result)]

    return run


def _followers(layers: Sequence[Any], layer: Any) -> list[Any]:
    """The layers that use `layer`'s output."""
    return [other for other in layers if other is not layer and id(layer.output) in _ids(other.input)]


def _ids(tensors: Any) -> list[int]:
    return [id(tensor) for tensor in (tensors if isinstance(tensors, list | tuple) else [tensors])]


def _is_linear(conv: Any) -> bool:
    return conv.groups == 1 and getattr(conv.activation, "__name__", "") == "linear"


def _is_affine(layer: Any) -> bool:
    return layer is not None and layer.__class__.__name__ == "BatchNormalization" and layer.axis in {-1, 3}


class _Step:
    """One layer, its weights read out; `norm` is the BatchNormalization that a convolution takes into its kernel."""

    def __init__(self, layer: Any, followers: Sequence[Any], norm: Any = None) -> None:
        self.inputs = _ids(layer.input)
        self.output = id(layer.output)
        self.layer = layer
        self.norm = norm
        affine = _is_affine(layer)
        weights = _affine(layer) if affine else layer.get_weights()
        self._weights = [np.asarray(weight, dtype=np.float32) for weight in weights]
        self._pooled_next = [other.__class__.__name__ for other in followers] == ["MaxPooling2D"]
        kind = layer.__class__.__name__
        known = _APPLY.get(kind, _Step._as_keras)
        if (kind == "Conv2D" and layer.groups != 1) or (kind == "BatchNormalization" and not affine):
            known = _Step._as_keras
        self._apply = known
        if norm is not None:
            scale, offset = _affine(norm)
            kernel, *bias = self._weights
            self._weights = [kernel * scale, offset + scale * (bias[0] if bias else np.float32(0))]

    def apply(self, tf: Any, values: list[Any]) -> Any:
        return self._apply(self, tf, values)

    def _conv(self, tf: Any, values: list[Any]) -> Any:
        layer, (kernel, *bias) = self.layer, self._weights
        value = tf.nn.conv2d(values[0], kernel, layer.strides, layer.padding.upper(), dilations=layer.dilation_rate)
        return layer.activation(tf.nn.bias_add(value, bias[0]) if bias else value)

    def _norm(self, tf: Any, values: list[Any]) -> Any:
        scale, offset = self._weights
        return (values[0], (scale, offset)) if self._pooled_next else values[0] * scale + offset

    def _pool(self, tf: Any, values: list[Any]) -> Any:
        layer, value = self.layer, values[0]

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
        return self.layer.activation(value + bias[0] if bias else value)

    def _concatenate(self, tf: Any, values: list[Any]) -> Any:
        return tf.concat(values, self.layer.axis)

    def _flatten(self, tf: Any, values: list[Any]) -> Any:
        return tf.reshape(values[0], (-1, self.layer.output.shape[-1]))

    def _leaky(self, tf: Any, values: list[Any]) -> Any:
        return tf.nn.leaky_relu(values[0], self.layer.negative_slope)

    def _same(self, tf: Any, values: list[Any]) -> Any:
        return values[0]

    def _as_keras(self, tf: Any, values: list[Any]) -> Any:
        given = values if isinstance(self.layer.input, list | tuple) else values[0]
        return self.layer(given, training=False) if self.layer._call_has_training_arg else self.layer(given)


def _affine(norm: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A BatchNormalization with its statistics fixed: scale and offset a channel."""
    mean, variance = np.asarray(norm.moving_mean), np.asarray(norm.moving_variance)
    gamma = np.asarray(norm.gamma) if norm.scale else np.ones_like(mean)
    beta = np.asarray(norm.beta) if norm.center else np.zeros_like(mean)
    scale = gamma / np.sqrt(variance + norm.epsilon)
    return scale.astype(np.float32), (beta - mean * scale).astype(np.float32)


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
