"""SRVGGNetCompact, the light upscaler of Real-ESRGAN (Wang et al., ICCVW 2021; the compact networks of the project).

Pure Keras: any backend. float32 (N, H, W, 3) RGB in [0, 1], NHWC; the output is not clipped. Layers carry the names
of the authors' checkpoints (``body.0`` a convolution, ``body.1`` its PReLU, and so on).
"""

from __future__ import annotations

import keras
from keras import layers

from ml.networks.pixel_shuffle import PixelShuffle


def build_srvgg(*, scale: int = 4, features: int = 64, convs: int = 32) -> keras.Model:
    """A plain stack of convolutions at the input's size, a pixel shuffle, and the enlarged input added.

    Returns a model (N, H, W, 3) -> (N, H*scale, W*scale, 3). ``convs`` counts the body's convolutions between the
    first and the last: 16 or 32 in the published networks (.62 and 1.21 million parameters at scale 4).
    """
    inputs = keras.Input((None, None, 3))
    x = inputs
    for index in range(convs + 1):
        x = layers.Conv2D(features, 3, padding="same", name=f"body.{2 * index}")(x)
        x = layers.PReLU(shared_axes=[1, 2], name=f"body.{2 * index + 1}")(x)
    x = layers.Conv2D(3 * scale * scale, 3, padding="same", name=f"body.{2 * (convs + 1)}")(x)
    x = PixelShuffle(scale, name="shuffle")(x)
    enlarged = layers.UpSampling2D(scale, interpolation="nearest", name="enlarged")(inputs)
    return keras.Model(inputs, layers.Add(name="output")([x, enlarged]), name=f"srvgg_x{scale}")
