"""A training run of the motion model: shown keypoints first, then let go; an average of the weights; going on.

A run lives in a folder: ``checkpoints/`` (the last three), ``log.csv``, ``history.md``, and ``best.npz`` (the average
that did best on val). A run that is started again goes on where it stood, on the very pairs it would have seen.
"""

from __future__ import annotations

import csv
import logging
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from ml.networks.fomm import FirstOrderMotion
from ml.swap.checkpoints import Checkpoints
from ml.training.animation_losses import (
    Perception,
    RandomTransform,
    equivariance,
    pyramid_l1,
    structure,
    supervised,
)
from ml.training.fused import FusedBatchNormalization

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.networks.fomm import MotionConfig
    from ml.training.animation_batches import PairBatches, Pairs

logger = logging.getLogger(__name__)

_AVERAGE = 0.998  # of the weights, a step; about the last 500 steps
_RISE = 100  # steps over which the learning rate rises
_LAST_RATE = 0.02
_L1, _STRUCTURE, _PERCEPTION = 10.0, 2.0, 1.0
_EQUIVARIANCE = 10.0  # of values, and of jacobians, as in the paper
_SHOWN = 10.0  # of keypoints that are shown; falls to a tenth when they are let go
_KEPT = 0.1
_CLIP = 1.0  # norm of the gradients

PARTS = ("loss", "l1", "dssim", "perception", "value", "jacobian", "equivariant_value", "equivariant_jacobian")


@dataclass(frozen=True, slots=True)
class MotionPlan:
    """seconds: how long in all, at the end of which the learning rate has fallen by half a cosine.

    shown_until, released: shares of the run; up to the first the motion is given by the mesh, from the second on by the
    detector alone, and between them by a mixture. Zero for both goes on with a detector that is trained.
    """

    seconds: float
    rate: float = 1e-3
    look_seconds: float = 240.0
    shown_until: float = 0.12
    released: float = 0.35

    def done(self, seconds: float) -> float:
        """How much of the run is over, 0 to 1."""
        return min(1.0, seconds / self.seconds)

    def rate_at(self, step: int, seconds: float) -> float:
        """The learning rate."""
        wave = 0.5 * (1 + math.cos(math.pi * self.done(seconds)))
        return self.rate * (_LAST_RATE + (1 - _LAST_RATE) * wave) * min(1.0, (step + 1) / _RISE)

    def shown_at(self, seconds: float) -> float:
        """How much of the keypoints comes from the mesh, 1 to 0."""
        if self.released <= 0:
            return 0.0
        return min(1.0, max(0.0, (self.released - self.done(seconds)) / max(1e-6, self.released - self.shown_until)))


def build(config: MotionConfig, precision: str = "float32") -> FirstOrderMotion:
    """The network as it is trained: normalised in one operation, computing in ``precision``, weights in float32."""
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy(precision)
    try:
        return FirstOrderMotion(config, FusedBatchNormalization)
    finally:
        keras.mixed_precision.set_dtype_policy(before)


