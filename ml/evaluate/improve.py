"""What enhancement does to made faces: how they look, and what the detectors say, before and after.

``python -m ml evaluate improve --target PICTURE --out docs/evaluation`` writes improved-fakes.json, .md and .webp.

Made are swaps of the built-in people, who are nobody, into the targets and into each other's renderings, and frames of
their renderings moved by the built-in motions. Each is improved by the slim ESRGAN and by the face restorer, and, so
that mere resizing is told apart, by bicubic interpolation. Nothing here or anywhere is fitted to what the detectors
say: they are asked at the end.
"""

from __future__ import annotations

import json
import logging
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from ml.detect.check import Checker
    from ml.faces import Face, FaceFinder
    from ml.provenance.sealing import Clip

    Bytes = NDArray[np.uint8]

logger = logging.getLogger(__name__)

NAME = "improved-fakes"
WAYS = ("none", "bicubic", "compact", "esrgan", "dictionary")
_SCALE = 4
_FACE_SIDE = 256  # pixels of the square in which a face's look is measured, whatever the picture's size
_SHEET_SIDE = 160
_SHEET_ROWS = 6
_MOTIONS = 2
_MOMENT = 0.35  # of a motion: where the head is turned, and the mouth open


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """One picture. kind: "swap", "animation" or "untouched"."""

    kind: str
    name: str
    pixels: Bytes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--target", type=Path, action="append", default=[], help="a picture to swap faces into")
    parser.add_argument("--out", type=Path, required=True, help=f"folder for {NAME}.json, .md and .webp")
    parser.add_argument("--people", type=int, default=4, help="how many of the built-in people (4)")


def run(options: argparse.Namespace) -> int:
    """Make, improve, measure and write. Returns the process's exit code."""
    from ml import runtime

    runtime.configure()
    from ml.detect.check import checker
    from ml.faces import FaceFinder
    from ml.weights import weights_version

    started = time.perf_counter()
    with FaceFinder() as finder:
        pictures = list(made(options.target, options.people, finder))
        rows, cells = measured(pictures, checker(), finder)
    result: dict[str, Any] = {
        "command": f"python -m ml evaluate improve --people {options.people}"
        + "".join(f" --target {path.name}" for path in options.target),
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "device": runtime.device_name(),
        "weights_version": weights_version(),
        "thresholds_version": checker().calibration.version,
        "rows": rows,
    }
    result["seconds"] = round(time.perf_counter() - started)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / f"{NAME}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (options.out / f"{NAME}.md").write_text(markdown(result), encoding="utf-8")
    save_sheet(cells, options.out / f"{NAME}.webp")
    return 0


def made(targets: Sequence[Path], people: int, finder: FaceFinder) -> Iterator[Made]:
    """The swaps, the animations, and the targets as they are."""
    from ml.media import decode, encode_png
    from ml.swap import people as builtin
    from ml.swap.swapper import ConversionSettings, Swapper

    given = {path.stem: decode(path).pixels for path in targets}
    persons = builtin.catalog()[:people]
    shown = {person.slug: builtin.painting(person) for person in persons}
    for name, pixels in given.items():
        yield Made("untouched", name, pixels)
    for number, person in enumerate(persons):
        swapper = Swapper(builtin.load(person.slug).network())
        other = persons[(number + 1) % len(persons)].slug
        into = given | ({other: shown[other]} if other != person.slug else {})
        for name, pixels in into.items():
            face = next(iter(finder.find(pixels, 1)), None)
            if face is not None:
                painted = swapper.swap(pixels, face.landmarks, ConversionSettings(), finder)
                yield Made("swap", f"{person.slug} in {name}", painted)
    with tempfile.TemporaryDirectory() as folder:
        for person in persons:
            portrait = Path(folder) / f"{person.slug}.png"
            portrait.write_bytes(encode_png(shown[person.slug]))
            yield from _animated(person.slug, portrait)


def _animated(slug: str, portrait: Path) -> Iterator[Made]:
    """A frame of each of the first built-in motions, from the middle of the movement."""
    from ml.animate.animate import AnimateRequest
    from ml.animate.animate import run as animate
    from ml.animate.drivers import catalogue
    from ml.errors import MediaError

    def moment(clip: Clip) -> Bytes:
        frames = list(clip.frames)
        return frames[round(_MOMENT * (len(frames) - 1))]

    for driver in catalogue()[:_MOTIONS]:
        try:
            result = animate(AnimateRequest(portrait, built_in=driver.slug), lambda *_: None, moment)
        except MediaError as error:
            logger.warning("%s is not animated: %s", slug, error.message)
            return
        yield Made("animation", f"{slug}, {driver.name}", result.sealed)


