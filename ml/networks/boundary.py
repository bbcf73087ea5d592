"""The boundary detector: is this face blended into its picture, and where does the seam run?

Pure Keras: any backend. Trained on self-blended images (Shiohara and Yamasaki, Detecting Deepfakes with Self-Blended
Images, CVPR 2022) and real swaps; its second output is the blending boundary of Face X-ray (Li et al., CVPR 2020).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import layers

from ml.networks.residual import pooled, trunk

if TYPE_CHECKING:
    from ml.networks.residual import Normalization

INPUT_SIZE = 128
"""Side of the input in pixels: ``ml.faces.cut(pixels, face_square(face, SHARE), INPUT_SIZE)``."""

SHARE = 1.2
"""Side of the input square over the longer side of the face's box: the seam along jaw and cheeks lies inside."""

MAP_SIZE = 32
"""Side of the boundary map in cells of 4 x 4 input pixels."""

_MAP_WIDTH = 32


def build(*, normalization: Normalization = layers.BatchNormalization) -> keras.Model:
    """The network, untrained.

    Returns a model float32 (N, 128, 128, 3) in [0, 1] RGB -> {"logit": (N, 1), "boundary": (N, 32, 32, 1)}: the logit
    of P(manipulated), and for every cell the logit of the blending boundary 4 m (1 - m), where m is the mask that a
    fake was blended with; it is meant for people to look at, and is low everywhere on a real face.
    """
    inputs = keras.Input((INPUT_SIZE, INPUT_SIZE, 3))
    stages = trunk(inputs, normalization)
    traces = _traces(stages, normalization)
    boundary = layers.Conv2D(1, 1, dtype="float32", name="boundary")(traces)
    # What the map is drawn from speaks for the verdict too: a faint seam is a matter of a few cells.
    seen = [pooled(stages), layers.GlobalAveragePooling2D()(traces), layers.GlobalMaxPooling2D()(traces)]
    features = layers.Dropout(0.2)(layers.Concatenate(axis=-1)(seen))
    logit = layers.Dense(1, dtype="float32", name="logit")(features)
    return keras.Model(inputs, {"logit": logit, "boundary": boundary}, name="boundary")


def _traces(stages: list[Any], normalization: Normalization) -> Any:
    """Sum the stages from stride 4 on at stride 4 (Lin et al., Feature Pyramid Networks), and look once more."""
    parts = []
    for index, stage in enumerate(stages[1:]):
        part = layers.Conv2D(_MAP_WIDTH, 1)(stage)
        parts.append(layers.UpSampling2D(2**index, interpolation="nearest")(part) if index else part)
    x = layers.Activation("relu")(normalization()(layers.Add()(parts)))
    x = layers.Conv2D(_MAP_WIDTH, 3, padding="same", use_bias=False)(x)
    return layers.Activation("relu")(normalization()(x))
