"""StyleGAN2 generators in the layout of the PyTorch ports (``style.i``, ``convs.i``, ``to_rgbs.i``)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.importers.checkpoint_error import CheckpointError
from ml.importers.state_dict import StateDict
from ml.importers.torch_checkpoint import Tensor, read_torch_checkpoint
from ml.networks.stylegan2 import StyleGAN2, channels_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ml.networks.stylegan2_layers import EqualDense, ModulatedConv

MAX_SIZE = 1024
_LINE = np.array([1, 3, 3, 1], np.float32)


@dataclass(frozen=True, slots=True)
class _Assignment:
    name: str
    variable: Any
    axes: tuple[int, ...] | None = None  # from the checkpoint's axes (leading ones dropped) to Keras's

    def shape(self) -> tuple[int, ...]:
        shape = tuple(int(length) for length in self.variable.shape)
        return shape if self.axes is None else tuple(shape[self.axes.index(axis)] for axis in range(len(shape)))


def read_stylegan2(path: Path) -> StyleGAN2:
    """Read a generator below ``g_ema``, ``params_ema`` or ``params``, or plain; size, style and width are the file's.

    Returns a StyleGAN2; its ``latent_average`` is the file's ``latent_avg`` (1, style), or None. Raises
    CheckpointError.
    """
    tree = read_torch_checkpoint(path)
    state = StateDict.find(path, tree, "g_ema", "params_ema", "params")
    model = _sized_as(state)
    assignments = list(_assignments(model))
    for assignment in assignments:
        found, wanted = state.shape(assignment.name), assignment.shape()
        if math.prod(found) != math.prod(wanted) or _plain(found) != _plain(wanted):
            raise CheckpointError(path, f"{assignment.name} has the shape {found}, this network needs {wanted}")
        state.claim(assignment.name)
    for name in [name for name in state if name.endswith(".kernel")]:
        _check_filter(state, name)
    rest = state.rest()
    if rest:
        raise CheckpointError(path, f"it has {len(rest)} entries that this network has not, such as {rest[0]}")
    for assignment in assignments:
        array = state.take(assignment.name).reshape(assignment.shape())
        assignment.variable.assign(array if assignment.axes is None else np.transpose(array, assignment.axes))
    average = tree.get("latent_avg") if isinstance(tree, dict) else None
    if isinstance(average, Tensor) and math.prod(average.shape) == model.style:
        model.latent_average = average.read().reshape(1, model.style)
    return model


def _sized_as(state: StateDict) -> StyleGAN2:
    style = _length(state, "style.1.bias")
    layers = _numbered(state, r"style\.(\d+)\.weight")
    convs = _numbered(state, r"convs\.(\d+)\.conv\.weight")
    size = 2 ** (2 + convs // 2)
    if layers > 16 or not 2 <= convs <= 2 * (int(math.log2(MAX_SIZE)) - 2) or convs % 2 or style > 2048:
        raise CheckpointError(state.path, f"{layers} mapping layers and {convs} convolutions are no StyleGAN2")
    width, last = _length(state, "conv1.activate.bias"), _length(state, f"convs.{convs - 1}.activate.bias")
    multiplier = 2
    if width == 512 and size > 32:
        multiplier = max(1, last * size // (256 * 64))
        if min(channels_at(size, multiplier), width) != last:
            raise CheckpointError(state.path, f"{last} channels at {size} pixels are no StyleGAN2")
    if width > 512:
        raise CheckpointError(state.path, f"{width} channels at 4 pixels are no StyleGAN2")
    return StyleGAN2(size, style=style, mapping_layers=layers, multiplier=multiplier, width=width)


def _length(state: StateDict, name: str) -> int:
    shape = state.shape(name)
    if len(shape) != 1 or shape[0] < 1:
        raise CheckpointError(state.path, f"{name} has the shape {shape}")
    return shape[0]


def _numbered(state: StateDict, pattern: str) -> int:
    return len({match[1] for name in state if (match := re.fullmatch(pattern, name))})


def _plain(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(length for length in shape if length != 1)


def _check_filter(state: StateDict, name: str) -> None:
    """The blur kernels are part of the network, not of its weights: they must be the one it has."""
    kernel = state.take(name)
    usual = np.outer(_LINE, _LINE) / 64
    # Saved with the gain of an enlargement, or without: it is applied either way.
    if kernel.shape != (4, 4) or not any(np.allclose(kernel, gain * usual, atol=1e-5) for gain in (1, 4)):
        raise CheckpointError(state.path, f"{name} is another filter than [1, 3, 3, 1]")
    state.claim(name)


def _assignments(model: StyleGAN2) -> Iterator[_Assignment]:
    for layer in model.mapping_layers:
        yield from _dense(layer.name, layer)
    yield _Assignment("input.input", model.constant.value, (0, 2, 3, 1))
    for index, layer in enumerate((model.first, *model.convs)):
        yield from _conv(f"{layer.name}.conv", layer.conv)
        yield _Assignment(f"{layer.name}.noise.weight", layer.strength)
        yield _Assignment(f"{layer.name}.activate.bias", layer.bias)
        yield _Assignment(f"noises.noise_{index}", layer.noise)
    for layer in model.to_rgb:
        yield from _conv(f"{layer.name}.conv", layer.conv)
        yield _Assignment(f"{layer.name}.bias", layer.bias)


def _conv(name: str, layer: ModulatedConv) -> Iterator[_Assignment]:
    yield _Assignment(f"{name}.weight", layer.kernel, (2, 3, 1, 0))
    yield from _dense(f"{name}.modulation", layer.modulation)


def _dense(name: str, layer: EqualDense) -> Iterator[_Assignment]:
    yield _Assignment(f"{name}.weight", layer.kernel, (1, 0))
    yield _Assignment(f"{name}.bias", layer.bias)
