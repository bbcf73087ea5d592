"""A whole check of a 640 px photo beside the sum of its parts, and the command from start to end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.measuring import Table, interleave, milliseconds

if TYPE_CHECKING:
    from ml.detect.check import Checker
    from ml.detect.crops import Crops

ROOT = Path(__file__).resolve().parents[1]
SIDE = 640
WANTED = 2.5


def measure() -> list[Table]:
    """Run the benchmark."""
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "photo.jpg"
        _write_photo(photo)
        return [_in_process(photo), _command(photo)]


def _write_photo(path: Path) -> None:
    from PIL import Image
    from skimage import data

    Image.fromarray(data.astronaut()).resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(path, quality=92)


def _in_process(photo: Path) -> Table:
    from ml.detect.check import CheckRequest, checker
    from ml.provenance import invisible_mark

    made = checker()
    made.warm()
    looks, pixels = _looks(made, photo)
    plain, explained = CheckRequest(photo), CheckRequest(photo, explain=True)
    found = interleave(
        {
            "face finder": lambda: made.finder.find(pixels),
            "detectors, three looks at a face": lambda: made.predictor.look(looks),
            "detectors, one look at a face": lambda: made.predictor.look(looks[:1]),
            "search for this site's invisible mark": lambda: invisible_mark.facts(pixels),
            "whole check": lambda: made.run(plain, lambda *_: None),
            "whole check with explanation": lambda: made.run(explained, lambda *_: None),
        },
        rounds=40,
        warm_up=5,
    )
    table = Table(
        f"A whole check of a {SIDE} px photo, warm",
        ("part", "median (quartiles)", "times its parts"),
        about=(
            "Its parts are the face finder, all detectors on the three looks that a check takes at a face (as it is, "
            "mirrored, re-encoded), and the search for the mark. The whole check is all from the file to the verdict, "
            "with the pictures that the page shows; Grad-CAM and the boundary map are counted apart. Parts and whole "
            "are timed by turns."
        ),
    )
    finder, three, one, mark = list(found)[:4]

    def ratio(whole: str, detectors: str) -> float:
        names = (whole, finder, detectors, mark)
        parts = zip(*(found[name].rounds for name in names), strict=True)
        return float(np.median([total / (a + b + c) for total, a, b, c in parts]))

    for name, timing in found.items():
        times = f"{ratio(name, three):.2f}" if name.startswith("whole") else ""
        table.rows.append((name, milliseconds(timing), times))
    strict = ratio("whole check", one)
    table.rows.append(("whole check, with one look in place of three", "", f"{strict:.2f}"))
    reached = ratio("whole check", three)
    table.held.append((f"the check takes {reached:.2f} times its parts, wanted at most {WANTED}", reached <= WANTED))
    return table


def _looks(made: Checker, photo: Path) -> tuple[Crops, np.ndarray]:
    from ml.detect.crops import join
    from ml.media import decode

    pixels = decode(photo).pixels
    crops = made.cut_faces(pixels, made.finder.find(pixels))
    return join([crops] * 3), pixels


def _command(photo: Path) -> Table:
    """Start to end in a process of its own; ten photos tell what one more costs."""
    command = [sys.executable, "-m", "ml", "check", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def run(count: int) -> None:
        done = subprocess.run(
            [*command, *[str(photo)] * count], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        if [len(json.loads(line)["faces"]) for line in done.stdout.splitlines()] != [1] * count:
            raise RuntimeError(f"the command did not find the face it was given:\n{done.stdout}")

    broken = photo.with_name("empty.jpg")
    broken.touch()
    found = interleave(
        {
            "one photo": lambda: run(1),
            "ten photos": lambda: run(10),
            "a file that is no picture": lambda: subprocess.run(
                [*command, str(broken)], cwd=ROOT, env=environment, capture_output=True, check=True
            ),
        },
        rounds=3,
        warm_up=1,
    )
    table = Table(
        "The command `python -m ml check PHOTO... --json`, from start to exit",
        ("what", "median (quartiles)"),
        rows=[(name, milliseconds(timing)) for name, timing in found.items()],
        about="Each in a fresh process: Python, TensorFlow and MediaPipe are loaded every time.",
    )
    further = np.median(np.subtract(found["ten photos"].rounds, found["one photo"].rounds)) / 9
    table.rows.append(("each further photo", f"{1e3 * further:.1f} ms"))
    return table
