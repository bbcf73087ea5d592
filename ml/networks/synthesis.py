"""The synthesis detector: was this whole face made by a generator?

Pure Keras: any backend. The trunk of the boundary detector with one answer: no seam is looked for, but what decoders
leave all over a face, such as the grid of their upsampling and the want of a camera's noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
from keras import layers

from ml.networks.residual import pooled, trunk

if TYPE_CHECKING:
    from ml.networks.residual import Normalization

INPUT_SIZE = 128
"""Side of the input in pixels: ``ml.faces.cut(pixels, face_square(face, SHARE), INPUT_SIZE)``."""

SHARE = 1.2
"""Side of the input square over the longer side of the face's box."""


def build(*, normalization: Normalization = layers.BatchNormalization) -> keras.Model:
    """The network, untrained: float32 (N, 128, 128, 3) in [0, 1] RGB -> (N, 1), the logit of P(wholly generated)."""
    inputs = keras.Input((INPUT_SIZE, INPUT_SIZE, 3))
    features = layers.Dropout(0.2)(pooled(trunk(inputs, normalization)))
    return keras.Model(inputs, layers.Dense(1, dtype="float32", name="logit")(features), name="synthesis")