class MotionRun:
    """One run. model is trained in place; perception compares pictures by the features of a fixed network, if any."""

    def __init__(
        self,
        model: FirstOrderMotion,
        out: Path,
        plan: MotionPlan,
        perception: Perception | None = None,
        seed: int = 2019,
    ) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self.model, self.out, self.plan, self.perception, self.seed = model, out, plan, perception, seed
        self._weights = [weight for part in model.parts() for weight in part.weights]
        self._trained = [weight for part in model.parts() for weight in part.trainable_variables]
        self.optimizer = keras.optimizers.Adam(plan.rate, beta_1=0.8, beta_2=0.999, global_clipnorm=_CLIP)
        self.optimizer.build(self._trained)
        self.average = [np.array(weight) for weight in self._weights]
        self.step, self.seconds, self.best = 0, 0.0, math.inf
        self.checkpoints = Checkpoints(out / "checkpoints")
        self._restore()
        self._train_step = tf.function(self._one_step, jit_compile=False, autograph=False)
        self._moved = tf.function(self._moved_by_detector, jit_compile=False, autograph=False)

    def train(self, batches: PairBatches, val: Pairs, watch: Callable[[NDArray[np.uint8]], None] | None = None) -> None:
        """Train until the plan's time is over. ``watch`` is given a strip of val pictures at every look."""
        started = time.monotonic() - self.seconds
        looked = time.monotonic()
        sums, count = np.zeros(len(PARTS)), 0
        while self.plan.done(self.seconds) < 1:
            sums += self.learn(batches.at(self.step))
            count += 1
            self.seconds = time.monotonic() - started
            if time.monotonic() - looked >= self.plan.look_seconds or self.plan.done(self.seconds) >= 1:
                self.look(sums / count, val, watch)
                sums, count = np.zeros(len(PARTS)), 0
                looked = time.monotonic()
                self.seconds = looked - started

    def learn(self, pairs: Pairs) -> NDArray[np.float64]:
        """One step on these pairs; returns the losses named in ``PARTS``."""
        warp = RandomTransform(np.random.default_rng((self.seed, 1, self.step)), len(pairs.source))
        self.optimizer.learning_rate.assign(self.plan.rate_at(self.step, self.seconds))
        shown = self.plan.shown_at(self.seconds)
        tensors = {name: tf.constant(getattr(pairs, name)) for name in type(pairs).__slots__}
        parts = self._train_step(
            tensors, tf.constant(warp.theta), tf.constant(warp.weights), tf.constant(shown, tf.float32)
        )
        self.step += 1
        keep = min(_AVERAGE, (1 + self.step) / (10 + self.step))
        for mean, weight in zip(self.average, self._weights, strict=True):
            mean *= keep
            mean += (1 - keep) * weight.numpy()
        found: NDArray[np.float64] = parts.numpy().astype(np.float64)
        return found

    def note(self, line: str) -> None:
        """Add a line to the run's history.md, which its card repeats."""
        with (self.out / "history.md").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def begin_with(self, arrays: Sequence[NDArray[np.float32]]) -> None:
        """Take these weights for a start (of ``ml.networks.fomm``, in the order of ``FirstOrderMotion.parts``)."""
        _assign(self._weights, arrays)
        self.average = [np.array(value, np.float32) for value in arrays]

    def look(self, means: NDArray[np.float64], val: Pairs, watch: Callable[[NDArray[np.uint8]], None] | None) -> None:
        """Measure the averaged weights on val, keep them where they are the best so far, write log and checkpoint."""
        own = [np.array(weight) for weight in self._weights]
        _assign(self._weights, self.average)
        made = self.move(val)
        error, missed = l1_of(made, val), l1_of(val.source, val)
        if watch is not None:
            watch(strip_of(val, made))
        _assign(self._weights, own)
        if error < self.best:
            self.best = error
            fresh = self.out / "best.tmp.npz"
            np.savez(fresh, **{f"w{i:03d}": value for i, value in enumerate(self.average)})
            fresh.replace(self.out / "best.npz")
        line: dict[str, Any] = {
            "step": self.step,
            "seconds": round(self.seconds),
            "rate": f"{self.plan.rate_at(self.step, self.seconds):.2e}",
            "shown": round(self.plan.shown_at(self.seconds), 3),
            **{name: round(float(value), 4) for name, value in zip(PARTS, means, strict=True)},
            "val_l1": round(error, 5),
            "copy_source_l1": round(missed, 5),
        }
        log = self.out / "log.csv"
        new = not log.is_file()
        with log.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(line))
            if new:
                writer.writeheader()
            writer.writerow(line)
        self.save()
        logger.info("%s", " ".join(f"{key}={value}" for key, value in line.items()))

    def move(self, pairs: Pairs) -> NDArray[np.float32]:
        """Every pair's source moved to its driving frame by the detector's own keypoints: (N, S, S, 3)."""
        made = [
            self._moved(tf.constant(pairs.source[at : at + 8]), tf.constant(pairs.driving[at : at + 8])).numpy()
            for at in range(0, len(pairs.source), 8)
        ]
        return np.concatenate(made)

    def save(self) -> None:
        """Write a checkpoint."""
        arrays = {f"w{i:03d}": np.array(value) for i, value in enumerate(self._weights)}
        arrays |= {f"a{i:03d}": value for i, value in enumerate(self.average)}
        arrays |= {f"o{i:03d}": np.array(value) for i, value in enumerate(self.optimizer.variables)}
        best = self.best if math.isfinite(self.best) else None
        self.checkpoints.save(self.step, arrays, {"seconds": self.seconds, "best": best})

    def _restore(self) -> None:
        held = self.checkpoints.newest()
        if held is None:
            return
        if len([name for name in held.arrays if name.startswith("w")]) != len(self._weights):
            raise ValueError(f"{self.out} holds a run of another network")
        _assign(self._weights, [held.arrays[f"w{i:03d}"] for i in range(len(self._weights))])
        self.average = [np.array(held.arrays[f"a{i:03d}"]) for i in range(len(self._weights))]
        _assign(self.optimizer.variables, [held.arrays[f"o{i:03d}"] for i in range(len(self.optimizer.variables))])
        self.step, self.seconds = held.about["step"], held.about["seconds"]
        self.best = math.inf if held.about["best"] is None else held.about["best"]

    def _one_step(self, pairs: dict[str, Any], theta: Any, weights: Any, shown: Any) -> Any:
        warp = RandomTransform.of(theta, weights)
        count = pairs["source"].shape[0]
        with tf.GradientTape() as tape:
            # One pass for all three: their statistics in the normalisation are then of the same batch.
            three = tf.concat([pairs["source"], pairs["driving"], warp.picture(pairs["driving"])], axis=0)
            value, jacobian = self.model.keypoint_detector(three, training=True)
            both_value, both_jacobian = value[: 2 * count], jacobian[: 2 * count]
            true_value = tf.concat([pairs["source_value"], pairs["driving_value"]], axis=0)
            true_jacobian = tf.concat([pairs["source_jacobian"], pairs["driving_jacobian"]], axis=0)
            off = supervised(both_value, both_jacobian, true_value, true_jacobian)
            uneven = equivariance(
                value[count : 2 * count], jacobian[count : 2 * count], value[2 * count :], jacobian[2 * count :], warp
            )
            by_value = shown * true_value + (1 - shown) * both_value
            by_jacobian = shown * true_jacobian + (1 - shown) * both_jacobian
            made = self._painted(pairs["source"], by_value, by_jacobian, count, training=True)
            wanted, weight = pairs["driving"], pairs["weight"]
            pixels, shape = pyramid_l1(made, wanted, weight), structure(made, wanted, weight)
            seen = tf.zeros(()) if self.perception is None else self.perception(made, wanted)
            held = _SHOWN * (_KEPT + (1 - _KEPT) * shown)
            loss = _L1 * pixels + _STRUCTURE * shape + _PERCEPTION * seen
            loss += held * (off[0] + 0.3 * off[1]) + _EQUIVARIANCE * (1 - shown) * (uneven[0] + uneven[1])
        gradients = tape.gradient(loss, [weight.value for weight in self._trained])
        self.optimizer.apply(gradients, self._trained)
        return tf.stack([loss, pixels, shape, seen, *off, *uneven])

    def _moved_by_detector(self, source: Any, driving: Any) -> Any:
        count = source.shape[0]
        value, jacobian = self.model.keypoint_detector(tf.concat([source, driving], axis=0), training=False)
        return self._painted(source, value, jacobian, count, training=False)

    def _painted(self, source: Any, value: Any, jacobian: Any, count: int, *, training: bool) -> Any:
        inputs = [source, value[:count], jacobian[:count], value[count:], jacobian[count:]]
        flow, occlusion, _ = self.model.dense_motion(inputs, training=training)
        parts = [self.model.encoder(source, training=training), flow, occlusion]
        if self.model.config.keeps_source:
            parts.append(source)
        return self.model.decoder(parts, training=training)


