"""Can blends be told from their partners by pixels outside the mask? They must not.

``python -m ml.training.leak --data FACES --work CACHE --steps 150`` trains a network on training pairs in which the
mask, and what compression and blur can carry out of it, is painted grey in both pictures, and prints its AUC on pairs
of val faces: about .5 where nothing but the blend sets the classes apart. ``--inside`` leaves the pictures whole, to
show that the same network in the same time does find what is there; ``--trunk-of RUN`` begins with the filters of a
boundary detector, which know what to look for, so that a short run can tell.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.faces import cut
from ml.networks.synthesis import INPUT_SIZE
from ml.training.augment import change, look
from ml.training.blending import Blender
from ml.training.pairs import PHOTO
from ml.training.synthesis_batches import Batch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ml.training.dataset import Sample

REACH = 12
"""Pixels, of 128, that are painted over around the mask: a block of JPEG with halved chroma at the crop's own size."""

_GREY = 128

_SAME_SIZE = replace(PHOTO, rescale=0.0)


class Outside:
    """Batches of blends and partners without what lies inside their masks; see ``Pairs``."""

    def __init__(self, samples: Sequence[Sample], batch: int, seed: int, inside: bool = False) -> None:
        self._reals = [s for s in samples if not s.row.manipulated]
        self._blender, self._batch, self._seed, self._inside = Blender(samples), batch, seed, inside

    def at(self, number: int) -> Batch:
        """The batch of this number: fake, real, fake, real."""
        random = np.random.default_rng((self._seed, number))
        pictures = []
        for _ in range(self._batch // 2):
            sample = self._reals[int(random.integers(len(self._reals)))]
            blend = self._blender.blend(sample, random)
            moved, mirrored = look(sample.square, PHOTO, random)
            seed = int(random.integers(2**32))
            touched = np.where(blend.mask > 1e-4, 255, 0).astype(np.uint8)
            painted = cut(touched, moved, INPUT_SIZE)
            painted = np.ascontiguousarray(painted[:, ::-1] if mirrored else painted)
            hidden = cv2.dilate(painted, np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8)) > 0
            for pixels in (blend.fake, blend.real):
                # Degradation is part of the question; a picture that is made much smaller first has blocks larger
                # than what is painted over, so sizes stay.
                picture = change(pixels, moved, mirrored, _SAME_SIZE, np.random.default_rng(seed), INPUT_SIZE)
                if not self._inside:
                    picture[hidden] = _GREY
                pictures.append(picture)
        labels = np.tile(np.array([[1.0], [0.0]], np.float32), (self._batch // 2, 1))
        return Batch(np.stack(pictures), labels)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, and print one line of JSON. Returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m ml.training.leak", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--pairs", type=int, default=640, help="val pairs that are measured")
    parser.add_argument("--inside", action="store_true", help="leave the pictures whole")
    parser.add_argument("--trunk-of", type=Path, help="run of the boundary detector whose trunk to begin with")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=2018)
    options = parser.parse_args(arguments)

    from ml import runtime

    runtime.configure(1)
    cv2.setNumThreads(1)

    from ml.evaluate.metrics import auc
    from ml.training import dataset, stock
    from ml.training.loop import Schedule
    from ml.training.synthesis import loss_of
    from ml.training.tracing import TraceRun

    dataset.prepare(options.data, options.work)
    source = Outside(dataset.load(options.work, "train"), options.batch, options.seed, options.inside)
    held_out = Outside(dataset.load(options.work, "val"), 2 * options.pairs, options.seed + 1, options.inside).at(0)
    run = TraceRun("synthesis", options.out, Schedule(options.rate, steps=options.steps), loss_of, options.seed)
    if options.trunk_of is not None and run.step == 0:
        run.begin_with_trunk(options.trunk_of)
    run.go(stock.batches(source, None, Batch, run.step), run.learn, dict, options.steps)
    with run.averaged():
        scores = run.predict(held_out.pixels)["logit"][:, 0]
    found = auc(held_out.labels[:, 0].astype(int), scores)
    told = {
        "seen": "all" if options.inside else "outside",
        "steps": options.steps,
        "pairs": options.pairs,
        "auc": found,
    }
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
