"""``python -m ml.animate.sheet --out SHEET.webp``: frames of the built-in people under every built-in motion.

For the documents: a sheet that shows what the shipped network does. The portraits are the pictures that the people's
own decoders painted (``static/people``), so that nobody is shown; ``--portrait`` takes others, of nobody, or of
somebody who has agreed. The sheet carries the visible mark like all that is made here.
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
from ml.animate.model import model_of
from ml.animate.settings import Framing, MotionSettings
from ml.faces import FaceFinder
from ml.media import decode
from ml.provenance import visible_mark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ml.animate.drivers import BuiltIn
    from ml.animate.model import MotionModel

CELL = 96
COLUMNS = 4

_ROOM = 0.3
"""Share of a portrait's side by which its edge is repeated around it: the network knows faces with their surroundings,
and the built-in people's pictures end at the face."""
_SHOWN = 0.7  # the middle of the moved square is shown


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m ml.animate.sheet", description=__doc__)
    parser.add_argument(
        "--portrait",
        type=Path,
        action="append",
        metavar="FILE",
        help="several times for several (the built-in people)",
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", type=Path, help="an imported checkpoint (default: the shipped model)")
    options = parser.parse_args(arguments)
    try:
        given = [decode(path).pixels for path in options.portrait or ()]
        made = sheet(given or built_in_people(), options.model)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    Image.fromarray(made).save(options.out, quality=82)
    sys.stdout.write(f"{options.out.name}: {options.out.stat().st_size} bytes\n")
    return 0


def built_in_people() -> list[NDArray[np.uint8]]:
    """The people who come with the program, as painted. Raises IdentityError without their catalogue."""
    from ml.swap.people import catalog, painting

    return [painting(person) for person in catalog()]


def sheet(portraits: Sequence[NDArray[np.uint8]], model: Path | None = None) -> NDArray[np.uint8]:
    """A row for each portrait, in it four turning points of each motion: uint8 (rows * 96 + band, motions * 4 * 96, 3),
    marked. portraits: uint8 (H, W, 3). Raises ValueError for one without a face.
    """
    network = model_of(model)
    rows = [
        np.concatenate([_part(driver, roomy, network, number) for driver in catalogue()], axis=1)
        for number, roomy in enumerate(map(_with_room, portraits), 1)
    ]
    whole = np.concatenate(rows)
    return visible_mark.burn_below(whole, "Unmask")


def _part(driver: BuiltIn, pixels: NDArray[np.uint8], model: MotionModel, number: int) -> NDArray[np.uint8]:
    """Those of the motion's frames that are shown, and no others: made as ``ml.animate.animate.run`` makes them."""
    from ml.animate.drivers import led
    from ml.animate.lids import level_of
    from ml.animate.looks import Looks
    from ml.animate.motion import moved
    from ml.animate.square import square_of
    from ml.networks.fomm.keypoints import Keypoints

    with FaceFinder() as finder:
        face = next(iter(finder.find(pixels, 1)), None)
    if face is None:
        raise ValueError(f"no face was found in portrait {number}")
    square = square_of([face.box], pixels.shape[1], pixels.shape[0])
    known = model.portrait(square.cut(pixels, model.size))
    settings = MotionSettings(framing=Framing.SQUARE, smoothing=0.0)
    keypoints = led(driver, face.landmarks, square, known.keypoints, by_places=model is model_of())
    aim = moved(known.keypoints, keypoints, 0, settings)
    looks, poses = Looks(pixels, face, square, settings, model, known), driver.poses()
    cells = []
    for at in turning_points(driver):
        seen, stage = looks.of(level_of(poses[at].lids))
        (frame,) = stage.shown(model.make(seen, Keypoints(aim.value[at : at + 1], aim.jacobian[at : at + 1])))
        edge = round((1 - _SHOWN) / 2 * len(frame))
        shown = frame[edge : len(frame) - edge, edge : len(frame) - edge]
        cells.append(cv2.resize(shown, (CELL, CELL), interpolation=cv2.INTER_AREA))
    return np.concatenate(cells, axis=1)


def _with_room(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    room = round(_ROOM * max(pixels.shape[:2]))
    return np.asarray(cv2.copyMakeBorder(pixels, room, room, room, room, cv2.BORDER_REPLICATE), np.uint8)


def turning_points(driver: BuiltIn) -> list[int]:
    """The first frame, and three of those in which the motion comes to a turn, spread over its time."""
    turns = {round(seconds * driver.fps) for keys in driver.path.values() for seconds, value in keys if value}
    every = sorted(at for at in turns if 0 < at < driver.frames)
    spread = np.linspace(0, len(every) - 1, COLUMNS - 1).round().astype(int)
    return [0, *(every[at] for at in spread)]


if __name__ == "__main__":
    sys.exit(main())
