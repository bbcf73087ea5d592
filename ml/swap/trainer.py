"""The training loop of the face swap: steps, looks, previews, checkpoints, and going on from them exactly."""

from __future__ import annotations

import csv
import io
import math
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from ml import runtime
from ml.swap.augment import Batch, batch_of, plain_batch
from ml.swap.checkpoints import Checkpoints
from ml.swap.losses import dssim, weighted_l1

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.networks.swap import SwapNetwork
    from ml.swap.face_set import FaceSet

    Report = Callable[[str, int, int], None]
    Preview = Callable[[NDArray[np.uint8]], None]

_DSSIM, _L1, _MASK = 5.0, 10.0, 5.0  # what the parts of the loss count
_MOST_VALIDATED = 48


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is trained.

    ``batch``: faces of each identity a step. ``freeze_shared``: only the identities' own parts learn. ``patience``:
    looks without a better validation loss before the run ends early (None: never). ``last_rate``: where half a cosine
    takes the learning rate by the last step (None: it stays). A look, a checkpoint and a preview are due after so many
    steps or seconds.
    """

    steps: int
    batch: int = 8
    rate: float = 5e-5
    last_rate: float | None = None
    beta1: float = 0.5
    freeze_shared: bool = False
    flip: bool = True
    seed: int = 2018
    patience: int | None = None
    look_steps: int = 50
    checkpoint_seconds: float = 60.0
    preview_seconds: float = 5.0

    def rate_at(self, step: int) -> float:
        """The learning rate of a step."""
        if self.last_rate is None:
            return self.rate
        wave = 0.5 * (1 + math.cos(math.pi * min(1.0, step / self.steps)))
        return self.last_rate + (self.rate - self.last_rate) * wave


@dataclass(frozen=True, slots=True)
class Look:
    """One line of the loss history; every part is a mean since the last look, ``val`` is of the validation faces."""

    step: int
    seconds: float
    loss: float
    dssim: float
    l1: float
    mask: float
    val: float


class Trainer:
    """A run that lives in a folder: ``checkpoints/`` and ``history.csv``.

    faces: for each identity of the network that learns, its training and its validation faces. A trainer made on a
    folder that holds checkpoints goes on from the last one, and ends with the weights that an uninterrupted run has.
    """

    def __init__(
        self, network: SwapNetwork, faces: Mapping[str, tuple[FaceSet, FaceSet]], folder: Path, recipe: Recipe
    ) -> None:
        for name, (train, val) in faces.items():
            if not len(train) or not len(val) or train.size != network.config.size:
                raise ValueError(f"the faces of {name} are none, or not of {network.config.size} pixels")
        self.network, self.faces, self.folder, self.recipe = network, dict(faces), folder, recipe
        self.checkpoints = Checkpoints(folder / "checkpoints")
        self.history: list[Look] = []
        self.step, self.seconds, self.best, self.worse = 0, 0.0, float("inf"), 0
        self._variables = self._learned()
        self._optimizer = keras.optimizers.Adam(recipe.rate, beta_1=recipe.beta1, beta_2=0.999)
        self._optimizer.build(self._variables)
        self._best: list[NDArray[np.float32]] = [np.array(v) for v in self._variables]
        self._val = {name: plain_batch(val[:_MOST_VALIDATED]) for name, (_, val) in self.faces.items()}
        tf = runtime.tensorflow()
        self._tensor = tf.constant
        self._tape = tf.GradientTape
        self._train_step = tf.function(self._one_step, jit_compile=False, autograph=False)
        self._measure = tf.function(self._parts, jit_compile=False, autograph=False)
        self._paint = tf.function(self._painted, jit_compile=False, autograph=False)
        self._restore()

    def train(
        self,
        report: Report,
        preview: Preview | None = None,
        targets: FaceSet | None = None,
        *,
        enough: Callable[[], bool] | None = None,
        looked: Callable[[list[Look]], None] | None = None,
    ) -> list[Look]:
        """Train to the end, and leave the network with its best weights; returns the loss history.

        ``report("train", step, steps)`` is called before every step, and may raise to stop: a checkpoint is written
        first. ``preview`` is given a strip every few seconds: see :meth:`strip`. ``enough`` is asked before every step
        and ends the training when it says so; ``looked`` is given the history whenever it has grown, and at first what
        an earlier run has left of it.
        """
        if looked is not None and self.history:
            looked(self.history)
        started = time.monotonic() - self.seconds
        saved = shown = time.monotonic()
        sums, count = np.zeros(4), 0
        try:
            while self.step < self.recipe.steps and not self._stale:
                if enough is not None and self.step and enough():
                    if count or not math.isfinite(self.best):
                        self._look(sums / max(1, count))  # or the last weights would never be weighed
                    break
                report("train", self.step, self.recipe.steps)
                self._optimizer.learning_rate.assign(self.recipe.rate_at(self.step))
                sums += self._train_step(self._batches(self.step)).numpy()
                count += 1
                self.step += 1
                self.seconds = time.monotonic() - started
                if self.step % self.recipe.look_steps == 0 or self.step == self.recipe.steps:
                    self._look(sums / count)
                    sums, count = np.zeros(4), 0
                    if looked is not None:
                        looked(self.history)
                if time.monotonic() - saved >= self.recipe.checkpoint_seconds:
                    self.save()
                    saved = time.monotonic()
                if preview is not None and time.monotonic() - shown >= self.recipe.preview_seconds:
                    preview(self.strip(targets))
                    shown = time.monotonic()
        finally:
            # Cancelled or done: whoever comes back goes on from here.
            self.save()
        report("train", self.recipe.steps, self.recipe.steps)
        for variable, value in zip(self._variables, self._best, strict=True):
            variable.assign(value)
        if preview is not None:
            preview(self.strip(targets))
        return self.history

    def strip(self, targets: FaceSet | None = None, rows: int = 4) -> NDArray[np.uint8]:
        """Source, its reconstruction, target, and the target painted as the source: uint8 (rows * S, 4 * S, 3).

        The source is the first identity; targets are the given faces, or the second identity's, or the source itself.
        """
        names = list(self.faces)
        source = self._val[names[0]].targets
        other = source if len(names) == 1 else self._val[names[1]].targets
        if targets is not None and len(targets):
            other = plain_batch(targets[:rows]).targets
        rows = min(rows, len(source), len(other))
        both = np.concatenate([source[:rows], other[:rows]])
        painted = self._paint(self._tensor(both), names[0]).numpy()
        columns = [source[:rows], painted[:rows], other[:rows], painted[rows:]]
        strip = np.concatenate([np.concatenate(list(column), axis=0) for column in columns], axis=1)
        return np.asarray(np.clip(np.rint(strip * 255), 0, 255), np.uint8)

    def save(self) -> None:
        """Write a checkpoint and the history."""
        arrays = {f"weight/{i}": np.array(v) for i, v in enumerate(self._variables)}
        arrays |= {f"best/{i}": value for i, value in enumerate(self._best)}
        arrays |= {f"optimizer/{i}": np.array(v) for i, v in enumerate(self._optimizer.variables)}
        about = {
            "seconds": self.seconds,
            "best": self.best if np.isfinite(self.best) else None,
            "worse": self.worse,
            "history": [asdict(look) for look in self.history],
            "identities": list(self.faces),
        }
        self.checkpoints.save(self.step, arrays, about)
        self._write_history()

    @property
    def _stale(self) -> bool:
        return self.recipe.patience is not None and self.worse >= self.recipe.patience

    def _learned(self) -> list[Any]:
        found: dict[int, Any] = {}
        for name in self.faces:
            models = self.network.own[name] if self.recipe.freeze_shared else self.network.models(name)
            found |= {id(v): v for model in models.values() for v in model.trainable_variables}
        if not found:
            raise ValueError("nothing is left to learn: these identities have no part of their own")
        return list(found.values())

    def _batches(self, step: int) -> dict[str, tuple[Any, ...]]:
        made = {}
        for number, (name, (faces, _)) in enumerate(self.faces.items()):
            # A generator for every step: an interrupted run draws what the other would have drawn.
            random = np.random.default_rng((self.recipe.seed, number, step))
            made[name] = self._tensors(batch_of(faces, self.recipe.batch, random, flip=self.recipe.flip))
        return made

    def _tensors(self, batch: Batch) -> tuple[Any, ...]:
        return tuple(map(self._tensor, (batch.inputs, batch.targets, batch.masks, batch.weights)))

    def _one_step(self, batches: Mapping[str, tuple[Any, ...]]) -> Any:
        with self._tape() as tape:
            parts = sum(self._parts(name, *batch) for name, batch in batches.items())
            loss = parts[0]
        gradients = tape.gradient(loss, [v.value for v in self._variables])
        self._optimizer.apply(gradients, self._variables)
        return parts / len(batches)

    def _parts(self, name: str, inputs: Any, targets: Any, masks: Any, weights: Any) -> Any:
        """The loss, and DSSIM, L1 and mask error, which are its parts: (4,)."""
        painted = self.network.paint(inputs, name, training=True)
        face, ops = keras.ops.cast(painted.face, "float32"), keras.ops
        structure, pixels = dssim(face, targets, weights), weighted_l1(face, targets, weights)
        outline = ops.zeros(())
        if painted.mask is not None:
            outline = ops.mean(ops.square(ops.cast(painted.mask, "float32") - masks))
        return ops.stack([_DSSIM * structure + _L1 * pixels + _MASK * outline, structure, pixels, outline])

    def _painted(self, images: Any, name: str) -> Any:
        return keras.ops.cast(self.network.paint(images, name).face, "float32")

    def _look(self, means: NDArray[np.float64]) -> None:
        found = [float(self._measure(name, *self._tensors(batch)).numpy()[0]) for name, batch in self._val.items()]
        val = float(np.mean(found))
        if val < self.best:
            self.best, self.worse = val, 0
            self._best = [np.array(v) for v in self._variables]
        else:
            self.worse += 1
        loss, structure, pixels, outline = (round(float(mean), 6) for mean in means)
        self.history.append(Look(self.step, round(self.seconds, 2), loss, structure, pixels, outline, round(val, 6)))

    def _write_history(self) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, list(Look.__slots__))
        writer.writeheader()
        writer.writerows(asdict(look) for look in self.history)
        fresh = self.folder / "history.csv.part"
        fresh.write_text(text.getvalue(), encoding="utf-8")
        fresh.replace(self.folder / "history.csv")

    def _restore(self) -> None:
        held = self.checkpoints.newest()
        if held is None:
            return
        if held.about["identities"] != list(self.faces):
            raise ValueError(f"{self.folder} holds a run of {', '.join(held.about['identities'])}")
        _assign(self._variables, held.arrays, "weight")
        _assign(self._optimizer.variables, held.arrays, "optimizer")
        self._best = [np.asarray(held.arrays[f"best/{i}"], np.float32) for i in range(len(self._best))]
        self.step, self.seconds, self.worse = held.about["step"], held.about["seconds"], held.about["worse"]
        self.best = float("inf") if held.about["best"] is None else held.about["best"]
        self.history = [Look(**line) for line in held.about["history"]]


def _assign(variables: Iterable[Any], arrays: Mapping[str, NDArray[Any]], prefix: str) -> None:
    for i, variable in enumerate(variables):
        value = arrays[f"{prefix}/{i}"]
        if tuple(variable.shape) != value.shape:
            raise ValueError("the checkpoint is of another network")
        variable.assign(value)
