"""Train the synthesis detector.

``python -m ml.training.synthesis --data FACES --work CACHE --renders RENDERS --out RUN --minutes 20``

RENDERS is made by ``ml.training.generators`` and ``ml.training.renders``; without it the only fakes are real faces that
were resampled or cleaned. One kind of generator is left out (``--unseen``) and measured, and so are the synthetic
portraits of the data unless ``--portraits`` trains on those of the train split. The weights with the best mean AUC over
the kinds that were trained on are kept: what is left out chooses nothing.
"""

from __future__ import annotations

import argparse
import logging
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from ml.training.dataset import Sample

MEASURED = 300

GIVEN_BACK = 0.6
"""How much of what a rendering loses is lost in the fakes that are measured; see ``renders.nearer``."""


def parser() -> argparse.ArgumentParser:
    """The command line's arguments."""
    made = argparse.ArgumentParser(prog="python -m ml.training.synthesis", description=__doc__)
    made.add_argument("--data", type=Path, required=True, help="folder with index.csv and the pictures")
    made.add_argument("--work", type=Path, required=True, help="folder for the prepared crops (some GB)")
    made.add_argument("--out", type=Path, help="folder of this run: log.csv, state, best weights")
    made.add_argument("--renders", type=Path, help="folder of renderings")
    made.add_argument("--unseen", nargs="*", default=["shuffle"], help="kinds that are measured and not trained on")
    made.add_argument("--portraits", action="store_true", help="train on the synthetic portraits of the train split")
    made.add_argument("--trunk-of", type=Path, help="run of the boundary detector whose trunk a new run begins with")
    made.add_argument("--stock", type=Path, help="folder of batches made ahead")
    made.add_argument("--ahead", type=int, help="only make batches up to this number, into the stock")
    length = made.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, help="stop, with the learning rate run down, after so long")
    length.add_argument("--steps", type=int, default=2500, help="stop after so many batches")
    made.add_argument("--batch", type=int, default=64)
    made.add_argument("--epoch-steps", type=int, default=300, help="batches between two looks at the val split")
    made.add_argument("--rate", type=float, default=2e-3, help="AdamW's first learning rate")
    made.add_argument("--precision", choices=("mixed_bfloat16", "float32"), default="mixed_bfloat16")
    made.add_argument("--seed", type=int, default=2018)
    made.add_argument("--threads", type=int, default=1, help="TensorFlow's threads within an operation")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, or make batches ahead; prints one line a look at the val split. Returns the process's exit code."""
    made = parser()
    options = made.parse_args(arguments)
    if (options.out is None) == (options.ahead is None) or (options.ahead is not None and options.stock is None):
        made.error("either --out for a run, or --stock and --ahead to make batches")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    import cv2

    cv2.setNumThreads(1)

    from ml.training import dataset, renders, stock
    from ml.training.generators import KINDS
    from ml.training.synthesis_batches import Batch, Renderings

    dataset.prepare(options.data, options.work)
    train, val = dataset.load(options.work, "train"), dataset.load(options.work, "val")
    there = [k for k in KINDS if options.renders is not None and (options.renders / f"{k}_val.json").is_file()]
    known = [kind for kind in there if kind not in options.unseen]
    source = Renderings(
        [s for s in train if not s.row.manipulated],
        {kind: renders.read(options.renders, kind, train, "train") for kind in known},
        [s for s in train if s.row.label == "synthetic"] if options.portraits else [],
        options.batch,
        options.seed,
    )
    if options.ahead is not None:
        stock.fill(source, options.stock, 0, options.ahead)
        return 0

    from ml import runtime

    runtime.configure(options.threads)

    from ml.training.loop import Schedule
    from ml.training.mesonet import commit, without_folders
    from ml.training.tracing import TraceRun

    schedule = Schedule(
        rate=options.rate,
        steps=None if options.minutes else options.steps,
        seconds=options.minutes * 60 if options.minutes else None,
    )
    run = TraceRun("synthesis", options.out, schedule, loss_of, options.seed, options.precision)
    if options.trunk_of is not None and run.step == 0:
        run.begin_with_trunk(options.trunk_of)
    command = shlex.join(["python", "-m", "ml.training.synthesis", *without_folders(options)])
    run.note(f"- From step {run.step}: `{command}`, commit {commit()}, {runtime.device_name()}")
    fakes = {kind: renders.read(options.renders, kind, val, "val") for kind in there}
    left_out = val if options.portraits else train + val
    portraits = [s for s in left_out if s.row.label == "synthetic"]
    measure = measure_on(val, fakes, known, portraits, run.predict)
    run.go(stock.batches(source, options.stock, Batch, run.step), run.learn, measure, options.epoch_steps)
    return 0


def loss_of(answer: Mapping[str, Any], batch: Mapping[str, Any]) -> Any:
    """Cross-entropy of the verdict."""
    import tensorflow as tf

    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=batch["labels"], logits=answer["logit"]))


def measure_on(
    val: Sequence[Sample],
    fakes: Mapping[str, Any],
    known: Sequence[str],
    portraits: Sequence[Sample],
    predict: Callable[[Any], Mapping[str, Any]],
) -> Callable[[], dict[str, float]]:
    """AUC of every kind against the reals that it rendered, and of the portraits against reals of like size."""
    from ml.evaluate.metrics import auc
    from ml.faces import cut
    from ml.networks.synthesis import INPUT_SIZE
    from ml.training.generators import cleaned, resampled
    from ml.training.renders import matched, nearer

    random = np.random.default_rng(7)
    reals = [s for s in val if not s.row.manipulated]
    order = random.permutation(len(reals))[:MEASURED]
    pairs: dict[str, tuple[NDArray[np.uint8], NDArray[np.uint8]]] = {}
    everything = {
        kind: [(sample, nearer(sample.pixels, made, GIVEN_BACK)) for sample, made in pool][:MEASURED]
        for kind, pool in fakes.items()
    }
    everything["cleaned"] = [(reals[i], cleaned(np.ascontiguousarray(reals[i].pixels), random)) for i in order]
    everything["resampled"] = [(reals[i], resampled(np.ascontiguousarray(reals[i].pixels), random)) for i in order]
    for kind, pool in everything.items():
        if pool:
            pairs[kind] = (
                np.stack([cut(made, s.square, INPUT_SIZE) for s, made in pool]),
                np.stack([cut(s.pixels, s.square, INPUT_SIZE) for s, _ in pool]),
            )
    if portraits and reals:
        sides = [(reals[i], reals[i].square.side * 0.9) for i in order]
        small = [matched(p, sides[n % len(sides)][1]) for n, p in enumerate(portraits)]
        like = [matched(sample, side) for sample, side in sides]
        pairs["portraits"] = (
            np.stack([cut(s.pixels, s.square, INPUT_SIZE) for s in small]),
            np.stack([cut(s.pixels, s.square, INPUT_SIZE) for s in like]),
        )

    def measure() -> dict[str, float]:
        found = {}
        for kind, (made, real) in pairs.items():
            scores = np.concatenate([predict(made)["logit"][:, 0], predict(real)["logit"][:, 0]])
            labels = np.repeat([1, 0], [len(made), len(real)])
            found[f"auc_{kind}"] = auc(labels, scores)
        trained = [found[f"auc_{kind}"] for kind in (*known, "resampled", "cleaned") if f"auc_{kind}" in found]
        return found | ({"auc": float(np.mean(trained))} if trained else {})

    return measure


if __name__ == "__main__":
    sys.exit(main())
