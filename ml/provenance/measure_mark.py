"""How much the invisible mark survives and costs: `python -m ml.provenance.measure_mark [--photos DIR] [--faces DIR]`.

Prints a table in Markdown; with `--write PAGE` it replaces the table between the two comments of that page. Pictures
are scikit-image's own and, for measuring only, those of the folders given; none of them is written anywhere.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from PIL import Image
from skimage import data
from skimage.metrics import structural_similarity

from ml.provenance import invisible_mark, visible_mark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

BEGIN: Final = "<!-- measured: mark -->"
END: Final = "<!-- /measured: mark -->"
PLAIN: Final = ("astronaut", "coffee", "chelsea", "rocket", "hubble_deep_field", "immunohistochemistry", "retina")


def jpeg(pixels: Pixels, quality: int) -> Pixels:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=quality)
    return np.asarray(Image.open(io.BytesIO(out.getvalue())).convert("RGB"), np.uint8)


def scaled(pixels: Pixels, factor: float) -> Pixels:
    size = (max(1, round(pixels.shape[1] * factor)), max(1, round(pixels.shape[0] * factor)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def cropped(pixels: Pixels, share: float, rng: np.random.Generator) -> Pixels:
    """A part with that share of each side, anywhere in the picture."""
    height, width = (int(side * share) for side in pixels.shape[:2])
    y, x = rng.integers(0, pixels.shape[0] - height + 1), rng.integers(0, pixels.shape[1] - width + 1)
    return np.ascontiguousarray(pixels[y : y + height, x : x + width])


def attacks(rng: np.random.Generator) -> dict[str, Callable[[Pixels], Pixels]]:
    return {
        "as it was made": lambda p: p,
        "JPEG 90": lambda p: jpeg(p, 90),
        "JPEG 75": lambda p: jpeg(p, 75),
        "JPEG 50": lambda p: jpeg(p, 50),
        "75 % of the size": lambda p: scaled(p, 0.75),
        "50 % of the size": lambda p: scaled(p, 0.5),
        "50 % of the size, JPEG 75": lambda p: jpeg(scaled(p, 0.5), 75),
        "cropped to 90 % of each side": lambda p: cropped(p, 0.9, rng),
        "cropped to 90 %, JPEG 75": lambda p: jpeg(cropped(p, 0.9, rng), 75),
        "a little brighter (+4 levels)": lambda p: np.clip(p.astype(np.int16) + 4, 0, 255).astype(np.uint8),
        "mirrored": lambda p: np.ascontiguousarray(p[:, ::-1]),
        "turned by 2 degrees": lambda p: _turned(p, 2.0),
    }


def _turned(pixels: Pixels, degrees: float) -> Pixels:
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return np.asarray(cv2.warpAffine(pixels, turn, (width, height), borderMode=cv2.BORDER_REFLECT_101), np.uint8)


@dataclass(slots=True)
class Measured:
    """Of one set: pictures, marks read back by attack, and what the mark cost."""

    count: int = 0
    survived: dict[str, int] = field(default_factory=dict)
    psnr: list[float] = field(default_factory=list)
    ssim: list[float] = field(default_factory=list)
    write_ms: list[float] = field(default_factory=list)
    read_ms: list[float] = field(default_factory=list)


def measure(pictures: Sequence[Pixels], seed: int = 0) -> Measured:
    """Mark each picture (band included) with an id of its own and try to read it after each attack."""
    found = Measured(count=len(pictures))
    rng = np.random.default_rng(seed)
    for pixels in pictures:
        mark = rng.bytes(6).hex()
        banded = visible_mark.burn(pixels, "Unmask")
        start = time.process_time()
        marked = invisible_mark.write(banded, mark)
        found.write_ms.append(1000 * (time.process_time() - start))
        error = float(np.mean((marked.astype(np.float64) - banded) ** 2))
        found.psnr.append(10 * np.log10(255.0**2 / max(error, 1e-9)))
        found.ssim.append(float(structural_similarity(banded, marked, channel_axis=2)))
        for name, attack in attacks(rng).items():
            start = time.process_time()
            read = invisible_mark.read(attack(marked))
            if name == "JPEG 90":
                found.read_ms.append(1000 * (time.process_time() - start))
            found.survived[name] = found.survived.get(name, 0) + (read == mark)
    return found


def false_marks(pictures: Iterator[Pixels]) -> tuple[int, int, float]:
    """(pictures without a mark, those in which one was found all the same, milliseconds a picture)."""
    count = wrong = 0
    start = time.process_time()
    for pixels in pictures:
        count += 1
        wrong += invisible_mark.read(pixels) is not None
    return count, wrong, 1000 * (time.process_time() - start) / max(1, count)


def library_pictures() -> list[Pixels]:
    return [np.ascontiguousarray(getattr(data, name)()[..., :3]) for name in _present()]


def _present() -> Iterator[str]:
    for name in PLAIN:
        try:
            getattr(data, name)()
        except Exception as error:  # noqa: BLE001  (those that the wheel leaves out would have to be fetched: left out here)
            sys.stderr.write(f"{name} left out: {type(error).__name__}\n")
        else:
            yield name


def _photos(folder: Path, limit: int, seed: int = 1) -> Iterator[Pixels]:
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
    for index in np.random.default_rng(seed).permutation(len(paths))[:limit]:
        with Image.open(paths[int(index)]) as image:
            yield np.asarray(image.convert("RGB"), np.uint8)


def table(sets: dict[str, Measured], unmarked: dict[str, tuple[int, int, float]]) -> str:
    names = list(sets)
    lines = ["| marked, then | " + " | ".join(f"{name} ({sets[name].count})" for name in names) + " |"]
    lines.append("| --- |" + " --- |" * len(names))
    for attack in next(iter(sets.values())).survived:
        shares = (f"{100 * sets[name].survived[attack] / sets[name].count:.0f} %" for name in names)
        lines.append(f"| {attack} | " + " | ".join(shares) + " |")
    for title, of in (("PSNR, mean (dB)", "psnr"), ("SSIM, mean", "ssim")):
        values = (f"{np.mean(getattr(sets[name], of)):.{1 if of == 'psnr' else 4}f}" for name in names)
        lines.append(f"| {title} | " + " | ".join(values) + " |")
    for title, of in (
        ("writing, median (ms of one core)", "write_ms"),
        ("reading, median (ms of one core)", "read_ms"),
    ):
        lines.append(f"| {title} | " + " | ".join(f"{np.median(getattr(sets[n], of)):.0f}" for n in names) + " |")
    lines += [
        "",
        "| without a mark | pictures | a mark was found | ms of one core a picture |",
        "| --- | --- | --- | --- |",
    ]
    lines += [f"| {name} | {count} | {wrong} | {ms:.0f} |" for name, (count, wrong, ms) in unmarked.items()]
    return "\n".join(lines)


def write_into(page: Path, text: str, begin: str = BEGIN, end: str = END) -> None:
    """Replace what stands between two comments of a page. Raises ValueError where they are not there."""
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{page} has no place for the table")
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ml.provenance.measure_mark")
    parser.add_argument("--photos", type=Path, help="a folder of photos, for measuring only")
    parser.add_argument("--faces", type=Path, help="a folder of face crops, for false marks only")
    parser.add_argument("--count", type=int, default=40, help="photos to mark (40)")
    parser.add_argument("--unmarked", type=int, default=200, help="photos and crops to look for false marks in (200)")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into this page")
    options = parser.parse_args(arguments)
    sets = {"scikit-image": measure(library_pictures())}
    unmarked = {"scikit-image": false_marks(iter(library_pictures()))}
    if options.photos:
        sets["photos"] = measure(list(_photos(options.photos, options.count)))
        unmarked["photos"] = false_marks(_photos(options.photos, options.unmarked, seed=2))
    if options.faces:
        unmarked["face crops"] = false_marks(_photos(options.faces, options.unmarked, seed=3))
    text = table(sets, unmarked)
    if options.write:
        write_into(options.write, text)
    sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
