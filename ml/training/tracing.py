"""A run of one of the residual detectors, in mixed precision, on batches that are dataclasses of arrays."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from ml.networks import boundary, synthesis
from ml.training.fused import FusedBatchNormalization
from ml.training.loop import Run, Schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

_BUILDERS = {"boundary": boundary.build, "synthesis": synthesis.build}
_CHUNK = 64


def build(network: str, precision: str = "float32") -> keras.Model:
    """The network as it is trained: normalised in one operation, computing in ``precision``, weights in float32."""
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy(precision)
    try:
        return _BUILDERS[network](normalization=FusedBatchNormalization)
    finally:
        keras.mixed_precision.set_dtype_policy(before)


def take_trunk(model: keras.Model, source: keras.Model) -> int:
    """Copy the trunk's weights from another of these networks; returns how many layers had any.

    The trunk is built first, so its layers are the first of their class in both.
    """
    copied = 0
    for prefix in ("conv2d", "fused_batch_normalization"):
        mine, theirs = (_numbered(each, prefix) for each in (model, source))
        for target, origin in zip(mine[: len(_numbered(build("synthesis"), prefix))], theirs, strict=False):
            target.set_weights(origin.get_weights())
            copied += 1
    return copied


def _numbered(model: keras.Model, prefix: str) -> list[Any]:
    """Layers that were not given a name, of one class, in the order in which they were made."""
    found = [layer for layer in model.layers if re.fullmatch(rf"{prefix}(_\d+)?", layer.name)]
    return sorted(found, key=lambda layer: int(layer.name[len(prefix) + 1 :] or 0))


class TraceRun(Run):
    """See ``Run``. loss_of: (answer, batch as a mapping of tensors) -> loss; answer always has "logit"."""

    def __init__(
        self,
        network: str,
        out: Path,
        schedule: Schedule,
        loss_of: Callable[[Mapping[str, Any], Mapping[str, Any]], Any],
        seed: int = 2018,
        precision: str = "mixed_bfloat16",
        decay: float = 1e-3,
    ) -> None:
        keras.utils.set_random_seed(seed)
        self._loss_of = loss_of
        optimizer = keras.optimizers.AdamW(schedule.rate, weight_decay=decay)
        super().__init__(network, out, schedule, build(network, precision), optimizer)
        self._step = tf.function(self._traced_step, jit_compile=False, autograph=False)
        self._forward = tf.function(self._traced_forward, jit_compile=False, autograph=False)

    def begin_with_trunk(self, boundary_run: Path) -> None:
        """Before the first step: take the trunk of the best boundary detector of a run's folder."""
        start = build("boundary")
        start.load_weights(boundary_run / "best.weights.h5")
        layers = take_trunk(self.model, start)
        self.average = [np.array(value) for value in self.model.get_weights()]
        self.note(f"- Begun with the trunk of the boundary detector ({layers} layers).")

    def learn(self, batch: Any) -> float:
        """One step on a batch: a dataclass whose ``pixels`` are uint8 (N, S, S, 3). Returns the loss."""
        return float(self._step({field.name: tf.constant(getattr(batch, field.name)) for field in fields(batch)}))

    def predict(self, pixels: NDArray[np.uint8]) -> dict[str, NDArray[np.float64]]:
        """The model's answers for uint8 (N, S, S, 3), as float64 by output."""
        parts = [self._forward(tf.constant(pixels[at : at + _CHUNK])) for at in range(0, len(pixels), _CHUNK)]
        return {name: np.concatenate([np.asarray(part[name], np.float64) for part in parts]) for name in parts[0]}

    def _answer(self, pixels: Any, training: bool) -> dict[str, Any]:
        answer = self.model(tf.cast(pixels, tf.float32) / 255.0, training=training)
        return answer if isinstance(answer, dict) else {"logit": answer}

    def _traced_forward(self, pixels: Any) -> dict[str, Any]:
        return self._answer(pixels, training=False)

    def _traced_step(self, batch: dict[str, Any]) -> Any:
        with tf.GradientTape() as tape:
            value = self._loss_of(self._answer(batch["pixels"], training=True), batch)
        gradients = tape.gradient(value, self.model.trainable_variables)
        self.optimizer.apply(gradients, self.model.trainable_variables)
        return value