def l1_of(made: NDArray[np.float32], pairs: Pairs) -> float:
    """Mean absolute difference to the driving frames, weighted as in training."""
    missed = np.abs(made - pairs.driving).mean(axis=-1, keepdims=True)
    return float((missed * pairs.weight).sum() / pairs.weight.sum())


def strip_of(pairs: Pairs, made: NDArray[np.float32], rows: int = 8) -> NDArray[np.uint8]:
    """Source, made, driving of some pairs: uint8 (rows * S, 3 * S, 3)."""
    at = np.linspace(0, len(made) - 1, min(rows, len(made))).round().astype(int)
    columns = [np.concatenate(list(part[at])) for part in (pairs.source, made, pairs.driving)]
    return np.asarray(np.clip(np.rint(np.concatenate(columns, axis=1) * 255), 0, 255), np.uint8)


def best_weights(run: Path) -> list[NDArray[np.float32]]:
    """The weights of a run that did best on val, in the order of ``FirstOrderMotion.parts``. Raises OSError."""
    with np.load(run / "best.npz", allow_pickle=False) as archive:
        return [np.asarray(archive[key], np.float32) for key in sorted(archive.files)]


def _assign(variables: Any, arrays: Sequence[NDArray[Any]]) -> None:
    for variable, array in zip(variables, arrays, strict=True):
        if tuple(variable.shape) != np.shape(array):
            raise ValueError("the weights are of another network")
        variable.assign(array)
