"""A training run of an upscaler or restorer: Adam, an average of the weights, checkpoints, and going on from them.

A run lives in a folder: log.csv, state.npz (weights, average, optimizer), best.npz (the average that did best on val),
run.json, history.md. A run that is started again goes on where it stood, on the very batches it would have seen.
"""

from __future__ import annotations

import csv
import json
import logging
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import keras
import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

_AVERAGE = 0.998  # of the weights, a step; about the last 500 steps
_RISE = 50  # steps over which the learning rate rises
_LAST_RATE = 0.02


class Batches(Protocol):
    """What a run trains on."""

    def at(self, step: int) -> tuple[tuple[NDArray[np.float32], ...], NDArray[np.float32]]:
        """The inputs and the truth of one step."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how fast: ``steps`` in all, the learning rate falling as half a cosine; a look every so many.

    clip: the longest gradient, over all weights; longer ones are shortened to it. None takes them as they are.
    """

    steps: int
    rate: float = 1e-3
    look: int = 250
    clip: float | None = None

    def at(self, step: int) -> float:
        """The learning rate of this step."""
        wave = 0.5 * (1 + math.cos(math.pi * min(1.0, step / self.steps)))
        return self.rate * (_LAST_RATE + (1 - _LAST_RATE) * wave) * min(1.0, (step + 1) / _RISE)


class RestorerRun:
    """One run. ``model`` is trained in place; ``measure`` gives the figure to choose by (larger is better) and more."""

    def __init__(
        self, model: keras.Model, out: Path, plan: Plan, loss: Callable[[Any, Any], Any] | None = None
    ) -> None:
        """loss: of what was made and the truth, a scalar; the mean absolute error where none is given."""
        out.mkdir(parents=True, exist_ok=True)
        self.model, self.out, self.plan = model, out, plan
        self.loss = loss or _absolute_error
        self.optimizer = keras.optimizers.Adam(plan.rate, global_clipnorm=plan.clip)
        self.optimizer.build(model.trainable_variables)
        self.average = [np.array(value) for value in model.get_weights()]
        self.others: list[Any] = self.more()
        self.step, self.seconds, self.best = 0, 0.0, -math.inf
        self._restore()
        self._train_step = tf.function(self._one_step, jit_compile=False, autograph=False)

    def train(self, batches: Batches, measure: Callable[[Sequence[NDArray[Any]]], dict[str, float]]) -> None:
        """Train to the plan's end. ``measure`` is given weights; the first of its figures chooses the best."""
        started = time.monotonic() - self.seconds
        losses: list[float] = []
        while self.step < self.plan.steps:
            inputs, truth = batches.at(self.step)
            self.optimizer.learning_rate.assign(self.plan.at(self.step))
            losses.append(float(self._train_step([tf.constant(part) for part in inputs], tf.constant(truth))))
            self.step += 1
            keep = min(_AVERAGE, (1 + self.step) / (10 + self.step))
            for mean, variable in zip(self.average, self.model.weights, strict=True):
                mean *= keep
                mean += (1 - keep) * variable.numpy()
            self.seconds = time.monotonic() - started
            if self.step % self.plan.look == 0 or self.step == self.plan.steps:
                self._look(measure(self.average), losses)
                losses = []

    def more(self) -> list[Any]:
        """Variables beside the model's and its optimizer's that a run needs to go on; made here, before it is read."""
        return []

    def note(self, line: str) -> None:
        """Add a line to the run's history.md, which its card repeats."""
        with (self.out / "history.md").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def _one_step(self, inputs: Any, truth: Any) -> Any:
        with tf.GradientTape() as tape:
            made = self.model(inputs[0] if len(inputs) == 1 else inputs, training=True)
            loss = self.loss(made, truth)
        self.optimizer.apply(tape.gradient(loss, self.model.trainable_variables), self.model.trainable_variables)
        return loss

    def _look(self, figures: dict[str, float], losses: Sequence[float]) -> None:
        line: dict[str, Any] = {
            "step": self.step,
            "seconds": round(self.seconds),
            "rate": f"{self.plan.at(self.step):.2e}",
            "loss": round(float(np.mean(losses)), 6),
        } | {name: round(value, 3) for name, value in figures.items()}
        chosen = next(iter(figures.values()))
        if chosen > self.best:
            self.best = chosen
            _write(self.out / "best.npz", {f"w{i:03d}": value for i, value in enumerate(self.average)})
        log = self.out / "log.csv"
        new = not log.is_file()
        with log.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(line))
            if new:
                writer.writeheader()
            writer.writerow(line)
        self._keep()
        logger.info("%s", " ".join(f"{key}={value}" for key, value in line.items()))

    def _keep(self) -> None:
        arrays = {f"w{i:03d}": value for i, value in enumerate(self.model.get_weights())}
        arrays |= {f"a{i:03d}": value for i, value in enumerate(self.average)}
        arrays |= {f"o{i:03d}": np.asarray(v) for i, v in enumerate(self.optimizer.variables)}
        arrays |= {f"x{i:03d}": np.asarray(v) for i, v in enumerate(self.others)}
        # One file holds all of it: a run that is killed between two files would go on from a mixture.
        about = {"network": self.model.name, "step": self.step, "seconds": self.seconds, "best": self.best}
        _write(self.out / "state.npz", arrays | {"about": np.array(json.dumps(about))})

    def _restore(self) -> None:
        path = self.out / "state.npz"
        if not path.is_file():
            return
        with np.load(path, allow_pickle=False) as state:
            about = json.loads(str(state["about"]))
            if about["network"] != self.model.name:
                raise ValueError(f"{self.out} holds a run of {about['network']}")
            self.model.set_weights([state[f"w{i:03d}"] for i in range(len(self.average))])
            self.average = [np.array(state[f"a{i:03d}"]) for i in range(len(self.average))]
            for i, variable in enumerate(self.optimizer.variables):
                variable.assign(state[f"o{i:03d}"])
            for i, variable in enumerate(self.others):
                variable.assign(state[f"x{i:03d}"])
        self.step, self.seconds, self.best = about["step"], about["seconds"], about["best"]


def _absolute_error(made: Any, truth: Any) -> Any:
    return tf.reduce_mean(tf.abs(made - truth))


def best_weights(run: Path) -> list[NDArray[np.float32]]:
    """The weights of a run that did best on val, in the model's order. Raises OSError where there are none."""
    with np.load(run / "best.npz", allow_pickle=False) as archive:
        return [np.asarray(archive[key], np.float32) for key in sorted(archive.files)]


def _write(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    fresh = path.with_suffix(".tmp.npz")
    np.savez(fresh, **arrays)
    fresh.replace(path)  # whole or not at all
