"""The layers of StyleGAN2's generator (Karras et al., CVPR 2020, section 2 and appendix B).

Equalised learning rate: weights are kept with deviation 1 and scaled by 1 / sqrt(fan-in) where they are used.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

SLOPE = 0.2
GAIN = math.sqrt(2)
_LINE = np.array([1, 3, 3, 1], np.float32)
_FIR = np.outer(_LINE, _LINE) / _LINE.sum() ** 2


class EqualDense(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """(N, inputs) -> (N, outputs), with equalised learning rate times ``rate``; leaky ReLU (gain sqrt 2) at choice."""

    def __init__(
        self, inputs: int, outputs: int, *, rate: float = 1.0, activate: bool = False, start: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.rate, self.activate, self.scale = rate, activate, rate / math.sqrt(inputs)
        self.kernel = self.add_weight(
            name="kernel", shape=(inputs, outputs), initializer=keras.initializers.RandomNormal(stddev=1 / rate)
        )
        bias = keras.initializers.Constant(start / rate)
        self.bias = self.add_weight(name="bias", shape=(outputs,), initializer=bias)
        self.built = True

    def call(self, x: Any) -> Any:
        """Multiply, add, and activate if asked."""
        x = ops.matmul(x, self.kernel * self.scale) + self.bias * self.rate
        return ops.leaky_relu(x, SLOPE) * GAIN if self.activate else x


class LearnedConstant(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """The picture that every face starts from: (1, side, side, channels), repeated as often as there are styles."""

    def __init__(self, side: int, channels: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.value = self.add_weight(name="value", shape=(1, side, side, channels), initializer="random_normal")
        self.built = True

    def call(self, w: Any) -> Any:
        """Return (N, side, side, channels) for N styles."""
        return ops.repeat(self.value, ops.shape(w)[0], axis=0)


class ModulatedConv(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """A convolution whose input channels are scaled by a style.

    Demodulated: its output channels are scaled by the inverse of their expected deviation. ``double`` makes the
    picture twice as large on the way.

    Scaling what goes in and out equals scaling the kernel, and lets N styles share one convolution.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        style: int,
        kernel: int,
        *,
        double: bool = False,
        demodulate: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.double, self.demodulate = double, demodulate
        self.scale = 1 / math.sqrt(inputs * kernel * kernel)
        shape = (kernel, kernel, inputs, outputs)
        normal = keras.initializers.RandomNormal(stddev=1)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=normal)
        self.modulation = EqualDense(style, inputs, start=1.0, name="modulation")
        self.built = True

    def call(self, x: Any, style: Any) -> Any:
        """Convolve (N, H, W, inputs) by styles (N, style)."""
        kernel, factors = self.kernel * self.scale, self.modulation(style)
        x = x * factors[:, None, None, :]
        if self.double:
            x = ops.conv_transpose(x, ops.transpose(kernel, (0, 1, 3, 2)), 2, padding="valid")
            x = filtered(x, 4.0, 1, 1)
        else:
            x = ops.conv(x, kernel, padding="same")
        if self.demodulate:
            power = ops.matmul(ops.square(factors), ops.sum(ops.square(kernel), axis=(0, 1)))
            x = x * ops.rsqrt(power + 1e-8)[:, None, None, :]
        return x


class NoisyModulatedConv(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """A modulated 3x3 convolution, noise of a learned strength, a bias, and a leaky ReLU with gain sqrt 2."""

    def __init__(
        self, inputs: int, outputs: int, style: int, side: int, *, double: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.conv = ModulatedConv(inputs, outputs, style, 3, double=double, name="conv")
        self.strength = self.add_weight(name="strength", shape=(1,), initializer="zeros")
        self.bias = self.add_weight(name="bias", shape=(outputs,), initializer="zeros")
        normal = keras.initializers.RandomNormal(stddev=1)
        self.noise = self.add_weight(name="noise", shape=(1, side, side, 1), initializer=normal, trainable=False)
        self.built = True

    def call(self, x: Any, style: Any, noise: Any = None) -> Any:
        """Return (N, side, side, outputs); ``noise`` (1 or N, side, side, 1) in place of the stored one."""
        x = self.conv(x, style) + self.strength * (self.noise if noise is None else noise)
        return ops.leaky_relu(x + self.bias, SLOPE) * GAIN


class ToRGB(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """(N, H, W, inputs) -> (N, H, W, 3) by a modulated 1x1 convolution without demodulation."""

    def __init__(self, inputs: int, style: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.conv = ModulatedConv(inputs, 3, style, 1, demodulate=False, name="conv")
        self.bias = self.add_weight(name="bias", shape=(3,), initializer="zeros")
        self.built = True

    def call(self, x: Any, style: Any) -> Any:
        """Return what this resolution adds to the picture."""
        return self.conv(x, style) + self.bias


def filtered(x: Any, gain: float, before: int, after: int) -> Any:
    """Blur (N, H, W, C) by [1, 3, 3, 1] x [1, 3, 3, 1] / 64 times ``gain``, zeros padded on each side."""
    x = ops.pad(x, ((0, 0), (before, after), (before, after), (0, 0)))
    kernel = np.tile((_FIR * gain).astype(np.float32)[:, :, None, None], (1, 1, x.shape[-1], 1))
    return ops.depthwise_conv(x, kernel, padding="valid")


def enlarged(x: Any) -> Any:
    """Enlarge (N, H, W, C) twofold: zeros between the pixels, then the blur with gain 4."""
    count, height, width, channels = ops.shape(x)
    x = ops.reshape(x, (count, height, 1, width, 1, channels))
    x = ops.pad(x, ((0, 0), (0, 0), (0, 1), (0, 0), (0, 1), (0, 0)))
    return filtered(ops.reshape(x, (count, 2 * height, 2 * width, channels)), 4.0, 2, 1)
