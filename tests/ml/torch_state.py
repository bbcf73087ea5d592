"""A Keras model's weights as PyTorch would name and shape them: the importers' inverse, for made-up checkpoints."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np


def state_of(model: Any) -> dict[str, np.ndarray]:
    """Return the state dict of all layers that carry a checkpoint's names (custom layers are left out)."""
    state: dict[str, np.ndarray] = {}
    for layer in model.layers:
        values = [np.asarray(value) for value in layer.get_weights()]
        if isinstance(layer, keras.Model):
            state |= state_of(layer)
        elif isinstance(layer, keras.layers.BatchNormalization):
            suffixes = ("weight", "bias", "running_mean", "running_var")
            state |= {f"{layer.name}.{suffix}": value for suffix, value in zip(suffixes, values, strict=True)}
        elif isinstance(layer, (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)):
            axes = (2, 3, 0, 1) if isinstance(layer, keras.layers.DepthwiseConv2D) else (3, 2, 0, 1)
            state[f"{layer.name}.weight"] = np.ascontiguousarray(values[0].transpose(axes))
            if layer.use_bias:
                state[f"{layer.name}.bias"] = values[1]
    return state


def spectral(state: dict[str, np.ndarray], name: str) -> None:
    """Put the weight ``name`` under spectral normalisation, in place: its parts evaluate to what it was."""
    weight = state.pop(name)
    right = np.random.default_rng(len(name)).standard_normal(weight[0].size)
    right /= np.linalg.norm(right)
    product = 3 * weight.reshape(len(weight), -1) @ right
    state[f"{name}_orig"] = 3 * weight
    state[f"{name}_u"] = (3 * product / (product @ product)).astype(np.float32)
    state[f"{name}_v"] = right.astype(np.float32)
