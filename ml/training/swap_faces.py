"""``python -m ml.training.swap_faces --data DATA --out FACES.npz``: faces of many people, aligned for the encoder.

Real and synthetic faces of the train split, and every eighth frame of the clips of people who are in no pair of
``clips/swap_pairs.csv``: those stay unseen, to be measured with. ``--split val``: the val split's faces alone.
"""

from __future__ import annotations

import argparse
import csv
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ml.faces import FaceFinder
from ml.swap.face_set import FaceSet
from ml.training.dataset import centre_face, read_index

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

_SMALLEST = 56.0  # pixels of face; smaller ones would teach the decoder to blur
_FRAME_STEP = 8


def pictures(data: Path, split: str) -> Iterator[tuple[NDArray[np.uint8], tuple[float, float]]]:
    """Pixels, and where the nose is, of the split's faces that nobody swapped."""
    root = data / "faces"
    for row in read_index(root / "index.csv"):
        if row.split == split and row.label != "swap":
            with Image.open(root / row.path) as picture:
                yield np.asarray(picture.convert("RGB")), row.points[2]


def unpaired_clips(data: Path) -> list[Path]:
    """The clips of people who appear in no pair."""
    folder = data / "clips"
    with (folder / "swap_pairs.csv").open(newline="", encoding="utf-8") as file:
        paired = {line[key] for line in csv.DictReader(file) for key in ("identity_a", "identity_b")}
    with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
        return [folder / line["file"] for line in csv.DictReader(file) if line["identity"] not in paired]


def gather(data: Path, split: str, size: int) -> FaceSet:
    """Find, align and cut all of them."""
    found = []
    with FaceFinder() as finder:
        for number, (pixels, nose) in enumerate(pictures(data, split), 1):
            face = centre_face(finder.find(pixels, 3), nose)
            if face is not None and face.size >= _SMALLEST:
                found.append(FaceSet.of([(pixels, face)], size))
            if number % 1000 == 0:
                logger.info("%d pictures, %d faces", number, len(found))
        for clip in unpaired_clips(data) if split == "train" else ():
            for pixels in _frames(clip):
                found += [FaceSet.of([(pixels, face)], size) for face in finder.find(pixels, 1)]
    return FaceSet(
        size,
        np.concatenate([each.crops for each in found]),
        np.concatenate([each.points for each in found]),
        np.concatenate([each.yaw for each in found]),
        np.concatenate([each.pitch for each in found]),
    )


def _frames(clip: Path) -> Iterator[NDArray[np.uint8]]:
    import av

    with av.open(str(clip)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % _FRAME_STEP == 0:
                yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m ml.training.swap_faces", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with faces/ and clips/")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--split", choices=("train", "val"), default="train")
    parser.add_argument("--size", type=int, default=96)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    faces = gather(options.data, options.split, options.size)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    faces.save(options.out)
    sys.stdout.write(f"{len(faces)} faces, fingerprint {faces.fingerprint}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
