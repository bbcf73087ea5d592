"""VGG19's convolutions, tapped at four depths: what DFDNet sees of a face."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import layers

if TYPE_CHECKING:
    from ml.networks.dfdnet.dfdnet_config import DFDNetConfig

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
_CONVS = (2, 2, 4, 4, 4)
_WIDTHS = (1, 2, 4, 8, 8)
_TAPS = {(2, 2), (3, 4), (4, 4)}  # after the ReLU; the last tap, conv5_4, is before it


@keras.saving.register_keras_serializable("unmask")
class PictureStatistics(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """[-1, 1] -> [0, 1] -> (x - mean) / deviation per channel; the two are weights that come with a checkpoint."""

    def build(self, input_shape: Any) -> None:
        """Start from ImageNet's values."""
        self.mean = self._fixed("mean", IMAGENET_MEAN)
        self.deviation = self._fixed("deviation", IMAGENET_DEVIATION)
        self.built = True

    def _fixed(self, name: str, values: tuple[float, ...]) -> Any:
        start = keras.initializers.Constant(list(values))
        return self.add_weight(name=name, shape=(3,), initializer=start, trainable=False)

    def call(self, x: Any) -> Any:
        """Normalise (N, H, W, 3)."""
        return ((x + 1) / 2 - self.mean) / self.deviation


def build_encoder(config: DFDNetConfig) -> keras.Model:
    """Build (N, size, size, 3) in [-1, 1] -> [relu2_2, relu3_4, relu4_4, conv5_4].

    Their sides are size / 2, / 4, / 8, / 16, their channels 2, 4, 8, 8 times ``features``. Simonyan and Zisserman
    2015; the authors of DFDNet trained theirs on VGGFace2 and keep it frozen.
    """
    inputs = keras.Input((config.size, config.size, 3))
    x = PictureStatistics(name="statistics")(inputs)
    taps = []
    for block, (convs, width) in enumerate(zip(_CONVS, _WIDTHS, strict=True), start=1):
        if block > 1:
            x = layers.MaxPooling2D(2)(x)
        for index in range(1, convs + 1):
            name = f"vgg_extractor.vgg_net.conv{block}_{index}"
            x = layers.Conv2D(config.features * width, 3, padding="same", name=name)(x)
            if (block, index) == (5, 4):
                taps.append(x)
                break
            x = layers.ReLU()(x)
            if (block, index) in _TAPS:
                taps.append(x)
    encoder = keras.Model(inputs, taps, name="encoder")
    encoder.trainable = False
    return encoder
