"""The training crops, made ready once: decoded pictures and the face square of each, found by the product's own code.

``python -m ml.training.dataset --data FACES --work DIR`` builds the cache and prints how much mirrored margin enters
the squares of each set and class.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import logging
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ml.faces import FACE_SHARE, FaceFinder, Square, face_square
from ml.faces.face import LANDMARK_COUNT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ml.faces import Face

logger = logging.getLogger(__name__)

_MARGIN = 1.25  # cached pixels around the square, so that a moved square still finds real pixels
_FORMAT = 3
POINTS_SIZE = 2.5
POINTS_CENTRE = 0.49


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a faces index: where the picture lies (from the index's folder) and what it is.

    label: "real", "swap" or "synthetic". group: never split between train and val. points: right eye, left eye, nose,
    right and left mouth corner, in crop pixels. valid: x0, y0, x1, y1 of the pixels that are no mirror.
    """

    path: str
    label: str
    set: str
    group: str
    split: str
    native_face_px: float
    points: tuple[tuple[float, float], ...]
    valid: tuple[float, float, float, float]

    @property
    def manipulated(self) -> int:
        """1 for a swapped or synthetic face, 0 for a real one."""
        return int(self.label != "real")


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One prepared crop: its row, the pixels around the face uint8 (H, W, 3), and the detectors' square in them.

    landmarks: the face mesh's points float32 (478, 2) in these pixels; None where no mesh was found.
    """

    row: Row
    pixels: NDArray[np.uint8]
    square: Square
    landmarks: NDArray[np.float32] | None = None


def read_index(path: Path) -> list[Row]:
    """Read the index.csv of a faces folder. Raises OSError, KeyError or ValueError when it is not one."""
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Row(
                path=line["path"],
                label=line["label"],
                set=line["set"],
                group=line["group"],
                split=line["split"],
                native_face_px=float(line["native_face_px"]),
                points=tuple((float(line[f"x{i}"]), float(line[f"y{i}"])) for i in range(5)),
                valid=(
                    float(line["valid_x0"]),
                    float(line["valid_y0"]),
                    float(line["valid_x1"]),
                    float(line["valid_y1"]),
                ),
            )
            for line in csv.DictReader(file)
        ]


def fingerprint(rows: Sequence[Row]) -> str:
    """A short hash of which crops there are: it names the data in cards and tables."""
    text = "\n".join(sorted(f"{row.path},{row.label},{row.group},{row.split}" for row in rows))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def centre_face(faces: Sequence[Face], nose: tuple[float, float]) -> Face | None:
    """Of several faces the one whose box holds the nose, the largest of those; None when none does."""
    inside = [f for f in faces if f.box[0] <= nose[0] <= f.box[2] and f.box[1] <= nose[1] <= f.box[3]]
    return max(inside, key=lambda face: face.size, default=None)


def square_of_points(points: Sequence[tuple[float, float]], share: float = FACE_SHARE) -> Square:
    """The detectors' square from five points alone, for faces in which no mesh is found.

    The factors are medians over the training crops in which both are known: the mesh's box is 2.5 times as long as the
    way from the eyes' middle to the mouth's, and its middle lies .49 of that way below the eyes.
    """
    p = np.asarray(points, np.float64)
    eyes, mouth = p[:2].mean(axis=0), p[3:5].mean(axis=0)
    way = mouth - eyes
    centre = eyes + POINTS_CENTRE * way
    return Square(float(centre[0]), float(centre[1]), max(1.0, POINTS_SIZE * float(np.hypot(*way)) * share))


def prepare(root: Path, work: Path, rows: Sequence[Row] | None = None) -> None:
    """Find the face of every row with the product's finder and keep pixels and square under ``work``.

    root: folder of index.csv. Does nothing when ``work`` already holds these rows, cut with this FACE_SHARE.
    """
    rows = read_index(root / "index.csv") if rows is None else rows
    stamp = f"{_FORMAT}-{FACE_SHARE}-{fingerprint(rows)}"
    if (work / "stamp").is_file() and (work / "stamp").read_text() == stamp:
        return
    work.mkdir(parents=True, exist_ok=True)
    index: list[dict[str, object]] = []
    meshes = np.zeros((len(rows), LANDMARK_COUNT, 2), np.float32)
    offset = 0
    with FaceFinder() as finder, (work / "pixels.bin").open("wb") as blob:
        for number, row in enumerate(rows):
            with Image.open(root / row.path) as picture:
                pixels = np.asarray(picture.convert("RGB"))
            face = centre_face(finder.find(pixels), row.points[2])
            square = square_of_points(row.points) if face is None else face_square(face)
            region, moved = _around(pixels, square)
            if face is not None:
                meshes[number] = face.landmarks + np.array([moved.cx - square.cx, moved.cy - square.cy], np.float32)
            blob.write(region.tobytes())
            index.append(
                {
                    "row": asdict(row),
                    "offset": offset,
                    "shape": region.shape,
                    "square": asdict(moved),
                    "full": asdict(square),
                    "size": pixels.shape[:2],
                    "mesh": face is not None,
                    "yaw": None if face is None else face.yaw,
                }
            )
            offset += region.nbytes
            if number % 2000 == 1999:
                logger.info("%d of %d crops prepared", number + 1, len(rows))
    np.save(work / "meshes.npy", meshes)
    (work / "crops.json").write_text(json.dumps(index), encoding="utf-8")
    (work / "stamp").write_text(stamp)


def load(work: Path, split: str) -> list[Sample]:
    """The prepared samples of one split; their pixels stay on disk, mapped, and are shared between processes."""
    blob = np.memmap(work / "pixels.bin", np.uint8, mode="r")
    meshes = np.load(work / "meshes.npy", mmap_mode="r")
    samples = []
    for number, entry in enumerate(json.loads((work / "crops.json").read_text(encoding="utf-8"))):
        fields = entry["row"]
        if fields["split"] != split:
            continue
        fields["points"] = tuple(tuple(point) for point in fields["points"])
        fields["valid"] = tuple(fields["valid"])
        height, width, channels = entry["shape"]
        pixels = blob[entry["offset"] : entry["offset"] + height * width * channels].reshape(height, width, channels)
        mesh = meshes[number] if entry["mesh"] else None
        samples.append(Sample(Row(**fields), pixels, Square(**entry["square"]), mesh))
    return samples


def paired(samples: Sequence[Sample]) -> list[Sample]:
    """The samples of sets that hold both classes: only within those does an AUC say something."""
    both = {s.row.set for s in samples if s.row.manipulated} & {s.row.set for s in samples if not s.row.manipulated}
    return [s for s in samples if s.row.set in both]


def mirror_shares(work: Path, share: float = FACE_SHARE) -> dict[str, float]:
    """Mean share of the detectors' square that is mirror or outside, were it cut at ``share``, per "set/label"."""
    found: dict[str, list[float]] = {}
    for entry in json.loads((work / "crops.json").read_text(encoding="utf-8")):
        row = entry["row"]
        square = Square(**entry["full"])
        x0, y0, x1, y1 = row["valid"]
        real = Square(square.cx - x0, square.cy - y0, square.side * share / FACE_SHARE)
        key = f"{row['set']}/{row['label']}"
        found.setdefault(key, []).append(real.outside_share(round(x1 - x0), round(y1 - y0)))
    return {key: float(np.mean(values)) for key, values in found.items()}


def _around(pixels: NDArray[np.uint8], square: Square) -> tuple[NDArray[np.uint8], Square]:
    height, width = pixels.shape[:2]
    half = square.side * _MARGIN / 2
    x0, y0 = max(0, int(square.cx - half)), max(0, int(square.cy - half))
    x1, y1 = min(width, int(square.cx + half) + 2), min(height, int(square.cy + half) + 2)
    return np.ascontiguousarray(pixels[y0:y1, x0:x1]), Square(square.cx - x0, square.cy - y0, square.side)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: prepare the cache and print the mirrored shares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with index.csv")
    parser.add_argument("--work", type=Path, required=True, help="folder for the cache")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    prepare(options.data, options.work)
    for share in (1.0, 1.1, FACE_SHARE, 1.3):
        shares = mirror_shares(options.work, share)
        sys.stdout.write(f"share {share}: " + ", ".join(f"{k} {v:.3f}" for k, v in sorted(shares.items())) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
