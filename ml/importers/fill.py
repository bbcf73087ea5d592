"""Weights from a state dict into a Keras model whose layers carry the checkpoint's names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from ml.importers.checkpoint_error import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ml.importers.state_dict import StateDict

_CONV = (2, 3, 1, 0)  # (out, in, height, width) -> (height, width, in, out)
_DEPTHWISE = (2, 3, 0, 1)  # (channels, 1, height, width) -> (height, width, channels, 1)


@dataclass(frozen=True, slots=True)
class _Assignment:
    name: str
    variable: Any
    axes: tuple[int, ...] | None = None

    def torch_shape(self) -> tuple[int, ...]:
        shape = tuple(int(length) for length in self.variable.shape)
        if self.axes is None:
            return tuple(length for length in shape if length != 1) or (1,)
        return tuple(shape[self.axes.index(axis)] for axis in range(len(shape)))


def fill(model: keras.Model, state: StateDict, *, complete: bool = True, skip: tuple[type[Any], ...] = ()) -> None:
    """Put every entry of ``state`` into the layer of ``model`` that has its name.

    All names and shapes are compared first; nothing is loaded when one is wrong. Layers: Conv2D, DepthwiseConv2D,
    Dense, BatchNormalization, PReLU. Layers of the kinds in ``skip`` are left alone. With ``complete`` an entry that
    no layer wants is refused too. Raises CheckpointError.
    """
    assignments = [assignment for layer in _layers(model, skip) for assignment in _assignments(layer)]
    for assignment in assignments:
        found, wanted = state.shape(assignment.name), assignment.torch_shape()
        flat = assignment.axes is None and tuple(length for length in found if length != 1) == wanted
        if found != wanted and not flat:
            raise CheckpointError(state.path, f"{assignment.name} has the shape {found}, this network needs {wanted}")
        state.claim(assignment.name)
    rest = state.rest()
    if complete and rest:
        raise CheckpointError(state.path, f"it has {len(rest)} entries that this network has not, such as {rest[0]}")
    for assignment in assignments:
        array = state.take(assignment.name)
        if assignment.axes is not None:
            array = np.transpose(array, assignment.axes)
        assignment.variable.assign(array.reshape(assignment.variable.shape))


def _layers(model: keras.Model, skip: tuple[type[Any], ...]) -> Iterator[Any]:
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers(layer, skip)
        elif layer.weights and not isinstance(layer, skip):
            yield layer


def _assignments(layer: Any) -> Iterator[_Assignment]:
    name = layer.name
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        yield _Assignment(f"{name}.weight", layer.kernel, _DEPTHWISE)
    elif isinstance(layer, keras.layers.Conv2D):
        yield _Assignment(f"{name}.weight", layer.kernel, _CONV)
    elif isinstance(layer, keras.layers.Dense):
        yield _Assignment(f"{name}.weight", layer.kernel, (1, 0))
    elif isinstance(layer, keras.layers.PReLU):
        yield _Assignment(f"{name}.weight", layer.alpha)
        return
    elif isinstance(layer, keras.layers.BatchNormalization):
        yield _Assignment(f"{name}.weight", layer.gamma)
        yield _Assignment(f"{name}.bias", layer.beta)
        yield _Assignment(f"{name}.running_mean", layer.moving_mean)
        yield _Assignment(f"{name}.running_var", layer.moving_variance)
        return
    else:
        raise TypeError(f"no rule for the weights of {type(layer).__name__} {name!r}")
    if layer.use_bias:
        yield _Assignment(f"{name}.bias", layer.bias)
