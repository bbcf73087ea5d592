"""One warm predictor: every face of a picture through every detector, in one batch and one call."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ml import runtime
from ml.detect.crops import View
from ml.detect.folding import NotFoldable, fold

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import keras
    from numpy.typing import NDArray

    from ml.detect.crops import Crops

CHUNK = 32
"""Most faces in one call: larger batches are no faster a face, and only take more memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What the detectors say of N faces.

    logits: float32 (N, detectors), raw, of P(manipulated), in the order of `Predictor.names`.
    boundary: float32 (N, s, s), from 0 to 1: how much each place looks like the seam of a face that was put in; None
    where no detector draws such a map.
    """

    logits: NDArray[np.float32]
    boundary: NDArray[np.float32] | None = None


class Predictor:
    """Raw logits of P(manipulated) for face crops.

    All detectors are traced into one graph whose batch size is left open, so that any number of faces runs without
    being traced again. Use one instance from one thread.

    models: detectors by name; each takes float32 (N, S, S, 3) in [0, 1] and returns logits (N, 1), or a dict of them,
    "logit", and of the logits of a boundary map (N, s, s, 1), "boundary".
    views: how each detector sees a face; where not given, the square that MesoNet has.
    """

    def __init__(self, models: Mapping[str, keras.Model], views: Mapping[str, View] | None = None) -> None:
        if not models:
            raise ValueError("a predictor needs at least one detector")
        tf = runtime.tensorflow()
        self.models = dict(models)
        self.names = tuple(models)
        views = views or {}
        self.view = {n: views.get(n) or View(size=int(model.input_shape[1])) for n, model in models.items()}
        self.views = tuple(dict.fromkeys(self.view.values()))
        networks = [(_forward(model), self.views.index(self.view[name])) for name, model in models.items()]

        def forward(*stacks: Any) -> Any:
            batches = [tf.cast(crops, tf.float32) * (1.0 / 255.0) for crops in stacks]
            answers = [network(batches[place]) for network, place in networks]
            logits = [answer["logit"] if isinstance(answer, dict) else answer for answer in answers]
            maps = [answer["boundary"] for answer in answers if isinstance(answer, dict) and "boundary" in answer]
            return tf.concat(logits, axis=-1), *(tf.sigmoid(drawn[..., 0]) for drawn in maps[:1])

        # jit_compile is said out loud: XLA makes these networks two to five times slower on a CPU.
        self._forward = tf.function(
            forward,
            input_signature=[tf.TensorSpec((None, view.size, view.size, 3), tf.uint8) for view in self.views],
            autograph=False,
            jit_compile=False,
        )
        self._constant = tf.constant

    @classmethod
    def shipped(cls, names: Sequence[str] = ("meso4", "mesoinception4")) -> Predictor:
        """The detectors that come with the program."""
        runtime.configure()
        from ml.weights import store

        return cls({name: store.load(name) for name in names}, {name: shipped_view(name) for name in names})

    def look(self, crops: Crops) -> Look:
        """What every detector says of these faces, which must hold each of `views`."""
        return self._look([crops.stacks[view] for view in self.views])

    def logits(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """For detectors of one view. crops: uint8 (N, S, S, 3). Returns float32 (N, detectors), as in `names`."""
        if len(self.views) != 1:
            raise ValueError("these detectors see a face in several ways: cut it for each of them, and call look")
        return self._look([crops]).logits

    def _look(self, stacks: Sequence[NDArray[np.uint8]]) -> Look:
        for view, crops in zip(self.views, stacks, strict=True):
            if crops.dtype != np.uint8 or crops.shape[1:] != (view.size, view.size, 3):
                raise ValueError(f"expected uint8 (N, {view.size}, {view.size}, 3), got {crops.dtype} {crops.shape}")
        count = len(stacks[0])
        if not count:
            return Look(np.zeros((0, len(self.names)), np.float32))
        parts = [
            [part.numpy() for part in self._forward(*(self._constant(c[start : start + CHUNK]) for c in stacks))]
            for start in range(0, count, CHUNK)
        ]
        logits, *maps = (np.concatenate(found).astype(np.float32, copy=False) for found in zip(*parts, strict=True))
        return Look(logits, maps[0] if maps else None)

    def warm(self) -> None:
        """Trace the graph, so that the first picture costs no more than the next."""
        self._look([np.zeros((2, view.size, view.size, 3), np.uint8) for view in self.views])


def shipped_view(name: str) -> View:
    """How the shipped detector of this name sees a face."""
    if name not in {"boundary", "synthesis"}:
        return View()
    network = importlib.import_module(f"ml.networks.{name}")
    return View(network.SHARE, network.INPUT_SIZE)


def _forward(model: keras.Model) -> Callable[[Any], Any]:
    try:
        return fold(model)
    except NotFoldable:
        return lambda batch: model(batch, training=False)
