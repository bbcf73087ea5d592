"""A run of Meso-4 or MesoInception-4: whole faces, and for the first part of it quarters of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from ml.faces import cut
from ml.networks.mesonet import build
from ml.training.fused import FusedBatchNormalization
from ml.training.loop import Run, Schedule, set_aucs
from ml.training.patches import CELLS, PATCH_CELLS, Placed, patch_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.training.batches import Batch, Batches
    from ml.training.dataset import Sample


class MesoRun(Run):
    """See ``Run``.

    loss: "bce", or "mse" on the sigmoid as published. patches: share of the run, 0 to 1, that sees a quarter of each
    face, not the whole; see ``ml.training.patches``.
    """

    def __init__(
        self, network: str, out: Path, schedule: Schedule, loss: str = "bce", seed: int = 2018, patches: float = 0.0
    ) -> None:
        keras.utils.set_random_seed(seed)
        self.patches, self._random = patches, np.random.default_rng(seed)
        self._place = Placed()
        model = build(network, normalization=FusedBatchNormalization, place=self._place)
        super().__init__(network, out, schedule, model, keras.optimizers.Adam(schedule.rate))
        self._train_step = tf.function(self._step_of(loss, whole=True), jit_compile=False, autograph=False)
        self._patch_step = tf.function(self._step_of(loss, whole=False), jit_compile=False, autograph=False)
        self._predict = tf.function(self._forward, jit_compile=False, autograph=False)

    def train(self, batches: Batches, val: Sequence[Sample], epoch_steps: int) -> None:
        """Train to the end of the schedule. batches: see ``Batches``; val: the prepared crops to choose by."""
        source = batches.from_step(self.step)
        self.go(source, self._learn, self._measure_on(val), epoch_steps)
        source.close()  # type: ignore[attr-defined]

    def begin(self, val: Sequence[Sample]) -> None:
        """Keep the model as it stands now as the run's state before its first step, measured on ``val``."""
        self.average = [np.array(value) for value in self.model.get_weights()]
        self.look(self._measure_on(val), [])

    def _learn(self, batch: Batch) -> float:
        pixels, labels = batch
        if self.schedule.done(self.step, self.seconds) < self.patches:
            cells = tf.constant(self._random.integers(0, CELLS - PATCH_CELLS + 1, 2), tf.int32)
            return float(self._patch_step(tf.constant(pixels), tf.constant(labels), cells))
        return float(self._train_step(tf.constant(pixels), tf.constant(labels), tf.zeros(2, tf.int32)))

    def _measure_on(self, val: Sequence[Sample]) -> Any:
        inputs = np.stack([cut(s.pixels, s.square) for s in val]) if val else None

        def measure() -> Mapping[str, float]:
            if inputs is None:
                return {}
            per_set = set_aucs(val, self._scores(inputs))
            mean = float(np.mean(list(per_set.values()))) if per_set else 0.0
            return {f"auc_{name}": value for name, value in per_set.items()} | {"auc": mean}

        return measure

    def _scores(self, inputs: NDArray[np.uint8]) -> NDArray[np.float64]:
        parts = [
            self._predict(tf.constant(inputs[at : at + 32].astype(np.float32) / 255)).numpy()[:, 0]
            for at in range(0, len(inputs), 32)
        ]
        return np.asarray(np.concatenate(parts), np.float64)

    def _forward(self, batch: Any) -> Any:
        self._place.at(None)
        return self.model(batch, training=False)

    def _step_of(self, loss: str, whole: bool) -> Any:
        def step(pixels: Any, labels: Any, cells: Any) -> Any:
            if not whole:
                pixels = patch_of(pixels, cells)
            images = tf.cast(pixels, tf.float32) / 255.0
            self._place.at(None if whole else cells)
            with tf.GradientTape() as tape:
                logits = self.model(images, training=True)
                if loss == "mse":
                    value = tf.reduce_mean(tf.square(tf.sigmoid(logits) - labels))
                else:
                    value = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits))
            gradients = tape.gradient(value, self.model.trainable_variables)
            self.optimizer.apply(gradients, self.model.trainable_variables)
            return value

        return step
