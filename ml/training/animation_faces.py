"""``python -m ml.training.animation_faces --clips CLIPS --faces FACES --out CACHE``: what the motion model trains on.

Frames of talking people with the face mesh of each, split by person, and still portraits beside a turned copy of each
(``ml.swap.reposing``): clips show how faces move, portraits how different they look. ``CACHE`` gets ``train.npz``,
``val.npz``, ``test.npz`` and ``portraits.npz``, each with ``pixels`` uint8 (N, 128, 128, 3), ``meshes`` float32 (N,
478, 2) in pixels, ``clips`` (N,) the number of the clip or portrait of each and ``names``.
"""

from __future__ import annotations

import argparse
import csv
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from ml.faces.face import LANDMARK_COUNT
from ml.faces.finder import _mesh_graph

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

SIDE = 128

TEST_PEOPLE = ("lp_d12", "lp_d20", "lp_s29", "katie_hill", "vr_man2", "grid_m05", "grid_f02")
"""Never seen in training and never chosen by: the figures of the card are of them."""

VAL_PEOPLE = ("lp_s20", "vr_woman5", "grid_m04")
"""Never seen in training: the best weights of a run are chosen by them."""

MOST_CLIPS = 14
"""Clips of one person that are used: one studio speaker has two thirds of all."""

STRIDE = 2
"""Every so many frames are kept: the next one is nearly the same."""

PORTRAIT_SHARE = 0.50
"""Height of the face mesh over the side of a portrait's square, as it is in the clips."""

_MOST_PADDED = 0.06  # of a portrait's crop: more mirrored border than this would be learned
_SMALLEST = 110  # pixels a side of a portrait's crop
_MOST_TURNED = 18.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m ml.training.animation_faces", description=__doc__)
    parser.add_argument("--clips", type=Path, required=True, help="folder with index.csv: file, identity")
    parser.add_argument(
        "--faces", type=Path, help="folder with index.csv, of ml.training.dataset; its real train faces"
    )
    parser.add_argument("--portraits", type=int, default=2400, help="most portraits (2400)")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    cv2.setNumThreads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    rows = chosen_clips(options.clips)
    graph = _mesh_graph(1, 0.5)
    for split in ("val", "test", "train"):
        mine = [row for row in rows if split_of(row["identity"]) == split]
        _write(options.out / f"{split}.npz", *_of_clips(options.clips, mine, graph))
    if options.faces is not None:
        _write(options.out / "portraits.npz", *_of_portraits(options.faces, options.portraits, graph))
    graph.close()
    return 0


def split_of(identity: str) -> str:
    """The split that a person belongs to, with all their clips."""
    return "test" if identity in TEST_PEOPLE else "val" if identity in VAL_PEOPLE else "train"


def chosen_clips(folder: Path) -> list[dict[str, str]]:
    """The rows of the clips' index that are used: at most ``MOST_CLIPS`` of each person."""
    with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    counts: dict[str, int] = {}
    chosen = []
    for row in rows:
        counts[row["identity"]] = counts.get(row["identity"], 0) + 1
        if counts[row["identity"]] <= MOST_CLIPS:
            chosen.append(row)
    return chosen


def frames_of(path: Path, side: int = SIDE, stride: int = STRIDE) -> Iterator[NDArray[np.uint8]]:
    """Every ``stride``-th frame of a square clip, uint8 (side, side, 3) RGB."""
    import av

    with av.open(str(path)) as opened:
        opened.streams.video[0].thread_count = 1
        for number, frame in enumerate(opened.decode(video=0)):
            if number % stride == 0:
                pixels = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
                yield np.asarray(cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def mesh_of(graph: Any, pixels: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """The face mesh of a square picture, (478, 2) pixels, or None."""
    side = pixels.shape[0]
    for found in graph.process(pixels).multi_face_landmarks or []:
        # MediaPipe's places are shares of the picture; pixel centres are whole numbers here.
        points = np.array([(p.x * side - 0.5, p.y * side - 0.5) for p in found.landmark], np.float32)
        if points.shape == (LANDMARK_COUNT, 2):
            return points
    return None


Arrays = tuple[list["NDArray[np.uint8]"], list["NDArray[np.float32]"], list[int], list[str]]


def _of_clips(folder: Path, rows: Sequence[dict[str, str]], graph: Any) -> Arrays:
    pixels: list[NDArray[np.uint8]] = []
    meshes: list[NDArray[np.float32]] = []
    clips: list[int] = []
    names: list[str] = []
    for row in rows:
        for large in frames_of(folder / row["file"], 2 * SIDE):
            mesh = mesh_of(graph, large)  # looked for in the larger frame: lids and lips are a pixel high in the small
            if mesh is not None:
                pixels.append(np.asarray(cv2.resize(large, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8))
                meshes.append((mesh + 0.5) / 2 - 0.5)
                clips.append(len(names))
        names.append(f"{row['identity']}/{row['file']}")
        logger.info("%s: %d frames so far", row["file"], len(pixels))
    return pixels, meshes, clips, names


def _of_portraits(folder: Path, most: int, graph: Any) -> Arrays:
    from ml.swap.reposing import Pose, repose

    with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["label"] == "real" and row["split"] == "train"
                and row["set"] != "mesonet_filmtv" and float(row["pad_frac"]) <= _MOST_PADDED
                and float(row["crop_px"]) >= _SMALLEST]  # fmt: skip
    random = np.random.default_rng(2019)
    pixels: list[NDArray[np.uint8]] = []
    meshes: list[NDArray[np.float32]] = []
    clips: list[int] = []
    names: list[str] = []
    for at in random.permutation(len(rows))[:most]:
        with Image.open(folder / rows[at]["path"]) as picture:
            seen = np.asarray(picture.convert("RGB"))
        seen = np.asarray(cv2.resize(seen, (256, 256), interpolation=cv2.INTER_LINEAR), np.uint8)
        mesh = mesh_of(graph, seen)
        if mesh is None:
            continue
        drawn = Pose.drawn(random)
        turned = Pose(
            float(np.clip(drawn.yaw, -_MOST_TURNED, _MOST_TURNED)), drawn.pitch, drawn.roll, drawn.jaw, drawn.lids
        )
        for pose in (Pose(), turned):
            made, points = repose(seen, mesh, pose)
            small, moved = _framed(made, points)
            pixels.append(small)
            meshes.append(moved)
            clips.append(len(names))
        names.append(rows[at]["path"])
        if len(names) % 100 == 0:
            logger.info("%d portraits", len(names))
    return pixels, meshes, clips, names


def _framed(made: NDArray[np.uint8], points: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The middle of a reposed picture, as near as the clips' squares are."""
    from ml.swap.alignment import FACE_HEIGHT
    from ml.swap.reposing import SIDE as FACE_SIDE

    side = round(FACE_HEIGHT * FACE_SIDE / PORTRAIT_SHARE)
    start = (made.shape[0] - side) // 2
    cut = made[start : start + side, start : start + side]
    small = np.asarray(cv2.resize(cut, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
    return small, np.asarray((points - start + 0.5) * (SIDE / side) - 0.5, np.float32)


def _write(path: Path, pixels: Any, meshes: Any, clips: Any, names: Any) -> None:
    np.savez(
        path,
        pixels=np.asarray(pixels, np.uint8),
        meshes=np.asarray(meshes, np.float32),
        clips=np.asarray(clips, np.int32),
        names=np.asarray(names, np.str_),
    )
    logger.info("%s: %d pictures of %d", path.name, len(pixels), len(names))


if __name__ == "__main__":
    sys.exit(main())
