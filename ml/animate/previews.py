"""``python -m ml.animate.previews --out static/drivers``: a drawn face for each built-in motion, as an animated WebP.

The face is the mean mesh of many faces, drawn as areas and lines: it is nobody's.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from ml.animate.drivers import catalogue, posed
from ml.animate.places import LEFT_EYE, RIGHT_EYE
from ml.swap.alignment import OVAL, mean_mesh

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ml.swap.reposing import Pose

SIDE = 160
_FINE = 3  # drawn so many times larger, then made smaller
_EVERY = 2  # frames of the motion a frame of the drawing
_HEIGHT = 0.74  # of the face, of the picture's side

_SKIN, _SHADE = (201, 174, 152), (168, 139, 117)
_LIPS, _MOUTH = (172, 96, 92), (62, 28, 30)
_WHITE, _IRIS, _LINE = (245, 243, 240), (70, 84, 98), (84, 62, 50)
_OUTER_LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
_INNER_LIPS = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
_BROWS = ((70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (300, 293, 334, 296, 336, 285, 295, 282, 283, 276))
_NOSE = ((168, 6, 197, 195, 5, 4), (98, 97, 2, 326, 327))
_IRISES = (468, 473)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m ml.animate.previews", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    for driver in catalogue():
        frames = [Image.fromarray(drawn(pose), "RGBA") for pose in driver.poses()[::_EVERY]]
        path = options.out / Path(driver.preview).name
        frames[0].save(
            path,
            save_all=True,
            append_images=frames[1:],
            duration=round(1000 * _EVERY / driver.fps),
            loop=0,
            quality=70,
        )
        sys.stdout.write(f"{path.name}: {len(frames)} frames, {path.stat().st_size} bytes\n")
    return 0


def drawn(pose: Pose, side: int = SIDE) -> NDArray[np.uint8]:
    """The drawn face in this pose: uint8 (side, side, 4), transparent around it."""
    large = side * _FINE
    rest = np.asarray(mean_mesh()[:, :2] * (_HEIGHT * large) + [large / 2, large * 0.52], np.float32)
    points = posed(rest, pose)
    picture = np.zeros((large, large, 4), np.uint8)
    _fill(picture, points, OVAL, _SKIN)
    width = max(2, round(large * 0.008))
    for eye, iris in zip((RIGHT_EYE, LEFT_EYE), _IRISES, strict=True):
        _eye(picture, points, eye, iris, width)
    for brow in _BROWS:
        _fill(picture, points, brow, _LINE)
    for line in _NOSE:
        cv2.polylines(picture, [_at(points, line)], False, (*_SHADE, 255), width, cv2.LINE_AA)
    _fill(picture, points, _OUTER_LIPS, _LIPS)
    _fill(picture, points, _INNER_LIPS, _MOUTH)
    small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def _eye(picture: NDArray[np.uint8], points: NDArray[np.float32], eye: Sequence[int], iris: int, width: int) -> None:
    """White and iris inside of the lids, and the lids' line."""
    inside = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(inside, [_at(points, eye)], (255,))
    picture[inside > 0] = (*_WHITE, 255)
    ball = np.zeros_like(inside)
    centre = points[iris]
    radius = max(2, round(float(np.hypot(*(points[iris + 1] - points[iris + 3])) / 2)))
    cv2.circle(ball, (round(float(centre[0])), round(float(centre[1]))), radius, (255,), -1)
    picture[(inside > 0) & (ball > 0)] = (*_IRIS, 255)
    cv2.polylines(picture, [_at(points, eye)], True, (*_LINE, 255), width, cv2.LINE_AA)


def _fill(
    picture: NDArray[np.uint8], points: NDArray[np.float32], outline: Sequence[int], colour: tuple[int, int, int]
) -> None:
    cv2.fillPoly(picture, [_at(points, outline)], (*colour, 255), cv2.LINE_AA)


def _at(points: NDArray[np.float32], places: Sequence[int]) -> NDArray[np.int32]:
    return np.asarray(np.rint(points[list(places)]), np.int32)


if __name__ == "__main__":
    sys.exit(main())
