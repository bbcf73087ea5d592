"""Real faces as the generators made here render them, and synthetic portraits brought to the size of the reals.

``python -m ml.training.renders --data FACES --work CACHE --generators DIR --out RENDERS``
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.faces import Square
from ml.training.augment import jpeg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ml.training.dataset import Sample

logger = logging.getLogger(__name__)

_SEED = 31


def chosen(samples: Sequence[Sample], count: int, kind: str) -> list[int]:
    """Which real samples a kind renders: the same ones whenever it is asked."""
    reals = [index for index, sample in enumerate(samples) if not sample.row.manipulated]
    random = np.random.default_rng([_SEED, *kind.encode()])
    return [reals[i] for i in random.permutation(len(reals))[:count]]


def write(generators: Path, kind: str, samples: Sequence[Sample], count: int, out: Path, split: str) -> None:
    """Render ``count`` reals of a split by one autoencoder into OUT/kind_split.bin, with an index beside it."""
    from ml.training.generators import build, render, traced

    model = build(kind)
    model.load_weights(generators / f"{kind}.weights.h5")
    generator = traced(model)
    out.mkdir(parents=True, exist_ok=True)
    index = []
    with (out / f"{kind}_{split}.bin").open("wb") as blob:
        for number in chosen(samples, count, kind):
            blob.write(render(generator, np.ascontiguousarray(samples[number].pixels)).tobytes())
            index.append(samples[number].row.path)
    (out / f"{kind}_{split}.json").write_text(json.dumps(index), encoding="utf-8")


def read(out: Path, kind: str, samples: Sequence[Sample], split: str) -> list[tuple[Sample, NDArray[np.uint8]]]:
    """The pairs (real sample, rendering of its pixels) that :func:`write` made; the renderings stay on disk."""
    by_path = {sample.row.path: sample for sample in samples}
    blob = np.memmap(out / f"{kind}_{split}.bin", np.uint8, mode="r")
    found, at = [], 0
    for path in json.loads((out / f"{kind}_{split}.json").read_text(encoding="utf-8")):
        sample = by_path[path]
        size = sample.pixels.size
        found.append((sample, blob[at : at + size].reshape(sample.pixels.shape)))
        at += size
    return found


def nearer(real: NDArray[np.uint8], made: NDArray[np.uint8], amount: float) -> NDArray[np.uint8]:
    """A rendering with the face's own tones, and with ``1 - amount`` of its detail given back.

    Autoencoders that learn for minutes miss colours and blur; generators in the wild do neither. What stays is what a
    decoder does to fine detail. real, made: uint8 (H, W, 3).
    """
    height, width = real.shape[:2]
    missed = real.astype(np.float32) - made
    tones = cv2.resize(missed, (max(4, width // 12), max(4, height // 12)), interpolation=cv2.INTER_AREA)
    missed -= cv2.resize(tones, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(real - np.float32(amount) * missed + 0.5, 0, 255), np.uint8)


def matched(sample: Sample, side: float) -> Sample:
    """A larger sample reduced until its square has this side, and saved twice as JPEG, as the reals have been.

    The reals are crops of photos of 256 px saved at quality 75, and were saved once more at 91. Without this a detector
    of synthetic portraits learns sizes and compression.
    """
    factor = min(1.0, side / sample.square.side)
    height, width = sample.pixels.shape[:2]
    size = (max(16, round(width * factor)), max(16, round(height * factor)))
    pixels = cv2.resize(np.ascontiguousarray(sample.pixels), size, interpolation=cv2.INTER_AREA)
    pixels = jpeg(jpeg(np.asarray(pixels, np.uint8), 75), 91)
    square = Square(sample.square.cx * factor, sample.square.cy * factor, sample.square.side * factor)
    return replace(sample, pixels=pixels, square=square, landmarks=None)


def main(arguments: Sequence[str] | None = None) -> int:
    """Render train and val reals by every autoencoder of a folder."""
    parser = argparse.ArgumentParser(prog="python -m ml.training.renders", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--generators", type=Path, required=True, help="folder of ml.training.generators")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=2500, help="train faces a kind; val faces a tenth of it")
    parser.add_argument("--kinds", nargs="+", help="the kinds that are rendered, all unless said otherwise")
    parser.add_argument("--val-only", nargs="*", default=[], help="kinds that are not trained on")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    from ml import runtime

    runtime.configure(1)

    from ml.training import dataset
    from ml.training.generators import KINDS

    dataset.prepare(options.data, options.work)
    for split, count in (("val", options.count // 10), ("train", options.count)):
        samples = dataset.load(options.work, split)
        for kind in options.kinds or KINDS:
            if split == "train" and kind in options.val_only:
                continue
            write(options.generators, kind, samples, count, options.out, split)
            logger.info("%s %s: %d faces", kind, split, count)
    return 0


if __name__ == "__main__":
    sys.exit(main())
