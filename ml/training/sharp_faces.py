"""``python -m ml.training.sharp_faces --data FACES --out CROPS.npz --split train``: sharp faces for the face restorer.

FACES holds the faces' ``index.csv``. Taken are all synthetic portraits and the sharpest photographed faces that nobody
swapped, large enough to fill the restorer's square without being enlarged.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from ml.faces import FaceFinder
from ml.restore.face_frame import SIDE, frame, part_centres
from ml.training.dataset import centre_face, read_index

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ml.training.dataset import Row

logger = logging.getLogger(__name__)

MARGIN = 16
"""Pixels around the square, so that a moved or turned square still finds real ones."""

_SETS = ("portraits_sd3", "openforensics", "openforensics_extra")
_LARGEST_SCALE = 1.1  # pixels of the square a pixel of the picture: more would teach the network to blur
_CROP_SHARE = 1.6  # side of the data's crops over the face in them


@dataclass(frozen=True, slots=True, eq=False)
class SharpFaces:
    """Aligned faces.

    crops: uint8 (N, S, S, 3), S = 128 and a margin of 16 px on every side. centres: float32 (N, 4, 2), of the parts in
    pixels of the crop. portrait: bool (N,), the synthetic ones. sharpness: float32 (N,), of the square in grey levels.
    """

    crops: NDArray[np.uint8]
    centres: NDArray[np.float32]
    portrait: NDArray[np.bool_]
    sharpness: NDArray[np.float32]

    @property
    def fingerprint(self) -> str:
        """A short hash of the crops: it names the data in cards and tables."""
        return hashlib.sha256(self.crops.tobytes()).hexdigest()[:16]

    def save(self, path: Path) -> None:
        """Write them whole."""
        fresh = path.with_suffix(".tmp.npz")
        np.savez(fresh, crops=self.crops, centres=self.centres, portrait=self.portrait, sharpness=self.sharpness)
        fresh.replace(path)

    @classmethod
    def load(cls, path: Path) -> SharpFaces:
        """Read what :meth:`save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(arrays["crops"], arrays["centres"], arrays["portrait"], arrays["sharpness"])

    def part(self, which: Sequence[int] | NDArray[np.int64]) -> SharpFaces:
        """These faces alone."""
        index = np.asarray(which, np.int64)
        return SharpFaces(self.crops[index], self.centres[index], self.portrait[index], self.sharpness[index])


def gather(data: Path, split: str, most: int) -> SharpFaces:
    """Find, align and cut the portraits and the ``most`` sharpest photographed faces of a split."""
    rows = [r for r in read_index(data / "index.csv") if r.split == split and r.label != "swap" and r.set in _SETS]
    portraits = [row for row in rows if row.set == "portraits_sd3"]
    photographs = [row for row in rows if row.set != "portraits_sd3"]
    found = []
    with FaceFinder() as finder:
        # Half as many again: of some no mesh is found, and some are too small.
        for row in [*portraits, *_sharpest(data, photographs, most * 3 // 2)]:
            crop = _aligned(finder, _read(data / row.path), row)
            if crop is not None:
                found.append((*crop, row.set == "portraits_sd3"))
    found.sort(key=lambda each: (not each[3], -each[2]))
    kept = found[: sum(each[3] for each in found) + most]
    return SharpFaces(
        np.stack([each[0] for each in kept]),
        np.stack([each[1] for each in kept]),
        np.array([each[3] for each in kept]),
        np.array([each[2] for each in kept], np.float32),
    )


def sharpness(pixels: NDArray[np.uint8]) -> float:
    """Mean absolute Laplacian of the brightness of uint8 (H, W, 3) in its middle, where skin, eyes and mouth are."""
    height, width = pixels.shape[:2]
    inner = pixels[height // 5 : height - height // 5, width // 5 : width - width // 5]
    grey = np.asarray(cv2.cvtColor(np.ascontiguousarray(inner), cv2.COLOR_RGB2GRAY), np.float32)
    return float(np.abs(cv2.Laplacian(grey, cv2.CV_32F)).mean())


def _sharpest(data: Path, rows: Sequence[Row], most: int) -> list[Row]:
    """The rows whose faces are sharp at the size that they will have; by the picture alone, for meshes cost time."""
    told = []
    for row in rows:
        pixels = _read(data / row.path)
        side = round(_CROP_SHARE * 0.7 * SIDE)
        if min(pixels.shape[:2]) < side / _LARGEST_SCALE:
            continue
        small = np.asarray(cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
        told.append((sharpness(small), row))
    told.sort(key=lambda each: -each[0])
    return [row for _, row in told[:most]]


def _aligned(
    finder: FaceFinder, pixels: NDArray[np.uint8], row: Row
) -> tuple[NDArray[np.uint8], NDArray[np.float32], float] | None:
    face = centre_face(finder.find(pixels, 3), row.points[2])
    if face is None:
        return None
    wide = frame(face.landmarks, margin=MARGIN)
    if wide.scale > _LARGEST_SCALE:
        return None
    crop = wide.cut(pixels)
    inner = crop[MARGIN:-MARGIN, MARGIN:-MARGIN]
    return crop, part_centres(wide.points(face.landmarks)), sharpness(inner)


def _read(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m ml.training.sharp_faces", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds index.csv")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--split", choices=("train", "val"), default="train")
    parser.add_argument("--most", type=int, default=1200, help="photographed faces beside the portraits")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    faces = gather(options.data, options.split, options.most)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    faces.save(options.out)
    sys.stdout.write(
        f"{len(faces.crops)} faces, {int(faces.portrait.sum())} of them synthetic, fingerprint {faces.fingerprint}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
