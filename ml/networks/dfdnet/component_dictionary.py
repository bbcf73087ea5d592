"""What many good eyes, noses or mouths look like to the encoder, and the one that fits best."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

Array = np.ndarray[Any, Any]

EPSILON = 1e-5  # added to every variance


@keras.saving.register_keras_serializable("unmask")
class ComponentDictionary(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """K entries (side, side, C) for one part at one scale.

    They are kept with mean 0 and deviation 1 in each channel: adaptive instance normalisation replaces both by those
    of the picture at hand, so nothing is lost, and the normalisation of hundreds of megabytes is done once.
    """

    def __init__(self, count: int, side: int, channels: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.count, self.side, self.channels = count, side, channels
        self.entries = self.add_weight(
            name="entries", shape=(count, side, side, channels), initializer="zeros", trainable=False
        )
        self.built = True

    def set_entries(self, entries: Array) -> None:
        """Take raw entries (K, side, side, C), as K-means found them."""
        entries = np.asarray(entries, np.float32)
        mean = entries.mean((1, 2), keepdims=True)
        spread = np.square(entries - mean).sum((1, 2), keepdims=True) / max(self.side * self.side - 1, 1)
        deviation = np.sqrt(spread + EPSILON)
        self.entries.assign((entries - mean) / deviation)

    def call(self, crop: Any) -> Any:
        """Return, for a crop (1, h, w, C), the entry most like it, in its statistics and its size: (1, h, w, C).

        Likeness is the inner product with the crop at the entries' size; Li et al. 2020, equations 2 to 4.
        """
        _, height, width, _ = ops.shape(crop)
        small = ops.image.resize(crop, (self.side, self.side), interpolation="bilinear", data_format="channels_last")
        mean = ops.mean(small, axis=(1, 2), keepdims=True)
        spread = ops.sum(ops.square(small - mean), axis=(1, 2), keepdims=True) / max(self.side * self.side - 1, 1)
        deviation = ops.sqrt(spread + EPSILON)
        # The mean of the crop adds the same to the likeness of every entry: it cannot change which is the largest.
        likeness = ops.matmul(ops.reshape(self.entries, (self.count, -1)), ops.reshape(small * deviation, (-1, 1)))
        best = ops.take(self.entries, ops.argmax(likeness[:, 0]), axis=0)
        entry = ops.expand_dims(best, 0) * deviation + mean
        rows, columns = _nearest(self.side, height), _nearest(self.side, width)
        return ops.take(ops.take(entry, rows, axis=1), columns, axis=2)

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer (empty)."""
        return {**super().get_config(), "count": self.count, "side": self.side, "channels": self.channels}


def _nearest(have: int, want: int) -> Array:
    """Return which of ``have`` pixels each of ``want`` repeats: floor(i * have / want), as PyTorch's "nearest"."""
    steps = np.arange(want, dtype=np.float32) * np.float32(have / want)
    places: Array = np.minimum(np.floor(steps), have - 1).astype(np.int32)
    return places
