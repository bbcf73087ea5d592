"""One training run: steps, an average of the weights, looks at the val split, checkpoints, and going on from them."""

from __future__ import annotations

import csv
import json
import logging
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from ml.evaluate.metrics import auc
from ml.faces import cut
from ml.networks.mesonet import build
from ml.training.fused import FusedBatchNormalization
from ml.training.patches import CELLS, PATCH_CELLS, Placed, patch_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.training.batches import Batches
    from ml.training.dataset import Sample

logger = logging.getLogger(__name__)

_AVERAGE = 0.998  # of the weights, a step; about the last 500 steps
_LAST_RATE = 0.01  # of the first learning rate, at the end


@dataclass(frozen=True, slots=True)
class Schedule:
    """The learning rate over so many steps or seconds: a short rise, then half a cosine down to a hundredth."""

    rate: float
    steps: int | None = None
    seconds: float | None = None

    def done(self, step: int, seconds: float) -> float:
        """How much of the run is over, 0 to 1."""
        if self.seconds is not None:
            return min(1.0, seconds / self.seconds)
        return min(1.0, step / max(1, self.steps or 1))

    def at(self, step: int, seconds: float) -> float:
        """The learning rate at this step."""
        wave = 0.5 * (1 + math.cos(math.pi * self.done(step, seconds)))
        return self.rate * (_LAST_RATE + (1 - _LAST_RATE) * wave) * min(1.0, (step + 1) / 100)


