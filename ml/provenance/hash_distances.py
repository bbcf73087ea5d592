"""How far the perceptual hashes of copies, and of different pictures, lie apart.

`python -m ml.provenance.hash_distances FOLDER` prints tables for the pictures in a folder; docs/provenance.md has what
they said. `SAME_PICTURE`, the line between a copy and another picture, follows from them.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from ml.errors import MediaError
from ml.media import decode
from ml.provenance.perceptual_hash import SAME_PICTURE, mirrored, perceptual_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Change = Callable[[Image.Image], Image.Image]


def _jpeg(quality: int) -> Change:
    def change(image: Image.Image) -> Image.Image:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        return Image.open(buffer).convert("RGB")

    return change


def _scale(factor: float) -> Change:
    def change(image: Image.Image) -> Image.Image:
        size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
        return image.resize(size, Image.Resampling.LANCZOS)

    return change


def _crop(kept: float) -> Change:
    def change(image: Image.Image) -> Image.Image:
        across, down = image.width * (1 - kept) / 2, image.height * (1 - kept) / 2
        return image.crop((round(across), round(down), round(image.width - across), round(image.height - down)))

    return change


def _band(image: Image.Image) -> Image.Image:
    marked = image.copy()
    marked.paste((20, 20, 20), (0, round(image.height * 0.92), image.width, image.height))
    return marked


def _mirror(image: Image.Image) -> Image.Image:
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def _then(first: Change, second: Change) -> Change:
    return lambda image: second(first(image))


CHANGES: dict[str, Change] = {
    "JPEG 90": _jpeg(90),
    "JPEG 75": _jpeg(75),
    "JPEG 50": _jpeg(50),
    "JPEG 20": _jpeg(20),
    "three quarters of the size": _scale(0.75),
    "half the size": _scale(0.5),
    "a quarter of the size": _scale(0.25),
    "half the size, JPEG 50": _then(_scale(0.5), _jpeg(50)),
    "blur, sigma 1.5": lambda image: image.filter(ImageFilter.GaussianBlur(1.5)),
    "a dark band over the lowest 8 %": _band,
    "cropped to 95 %": _crop(0.95),
    "cropped to 90 %": _crop(0.9),
    "mirrored": _mirror,
}
# With the hash turned around, as a copy is looked up beside its own hash.
TURNED: dict[str, Change] = {
    "mirrored, looked up so": _mirror,
    "mirrored, three quarters of the size, JPEG 75": _then(_mirror, _then(_scale(0.75), _jpeg(75))),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m ml.provenance.hash_distances", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int, default=300, help="at most so many pictures, in the order of their names")
    options = parser.parse_args(arguments)
    images = _pictures(options.folder, options.limit)
    if len(images) < 2:
        print("There are not two pictures in this folder that can be hashed.", file=sys.stderr)  # noqa: T201
        return 1
    sys.stdout.write(table(images))
    return 0


def _pictures(folder: Path, limit: int) -> list[Image.Image]:
    found: list[Image.Image] = []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in {".jpg", ".jpeg", ".png", ".webp"} or len(found) == limit:
            continue
        try:
            image = decode(path).pixels
        except MediaError:
            continue
        if perceptual_hash(image):
            found.append(Image.fromarray(image))
    return found


def table(images: Sequence[Image.Image]) -> str:
    """The distances as two Markdown tables and the time of one hash."""
    start = time.perf_counter()
    bits = _bits(images)
    each = (time.perf_counter() - start) / len(images) * 1000
    lines = [
        f"{len(images)} pictures, {each:.2f} ms a hash.",
        "",
        "| Copy | median | 99 of 100 | most |",
        "|---|---|---|---|",
    ]
    for name, change in CHANGES.items():
        far = (bits != _bits([change(image) for image in images])).sum(axis=1)
        lines.append(f"| {name} | {np.median(far):.0f} | {np.percentile(far, 99):.0f} | {far.max()} |")
    for name, change in TURNED.items():
        far = (_bits(images, mirrored) != _bits([change(image) for image in images])).sum(axis=1)
        lines.append(f"| {name} | {np.median(far):.0f} | {np.percentile(far, 99):.0f} | {far.max()} |")
    rows, columns = np.triu_indices(len(images), 1)
    apart = (bits[rows] != bits[columns]).sum(axis=1)
    near = ", ".join(f"{(apart <= limit).sum()} within {limit}" for limit in (4, 6, 8, SAME_PICTURE, 12))
    lines += [
        "",
        f"{len(apart)} pairs of different pictures: median {np.median(apart):.0f}, least {apart.min()}; {near} bits.",
    ]
    return "\n".join(lines) + "\n"


def _bits(images: Sequence[Image.Image], of: Callable[[str], str] = str) -> NDArray[np.bool_]:
    # A change may leave a picture of one colour; nothing then agrees with anything.
    codes = [of(perceptual_hash(np.asarray(image)) or "0" * 16) for image in images]
    numbers = np.array([int(code, 16) for code in codes], dtype=">u8")
    return np.unpackbits(numbers.view(np.uint8).reshape(-1, 8), axis=1).astype(bool)


if __name__ == "__main__":
    sys.exit(main())
