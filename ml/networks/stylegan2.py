"""The generator of StyleGAN2 (Karras et al., CVPR 2020): faces of nobody.

Pure Keras: any backend, NHWC float32. A mapping network turns noise z into a style w; a synthesis network grows a
picture from a learned constant, each convolution scaled by the style. Pictures are about [-1, 1] and are not clipped.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from ml.networks.stylegan2_layers import EqualDense, LearnedConstant, NoisyModulatedConv, ToRGB, enlarged

Array = np.ndarray[Any, Any]

MAPPING_RATE = 0.01  # the mapping network learns a hundred times slower (appendix B of StyleGAN)


def channels_at(side: int, multiplier: int) -> int:
    """Return the channels of the feature maps of a side: 512 up to 32 pixels, then halving as the side doubles."""
    return 512 if side <= 32 else 256 * multiplier * 64 // side


class StyleGAN2(keras.Model):  # type: ignore[misc]  # Keras has no types
    """StyleGAN2's generator.

    ``model(z)``: z (N, style) of standard normal numbers -> (N, size, size, 3). ``mapping(z)`` -> w (N, style);
    ``synthesis(w)`` -> pictures, w (N, style) or one for every layer (N, ``styles``, style); ``truncated(w, ...)``
    trades variety for quality. ``multiplier`` is the authors' channel multiplier (2); ``width`` caps every layer's
    channels, for small networks. Each of the ``2 log2(size) - 3`` noises is a weight, so that the same z gives the
    same picture; pass ``noises`` for others.
    """

    def __init__(
        self, size: int = 256, *, style: int = 512, mapping_layers: int = 8, multiplier: int = 2, width: int = 512
    ) -> None:
        super().__init__(name="stylegan2")
        steps = int(math.log2(size))
        if size < 8 or 2**steps != size:
            raise ValueError(f"the side must be a power of two from 8, not {size}")
        self.latent_average: Array | None = None
        self.multiplier, self.width = multiplier, width
        self.size, self.style, self.styles = size, style, 2 * steps - 2
        self.mapping_layers = [
            EqualDense(style, style, rate=MAPPING_RATE, activate=True, name=f"style.{index + 1}")
            for index in range(mapping_layers)
        ]
        here = min(channels_at(4, multiplier), width)
        self.constant = LearnedConstant(4, here, name="input")
        self.first = NoisyModulatedConv(here, here, style, 4, name="conv1")
        self.convs: list[NoisyModulatedConv] = []
        self.to_rgb = [ToRGB(here, style, name="to_rgb1")]
        for step in range(3, steps + 1):
            above, side = min(channels_at(2**step, multiplier), width), 2**step
            index = len(self.convs)
            self.convs.append(NoisyModulatedConv(here, above, style, side, double=True, name=f"convs.{index}"))
            self.convs.append(NoisyModulatedConv(above, above, style, side, name=f"convs.{index + 1}"))
            self.to_rgb.append(ToRGB(above, style, name=f"to_rgbs.{step - 3}"))
            here = above
        self.built = True

    def mapping(self, z: Any) -> Any:
        """Turn z (N, style) into w (N, style): normalise to unit mean square, then the mapping layers."""
        z = ops.convert_to_tensor(z, "float32")
        x = z * ops.rsqrt(ops.mean(ops.square(z), axis=-1, keepdims=True) + 1e-8)
        for layer in self.mapping_layers:
            x = layer(x)
        return x

    @staticmethod
    def truncated(w: Any, psi: float, mean: Any) -> Any:
        """Draw w (N, style) towards the mean style (1, style): mean + psi (w - mean). StyleGAN, appendix B."""
        mean = ops.convert_to_tensor(mean, "float32")
        return mean + psi * (ops.convert_to_tensor(w, "float32") - mean)

    def mean_style(self, count: int = 4096, seed: int = 0) -> Array:
        """Return the mean w (1, style) of ``count`` drawn z."""
        z = np.random.default_rng(seed).standard_normal((count, self.style)).astype(np.float32)
        return np.asarray(ops.convert_to_numpy(ops.mean(self.mapping(z), axis=0, keepdims=True)))

    def synthesis(self, w: Any, noises: list[Any] | None = None) -> Any:
        """Paint styles w (N, style) or (N, styles, style): (N, size, size, 3).

        ``noises``: one (1 or N, side, side, 1) a convolution, from 4x4 up, in place of the stored ones.
        """
        w = ops.convert_to_tensor(w, "float32")
        if len(w.shape) == 2:
            w = ops.repeat(ops.expand_dims(w, 1), self.styles, axis=1)
        if tuple(w.shape[1:]) != (self.styles, self.style):
            raise ValueError(f"styles must be (N, {self.style}) or (N, {self.styles}, {self.style})")
        given = noises or [None] * (1 + len(self.convs))
        if len(given) != 1 + len(self.convs):
            raise ValueError(f"{1 + len(self.convs)} noises are needed, not {len(given)}")
        x = self.first(self.constant(w), w[:, 0], given[0])
        picture = self.to_rgb[0](x, w[:, 1])
        for step, to_rgb in enumerate(self.to_rgb[1:]):
            for inner in (2 * step, 2 * step + 1):
                x = self.convs[inner](x, w[:, inner + 1], given[inner + 1])
            # Its style is also that of the next resolution's first convolution.
            picture = enlarged(picture) + to_rgb(x, w[:, 2 * step + 3])
        return picture

    def call(self, z: Any, training: bool = False) -> Any:
        """Paint the faces of z (N, style)."""
        return self.synthesis(self.mapping(z))
