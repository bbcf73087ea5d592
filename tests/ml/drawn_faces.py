"""A folder like the research data's, of pictures that are drawn: noise, edges and a soft blob where a face would be."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SIDE = 150
POINTS = ((55.0, 62.0), (95.0, 62.0), (75.0, 82.0), (60.0, 102.0), (90.0, 102.0))
_COLUMNS = ["path", "label", "set", "group", "native_face_px", "split"]
_COLUMNS += [f"{axis}{i}" for i in range(5) for axis in "xy"] + ["valid_x0", "valid_y0", "valid_x1", "valid_y1"]


def drawn(number: int) -> NDArray[np.uint8]:
    """A head-like blob with features and grain, uint8 (150, 150, 3)."""
    random = np.random.default_rng(number)
    picture = np.full((SIDE, SIDE, 3), random.integers(60, 160, 3), np.uint8)
    for _ in range(6):
        corner = random.integers(0, SIDE, 4).tolist()
        cv2.rectangle(picture, corner[:2], corner[2:], random.integers(30, 220, 3).tolist(), -1)
    cv2.ellipse(picture, (75, 80), (42, 55), 0, 0, 360, (200, 160, 140), -1)
    for x, y in POINTS:
        cv2.circle(picture, (int(x), int(y)), 6, (60, 40, 40), -1)
    noise = random.normal(0, 9, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def write_faces(root: Path, count: int = 30, fakes: str | None = None) -> Path:
    """Write pictures and index.csv; a third is val. fakes: label of every third picture, whose face is blurred."""
    with (root / "index.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS)
        writer.writeheader()
        for number in range(count):
            fake = fakes is not None and number % 3 == 1
            pixels = drawn(number)
            if fake:
                pixels[30:130, 35:115] = cv2.GaussianBlur(pixels[30:130, 35:115], (0, 0), 3)
            name = f"{number:02d}.png"
            Image.fromarray(pixels).save(root / name)
            line = dict(zip(_COLUMNS, [name, fakes if fake else "real", "drawn", f"g{number}", 70], strict=False))
            line["split"] = "val" if number >= count * 2 // 3 else "train"
            line |= {f"{axis}{i}": POINTS[i]["xy".index(axis)] for i in range(5) for axis in "xy"}
            line |= {"valid_x0": 0, "valid_y0": 0, "valid_x1": SIDE, "valid_y1": SIDE}
            writer.writerow(line)
    return root
