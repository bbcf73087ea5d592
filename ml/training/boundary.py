"""Train the boundary detector.

``python -m ml.training.boundary --data FACES --work CACHE --out RUN --minutes 60``

FACES and CACHE are as in ``ml.training.mesonet``; the run goes on where RUN stands when it is started again. Batches
can be made ahead by another process, ``python -m ml.training.boundary ... --stock STOCK --ahead 8000``, which ends when
they are made; the run takes them with ``--stock STOCK``. ``--start shipped`` begins a new run with the weights that
ship. Trains on ``split=train`` only and keeps the weights with
the best mean AUC over blends of val faces and over the sets of ``split=val``.
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

    from ml.training.dataset import Sample

MAP_WEIGHT = 3.0
"""A map says a thousand times where a seam is, a verdict once that there is one: features are learned from the map."""

SEAM_WEIGHT = 4.0
"""How much more a cell on the seam counts than one beside it: seams are thin."""

BLENDS = 300


def parser() -> argparse.ArgumentParser:
    """The command line's arguments."""
    made = argparse.ArgumentParser(prog="python -m ml.training.boundary", description=__doc__)
    made.add_argument("--data", type=Path, required=True, help="folder with index.csv and the pictures")
    made.add_argument("--work", type=Path, required=True, help="folder for the prepared crops (some GB)")
    made.add_argument("--out", type=Path, help="folder of this run: log.csv, state, best weights")
    made.add_argument("--stock", type=Path, help="folder of batches made ahead")
    made.add_argument("--ahead", type=int, help="only make batches up to this number, into the stock")
    made.add_argument("--start", choices=("shipped",), help="weights that a new run begins with")
    length = made.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, help="stop, with the learning rate run down, after so long")
    length.add_argument("--steps", type=int, default=8000, help="stop after so many batches")
    made.add_argument("--batch", type=int, default=64)
    made.add_argument("--epoch-steps", type=int, default=400, help="batches between two looks at the val split")
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

    from ml.training import dataset, stock
    from ml.training.pairs import Batch, Pairs

    dataset.prepare(options.data, options.work)
    pairs = Pairs(dataset.load(options.work, "train"), options.batch, options.seed)
    if options.ahead is not None:
        stock.fill(pairs, options.stock, 0, options.ahead)
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
    run = TraceRun("boundary", options.out, schedule, loss_of, options.seed, options.precision)
    if options.start is not None and not run.step:
        from ml.weights.store import entries, load_arrays

        run.begin_with(load_arrays("boundary"))
        shipped = entries()["boundary"]
        run.note(f"- Begun with the shipped weights, version {shipped.version}, SHA-256 `{shipped.sha256}`")
    command = shlex.join(["python", "-m", "ml.training.boundary", *without_folders(options)])
    run.note(f"- From step {run.step}: `{command}`, commit {commit()}, {runtime.device_name()}")
    batches = stock.batches(pairs, options.stock, Batch, run.step)
    measure = measure_on(dataset.load(options.work, "val"), run.predict)
    run.go(batches, run.learn, measure, options.epoch_steps)
    return 0


def loss_of(answer: Mapping[str, Any], batch: Mapping[str, Any]) -> Any:
    """Cross-entropy of the verdict, and of the map where its truth is known, cells on the seam counting more."""
    import tensorflow as tf

    verdict = tf.nn.sigmoid_cross_entropy_with_logits(labels=batch["labels"], logits=answer["logit"])
    seam = tf.cast(batch["maps"], tf.float32) / 255.0
    cells = tf.nn.sigmoid_cross_entropy_with_logits(labels=seam, logits=answer["boundary"])
    weights = (1.0 + SEAM_WEIGHT * seam) * tf.reshape(batch["known"], (-1, 1, 1, 1))
    return tf.reduce_mean(verdict) + MAP_WEIGHT * tf.reduce_mean(weights * cells)


def measure_on(val: Sequence[Sample], predict: Callable[[Any], Mapping[str, Any]]) -> Callable[[], dict[str, float]]:
    """AUC on the val sets and on blends of val faces, by kind too, and the average precision of the seam's map."""
    from ml.evaluate.metrics import auc, average_precision
    from ml.faces import cut
    from ml.networks.boundary import INPUT_SIZE
    from ml.training.dataset import paired
    from ml.training.loop import set_aucs
    from ml.training.pairs import held_out

    subjects = paired(val)
    faces = np.stack([cut(s.pixels, s.square, INPUT_SIZE) for s in subjects]) if subjects else None
    blends, kinds = held_out(val, BLENDS) if val else (None, [])

    def measure() -> dict[str, float]:
        found: dict[str, float] = {}
        if faces is not None:
            scores = predict(faces)["logit"][:, 0]
            found |= {f"auc_{name}": value for name, value in set_aucs(subjects, scores).items()}
        if blends is not None:
            answer = predict(blends.pixels)
            logits, labels = answer["logit"][:, 0], blends.labels[:, 0].astype(int)
            found["auc_blends"] = auc(labels, logits)
        if not found:
            return {}
        chosen = float(np.mean(list(found.values())))
        if blends is not None:
            for kind in sorted(set(kinds)):
                here = np.repeat(np.array(kinds) == kind, 2)
                found[f"blends_{kind}"] = auc(labels[here], logits[here])
            seam = (blends.maps > 127).ravel()
            found["map_ap"] = average_precision(seam.astype(int), answer["boundary"].ravel().astype(np.float64))
        return found | {"auc": chosen}

    return measure


if __name__ == "__main__":
    sys.exit(main())
