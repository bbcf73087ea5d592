"""Meso-4 and MesoInception-4 (Afchar, Nozick, Yamagishi, Echizen: MesoNet, WIFS 2018).

Pure Keras: any backend. Both take float32 (N, 256, 256, 3) in [0, 1], RGB, NHWC.

The authors' networks end in a sigmoid that means P(real). Unmask speaks of P(manipulated) everywhere, so its own
networks end in the logit of P(manipulated): ``sigmoid=False``. ``sigmoid=True`` builds the authors' form, layer for
layer in their order, so that their weight files load (see ``ml.importers.mesonet``). ``normalization`` makes the layers
that normalise, ``place`` is put before the head; training gives layers there that cost less, with the same weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras

if TYPE_CHECKING:
    from collections.abc import Callable

    Layer = Callable[[], keras.Layer]
    Place = Callable[[Any], Any]

INPUT_SHAPE = (256, 256, 3)

DETECTORS = ("meso4", "mesoinception4")


def build_meso4(
    *, sigmoid: bool = False, normalization: Layer = keras.layers.BatchNormalization, place: Place | None = None
) -> keras.Model:
    """Meso-4: four convolutions and two dense layers; 27,977 trainable parameters.

    Returns a model (N, 256, 256, 3) in [0, 1] -> (N, 1): the logit of P(manipulated), or the authors' P(real) with
    ``sigmoid=True``. Source: Afchar et al. 2018, figure 4.
    """
    inputs = keras.Input(INPUT_SHAPE if place is None else (None, None, 3))
    x = _block(inputs, 8, 3, 2, normalization)
    x = _block(x, 8, 5, 2, normalization)
    x = _block(x, 16, 5, 2, normalization)
    x = _block(x, 16, 5, 4, normalization)
    return keras.Model(inputs, _head(x if place is None else place(x), sigmoid), name="meso4")


def build_mesoinception4(
    *, sigmoid: bool = False, normalization: Layer = keras.layers.BatchNormalization, place: Place | None = None
) -> keras.Model:
    """MesoInception-4: the first two convolutions become inception modules with dilation; 28,615 trainable parameters.

    Returns a model (N, 256, 256, 3) in [0, 1] -> (N, 1): the logit of P(manipulated), or the authors' P(real) with
    ``sigmoid=True``. Source: Afchar et al. 2018, figure 5.
    """
    inputs = keras.Input(INPUT_SHAPE if place is None else (None, None, 3))
    x = _inception(inputs, 1, 4, 4, 2)
    x = normalization()(x)
    x = keras.layers.MaxPooling2D(2, padding="same")(x)
    x = _inception(x, 2, 4, 4, 2)
    x = normalization()(x)
    x = keras.layers.MaxPooling2D(2, padding="same")(x)
    x = _block(x, 16, 5, 2, normalization)
    x = _block(x, 16, 5, 4, normalization)
    return keras.Model(inputs, _head(x if place is None else place(x), sigmoid), name="mesoinception4")


def build(
    name: str,
    *,
    sigmoid: bool = False,
    normalization: Layer = keras.layers.BatchNormalization,
    place: Place | None = None,
) -> keras.Model:
    """Build the network called ``name`` ("meso4" or "mesoinception4"). Raises ValueError for any other name."""
    builders: dict[str, Callable[..., keras.Model]] = {"meso4": build_meso4, "mesoinception4": build_mesoinception4}
    if name not in builders:
        raise ValueError(f"no such network: {name!r}; there are {', '.join(builders)}")
    return builders[name](sigmoid=sigmoid, normalization=normalization, place=place)


def _block(x: Any, filters: int, kernel: int, pool: int, normalization: Layer) -> Any:
    x = keras.layers.Conv2D(filters, kernel, padding="same", activation="relu")(x)
    x = normalization()(x)
    return keras.layers.MaxPooling2D(pool, padding="same")(x)


def _inception(x: Any, a: int, b: int, c: int, d: int) -> Any:
    def conv(value: Any, filters: int, kernel: int, dilation: int = 1) -> Any:
        return keras.layers.Conv2D(filters, kernel, padding="same", dilation_rate=dilation, activation="relu")(value)

    first = conv(x, a, 1)
    second = conv(conv(x, b, 1), b, 3)
    third = conv(conv(x, c, 1), c, 3, 2)
    fourth = conv(conv(x, d, 1), d, 3, 3)
    return keras.layers.Concatenate(axis=-1)([first, second, third, fourth])


def _head(x: Any, sigmoid: bool) -> Any:
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dropout(0.5)(x)
    x = keras.layers.Dense(16)(x)
    x = keras.layers.LeakyReLU(negative_slope=0.1)(x)
    x = keras.layers.Dropout(0.5)(x)
    return keras.layers.Dense(1, activation="sigmoid" if sigmoid else None)(x)