class Run:
    """A training run that lives in a folder: log.csv, state.npz (weights, optimizer), best.weights.h5, run.json.

    patches: share of the run, 0 to 1, that sees a quarter of each face, not the whole; see ``ml.training.patches``.
    """

    def __init__(
        self, network: str, out: Path, schedule: Schedule, loss: str = "bce", seed: int = 2018, patches: float = 0.0
    ) -> None:
        keras.utils.set_random_seed(seed)
        self.network, self.out, self.schedule = network, out, schedule
        self.patches, self._random = patches, np.random.default_rng(seed)
        out.mkdir(parents=True, exist_ok=True)
        self._place = Placed()
        self.model = build(network, normalization=FusedBatchNormalization, place=self._place)
        self.optimizer = keras.optimizers.Adam(schedule.rate)
        self.optimizer.build(self.model.trainable_variables)
        self.average = [np.array(value) for value in self.model.get_weights()]
        self.step, self.seconds, self.best = 0, 0.0, -1.0
        self._restore()
        self._train_step = tf.function(self._step_of(loss, whole=True), jit_compile=False, autograph=False)
        self._patch_step = tf.function(self._step_of(loss, whole=False), jit_compile=False, autograph=False)
        self._predict = tf.function(self._forward, jit_compile=False, autograph=False)

    def train(self, batches: Batches, val: Sequence[Sample], epoch_steps: int) -> None:
        """Train to the end of the schedule. batches: see ``Batches``; val: the prepared crops to choose by."""
        inputs = np.stack([cut(s.pixels, s.square) for s in val]) if val else None
        started = time.monotonic() - self.seconds
        losses: list[float] = []
        source = batches.from_step(self.step)
        while self.schedule.done(self.step, self.seconds) < 1.0:
            pixels, labels = next(source)
            self.optimizer.learning_rate.assign(self.schedule.at(self.step, self.seconds))
            if self.schedule.done(self.step, self.seconds) < self.patches:
                cells = tf.constant(self._random.integers(0, CELLS - PATCH_CELLS + 1, 2), tf.int32)
                value = self._patch_step(tf.constant(pixels), tf.constant(labels), cells)
            else:
                value = self._train_step(tf.constant(pixels), tf.constant(labels), tf.zeros(2, tf.int32))
            losses.append(float(value))
            self._follow()
            self.step += 1
            self.seconds = time.monotonic() - started
            if self.step % epoch_steps == 0 or self.schedule.done(self.step, self.seconds) >= 1.0:
                self._look(val, inputs, losses)
                losses = []
                self.seconds = time.monotonic() - started
        source.close()  # type: ignore[attr-defined]

    def note(self, line: str) -> None:
        """Add a line to the run's history.md, which its card repeats."""
        with (self.out / "history.md").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def begin(self, val: Sequence[Sample]) -> None:
        """Keep the model as it stands now as the run's state before its first step, measured on ``val``."""
        self.average = [np.array(value) for value in self.model.get_weights()]
        self._look(val, np.stack([cut(s.pixels, s.square) for s in val]) if val else None, [])

    def scores(self, inputs: NDArray[np.uint8]) -> NDArray[np.float64]:
        """The averaged network's logits (N,) for uint8 (N, 256, 256, 3)."""
        own = self.model.get_weights()
        self.model.set_weights(self.average)
        parts = [
            self._predict(tf.constant(inputs[at : at + 32].astype(np.float32) / 255)).numpy()[:, 0]
            for at in range(0, len(inputs), 32)
        ]
        self.model.set_weights(own)
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

    def _follow(self) -> None:
        # A young average must not remember the random start: its memory grows with the steps.
        keep = min(_AVERAGE, (1 + self.step) / (10 + self.step))
        for mean, variable in zip(self.average, self.model.weights, strict=True):
            mean *= keep
            mean += (1 - keep) * variable.numpy()

    def _look(self, val: Sequence[Sample], inputs: NDArray[np.uint8] | None, losses: Sequence[float]) -> None:
        line: dict[str, Any] = {
            "step": self.step,
            "seconds": round(self.seconds),
            "rate": f"{self.schedule.at(self.step, self.seconds):.2e}",
            "loss": round(float(np.mean(losses)), 4) if losses else "",
        }
        if inputs is not None:
            scores = self.scores(inputs)
            per_set = set_aucs(val, scores)
            line |= {f"auc_{name}": round(value, 4) for name, value in per_set.items()}
            line["auc"] = round(float(np.mean(list(per_set.values()))), 4) if per_set else 0.0
            if line["auc"] > self.best:
                self.best = line["auc"]
                self._write_best()
        else:
            self._write_best()
        self._write(line)
        logger.info("%s", " ".join(f"{key}={value}" for key, value in line.items()))

    def _write_best(self) -> None:
        own = self.model.get_weights()
        self.model.set_weights(self.average)
        self.model.save_weights(self.out / "best.weights.h5")
        self.model.set_weights(own)

    def _write(self, line: dict[str, Any]) -> None:
        log = self.out / "log.csv"
        new = not log.is_file()
        with log.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(line))
            if new:
                writer.writeheader()
            writer.writerow(line)
        self._keep()

    def _keep(self) -> None:
        arrays = {f"w{i}": value for i, value in enumerate(self.model.get_weights())}
        arrays |= {f"a{i}": value for i, value in enumerate(self.average)}
        arrays |= {f"o{i}": np.asarray(v) for i, v in enumerate(self.optimizer.variables)}
        fresh = self.out / "state.tmp.npz"
        np.savez(fresh, **arrays)
        fresh.replace(self.out / "state.npz")  # whole or not at all
        about = {"network": self.network, "step": self.step, "seconds": self.seconds, "best": self.best}
        (self.out / "run.json").write_text(json.dumps(about), encoding="utf-8")

    def _restore(self) -> None:
        if not (self.out / "run.json").is_file():
            return
        about = json.loads((self.out / "run.json").read_text(encoding="utf-8"))
        if about["network"] != self.network:
            raise ValueError(f"{self.out} holds a run of {about['network']}")
        with np.load(self.out / "state.npz") as state:
            self.model.set_weights([state[f"w{i}"] for i in range(len(self.model.weights))])
            self.average = [np.array(state[f"a{i}"]) for i in range(len(self.average))]
            for i, variable in enumerate(self.optimizer.variables):
                variable.assign(state[f"o{i}"])
        self.step, self.seconds, self.best = about["step"], about["seconds"], about["best"]


def set_aucs(samples: Sequence[Sample], scores: NDArray[np.float64]) -> dict[str, float]:
    """AUC of manipulated against real within each set that has both."""
    names = np.array([s.row.set for s in samples])
    labels = np.array([s.row.manipulated for s in samples])
    found = {}
    for name in sorted(set(names.tolist())):
        chosen = names == name
        if len(set(labels[chosen].tolist())) == 2:
            found[name] = auc(labels[chosen], scores[chosen])
    return found
