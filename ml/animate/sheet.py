"""``python -m ml.animate.sheet --portrait FILE --out SHEET.webp``: frames of one portrait under every built-in motion.

For the documents: a sheet that shows what the shipped network does. It carries the visible mark like all that is made
here; use a portrait of nobody, or of somebody who has agreed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from ml.animate.drivers import catalogue
from ml.animate.settings import Framing, MotionSettings
from ml.provenance import visible_mark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ml.animate.drivers import BuiltIn
    from ml.provenance.sealing import Clip

CELL = 176
COLUMNS = 8


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m ml.animate.sheet", description=__doc__)
    parser.add_argument("--portrait", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", type=Path, help="an imported checkpoint (default: the shipped model)")
    options = parser.parse_args(arguments)
    Image.fromarray(sheet(options.portrait, options.model)).save(options.out, quality=82)
    sys.stdout.write(f"{options.out.name}: {options.out.stat().st_size} bytes\n")
    return 0


def sheet(portrait: Path, model: Path | None = None) -> NDArray[np.uint8]:
    """A row for each motion, eight of its turning points: uint8 (rows * 176 + band, 8 * 176, 3), marked."""
    from ml.animate.animate import AnimateRequest, run

    settings = MotionSettings(framing=Framing.SQUARE)

    def row(driver: BuiltIn) -> NDArray[np.uint8]:
        def cells(clip: Clip) -> NDArray[np.uint8]:
            frames = list(clip.frames)
            chosen = [
                cv2.resize(frames[at], (CELL, CELL), interpolation=cv2.INTER_AREA) for at in turning_points(driver)
            ]
            return np.concatenate(chosen, axis=1)

        request = AnimateRequest(portrait, built_in=driver.slug, settings=settings, model=model)
        return run(request, lambda *_: None, cells).sealed

    whole = np.concatenate([row(each) for each in catalogue()])
    band = visible_mark.band(whole.shape[1], whole.shape[0], "Unmask")
    return visible_mark.burn(np.pad(whole, ((0, len(band)), (0, 0), (0, 0))), "Unmask")


def turning_points(driver: BuiltIn) -> list[int]:
    """The first frame, and seven of those in which the motion comes to a turn, spread over its time."""
    turns = {round(seconds * driver.fps) for keys in driver.path.values() for seconds, value in keys if value}
    every = sorted(at for at in turns if 0 < at < driver.frames)
    spread = np.linspace(0, len(every) - 1, COLUMNS - 1).round().astype(int)
    return [0, *(every[at] for at in spread)]


if __name__ == "__main__":
    sys.exit(main())