def measured(
    pictures: Sequence[Made], checker: Checker, finder: FaceFinder
) -> tuple[list[dict[str, Any]], list[list[Bytes]]]:
    """A row per picture and way, and the faces of the first made pictures for the sheet."""
    rows, cells = [], []
    for picture in pictures:
        line = []
        for way, pixels in improved(picture.pixels, finder).items():
            face = next(iter(finder.find(pixels, 1)), None)
            square = None if face is None else _square(pixels, face, _FACE_SIDE)
            rows.append({"kind": picture.kind, "picture": picture.name, "way": way,
                         **judged(pixels, checker), **looks(square)})  # fmt: skip
            line.append(np.zeros((_SHEET_SIDE,) * 2 + (3,), np.uint8) if face is None
                        else _square(pixels, face, _SHEET_SIDE))  # fmt: skip
        if picture.kind != "untouched":
            cells.append(line)
        logger.info("%s: %s", picture.kind, picture.name)
    step = max(1, len(cells) // _SHEET_ROWS)
    return rows, cells[::step][:_SHEET_ROWS]


def improved(pixels: Bytes, finder: FaceFinder) -> dict[str, Bytes]:
    """The picture by every one of ``WAYS``; ways whose network is not shipped are left out."""
    from ml.restore import methods
    from ml.restore.canvas import Canvas
    from ml.restore.enhance import enhanced
    from ml.restore.task import Task

    canvas = Canvas(pixels)
    found = {"none": pixels}
    for way in WAYS[1:]:
        task = Task.FACE if way == "dictionary" else Task.UPSCALE
        if way in methods.names(task):
            ready = methods.ready(way, task, 1 if task is Task.FACE else _SCALE, None, canvas)
            found[way] = enhanced(canvas, ready, found=finder.find(pixels)).bytes8()
    return found


def judged(pixels: Bytes, checker: Checker) -> dict[str, Any]:
    """What the shipped detectors say of the largest face."""
    from ml.detect.result import CheckRequest

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.png"
        Image.fromarray(pixels).save(path, compress_level=1)
        result = checker.run(CheckRequest(path, renders=False), lambda *_: None)
    if not result.faces:
        return {"probability": None, "level": "no face"}
    largest = max(result.faces, key=lambda face: face.box[2] - face.box[0])
    return {"probability": largest.probability, "level": largest.level.value}


def looks(square: Bytes | None) -> dict[str, float | None]:
    """Sharpness and noise of a face in its square."""
    from ml.restore.measures import noise_sigma, sharpness

    if square is None:
        return {"sharpness": None, "noise": None}
    return {"sharpness": sharpness(square), "noise": noise_sigma(square)}


def _square(pixels: Bytes, face: Face, side: int) -> Bytes:
    from ml.restore.face_frame import frame

    return frame(face.landmarks, side).cut(pixels)


def save_sheet(cells: Sequence[Sequence[Bytes]], path: Path) -> None:
    """The faces side by side, one picture a row and one way a column, under the mark of what is generated."""
    from ml.provenance import visible_mark
    from ml.provenance.plan import SOURCE_TYPES
    from ml.provenance.source_statement import packet
    from ml.restore.writing import INVENTED

    if not cells:
        return
    sheet = np.concatenate([np.concatenate(list(row), axis=1) for row in cells], axis=0)
    room = visible_mark.band(sheet.shape[1], sheet.shape[0], "Unmask").shape[0]
    sheet = np.pad(sheet, ((0, room), (0, 0), (0, 0)))
    marked = visible_mark.burn(sheet, "Unmask")
    Image.fromarray(marked).save(path, "WEBP", quality=86, xmp=packet(SOURCE_TYPES + INVENTED))


def markdown(result: Mapping[str, Any]) -> str:
    """The experiment as a page."""
    ways = [way for way in WAYS if any(row["way"] == way for row in result["rows"])]
    head = [
        "pictures",
        "improved by",
        "P(manipulated), mean",
        "manipulated",
        "inconclusive",
        "no trace",
        "sharpness",
        "noise",
    ]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for kind in ("swap", "animation", "untouched"):
        for way in ways:
            some = [row for row in result["rows"] if (row["kind"], row["way"]) == (kind, way)]
            if some:
                lines.append(_line(f"{len(some)} {kind}", way, some))
    each = ["| kind | picture | " + " | ".join(ways) + " |", f"|---|---|{'---|' * len(ways)}"]
    for kind, name in dict.fromkeys((row["kind"], row["picture"]) for row in result["rows"]):
        found = {
            row["way"]: row["probability"] for row in result["rows"] if row["picture"] == name and row["kind"] == kind
        }
        each.append(f"| {kind} | {name} | " + " | ".join(_number(found.get(way), 2) for way in ways) + " |")
    return "\n\n".join([
        "# Made faces, improved",
        f"Made {result['made']} by `{result['command']}` in {result['seconds']} s on {result['device']}. Weights "
        f"{result['weights_version']}, thresholds {result['thresholds_version']}.",
        "The paper that this project goes back to improves its fakes with ESRGAN, which helps little, and with DFDNet, "
        "which helps much. Here swaps and animations of the built-in people are improved by the slim ESRGAN (x4), by "
        "the compact upscaler (x4), by the face restorer at the picture's own size and, to tell mere resizing apart, "
        "by bicubic interpolation (x4); then the detectors of the check page are asked. Neither the networks nor this "
        "experiment were fitted to what they say. Sharpness (mean size of the Laplacian) and noise (sigma), in grey "
        f"levels, are of the face in a square of {_FACE_SIDE} px, whatever the picture's size.",
        "\n".join(lines),
        "P(manipulated) of each:",
        "\n".join(each),
        f"![One made face a row; from left to right: {', '.join(ways)}]({NAME}.webp)",
        f"One made face a row; from left to right: {', '.join(ways)}. Nobody has these faces.",
    ]) + "\n"  # fmt: skip


def _line(kind: str, way: str, rows: Sequence[Mapping[str, Any]]) -> str:
    levels = [row["level"] for row in rows]
    told = [levels.count("likely_manipulated"), levels.count("inconclusive")]
    cells = [kind, way, _mean(rows, "probability", 2), *map(str, told), str(len(rows) - sum(told)),
             _mean(rows, "sharpness", 1), _mean(rows, "noise", 1)]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _mean(rows: Sequence[Mapping[str, Any]], key: str, places: int) -> str:
    known = [float(row[key]) for row in rows if row[key] is not None]
    return _number(float(np.mean(known)) if known else None, places)


def _number(value: float | None, places: int) -> str:
    return "-" if value is None else f"{value:.{places}f}"
