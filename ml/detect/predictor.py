"""One warm predictor: every face of a picture through every detector, in one batch and one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ml import runtime
from ml.detect.folding import NotFoldable, fold

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import keras
    from numpy.typing import NDArray

CHUNK = 32
"""Most faces in one call: larger batches are no faster a face, and only take more memory."""


class Predictor:
    """Raw logits of P(manipulated) for face crops.

    All detectors are traced into one graph whose batch size is left open, so that any number of faces runs without
    being traced again. Use one instance from one thread.

    models: detectors by name; each takes float32 (N, S, S, 3) in [0, 1] and returns logits (N, 1).
    """

    def __init__(self, models: Mapping[str, keras.Model]) -> None:
        if not models:
            raise ValueError("a predictor needs at least one detector")
        tf = runtime.tensorflow()
        self.models = dict(models)
        self.names = tuple(models)
        self.size = int(next(iter(models.values())).input_shape[1])
        networks = [_forward(model) for model in models.values()]

        def forward(crops: Any) -> Any:
            batch = tf.cast(crops, tf.float32) * (1.0 / 255.0)
            return tf.concat([network(batch) for network in networks], axis=-1)

        # jit_compile is said out loud: XLA makes these networks two to five times slower on a CPU.
        self._forward = tf.function(
            forward,
            input_signature=[tf.TensorSpec((None, self.size, self.size, 3), tf.uint8)],
            jit_compile=False,
        )
        self._constant = tf.constant

    @classmethod
    def shipped(cls, names: Sequence[str] = ("meso4", "mesoinception4")) -> Predictor:
        """The detectors that come with the program."""
        runtime.configure()
        from ml.weights import store

        return cls({name: store.load(name) for name in names})

    def logits(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """crops: uint8 (N, S, S, 3) RGB face squares. Returns float32 (N, detectors), in the order of `names`."""
        if crops.dtype != np.uint8 or crops.shape[1:] != (self.size, self.size, 3):
            raise ValueError(f"expected uint8 (N, {self.size}, {self.size}, 3), got {crops.dtype} {crops.shape}")
        if not len(crops):
            return np.zeros((0, len(self.names)), np.float32)
        parts = [
            self._forward(self._constant(crops[start : start + CHUNK])).numpy() for start in range(0, len(crops), CHUNK)
        ]
        logits: NDArray[np.float32] = np.concatenate(parts).astype(np.float32, copy=False)
        return logits

    def warm(self) -> None:
        """Trace the graph, so that the first picture costs no more than the next."""
        self.logits(np.zeros((2, self.size, self.size, 3), np.uint8))


def _forward(model: keras.Model) -> Callable[[Any], Any]:
    try:
        return fold(model)
    except NotFoldable:
        return lambda batch: model(batch, training=False)
