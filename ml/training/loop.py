"""A training run: steps, an average of the weights, looks at the val split, checkpoints, and going on from them."""

from __future__ import annotations

import csv
import json
import logging
import math
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ml.evaluate.metrics import auc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import keras
    from numpy.typing import NDArray

    from ml.training.dataset import Sample

logger = logging.getLogger(__name__)

T = TypeVar("T")

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
    """A run that lives in a folder: log.csv, state.npz (weights, average, optimizer, step), best.weights.h5, run.json.

    network: what is trained, so that no run goes on as another. model and optimizer: as built; they take up the state
    that the folder holds. Raises ValueError when it holds a run of another network.
    """

    def __init__(
        self, network: str, out: Path, schedule: Schedule, model: keras.Model, optimizer: keras.optimizers.Optimizer
    ) -> None:
        self.network, self.out, self.schedule = network, out, schedule
        self.model, self.optimizer = model, optimizer
        out.mkdir(parents=True, exist_ok=True)
        self.optimizer.build(self.model.trainable_variables)
        self.average = [np.array(value) for value in self.model.get_weights()]
        self.step, self.seconds, self.best = 0, 0.0, -1.0
        self._restore()

    def begin_with(self, weights: list[NDArray[np.float32]]) -> None:
        """Take weights of the same network before the first step; the average begins with them too."""
        self.model.set_weights(weights)
        self.average = [np.array(value) for value in weights]

    def go(
        self,
        batches: Iterator[T],
        learn: Callable[[T], float],
        measure: Callable[[], Mapping[str, float]],
        epoch_steps: int,
    ) -> None:
        """Train to the end of the schedule, with a look every ``epoch_steps`` steps and at the end.

        learn: one step on a batch, returns its loss. measure: figures of the averaged weights, which are in the model
        while it runs; by "auc", where there is one, the best weights are chosen.
        """
        started = time.monotonic() - self.seconds
        losses: list[float] = []
        while self.schedule.done(self.step, self.seconds) < 1.0:
            batch = next(batches)
            self.optimizer.learning_rate.assign(self.schedule.at(self.step, self.seconds))
            losses.append(learn(batch))
            self._follow()
            self.step += 1
            self.seconds = time.monotonic() - started
            if self.step % epoch_steps == 0 or self.schedule.done(self.step, self.seconds) >= 1.0:
                self.look(measure, losses)
                losses = []
                self.seconds = time.monotonic() - started

    def note(self, line: str) -> None:
        """Add a line to the run's history.md, which its card repeats."""
        with (self.out / "history.md").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The averaged weights in the model, for as long as the block runs."""
        own = self.model.get_weights()
        self.model.set_weights(self.average)
        try:
            yield
        finally:
            self.model.set_weights(own)

    def look(self, measure: Callable[[], Mapping[str, float]], losses: Sequence[float]) -> None:
        """Measure the averaged weights, keep them where they are the best so far, and write log and state."""
        line: dict[str, Any] = {
            "step": self.step,
            "seconds": round(self.seconds),
            "rate": f"{self.schedule.at(self.step, self.seconds):.2e}",
            "loss": round(float(np.mean(losses)), 4) if losses else "",
        }
        with self.averaged():
            figures = measure()
            line |= {name: round(value, 4) for name, value in figures.items()}
            if "auc" not in figures or figures["auc"] > self.best:
                self.best = figures.get("auc", self.best)
                self.model.save_weights(self.out / "best.weights.h5")
        self._write(line)
        logger.info("%s", " ".join(f"{key}={value}" for key, value in line.items()))

    def _follow(self) -> None:
        # A young average must not remember the random start: its memory grows with the steps.
        keep = min(_AVERAGE, (1 + self.step) / (10 + self.step))
        for mean, variable in zip(self.average, self.model.weights, strict=True):
            mean *= keep
            mean += (1 - keep) * variable.numpy()

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
        # One file holds all of it: a run that is killed between two files would go on from a mixture.
        about = json.dumps({"network": self.network, "step": self.step, "seconds": self.seconds, "best": self.best})
        fresh = self.out / "state.tmp.npz"
        np.savez(fresh, **arrays, about=np.array(about))
        fresh.replace(self.out / "state.npz")  # whole or not at all
        (self.out / "run.json").write_text(about, encoding="utf-8")  # for people

    def _restore(self) -> None:
        path = self.out / "state.npz"
        if not path.is_file():
            return
        with np.load(path, allow_pickle=False) as state:
            beside = self.out / "run.json"  # runs of before kept it there alone
            about = json.loads(str(state["about"]) if "about" in state.files else beside.read_text(encoding="utf-8"))
            if about["network"] != self.network:
                raise ValueError(f"{self.out} holds a run of {about['network']}")
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
