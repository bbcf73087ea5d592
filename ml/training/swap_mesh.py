"""``python -m ml.training.swap_mesh --data FACES``: the mean face mesh, by which faces are aligned for the swap.

Of the train split's real and synthetic faces those that look straight ahead; aligned to each other until nothing moves
(generalised Procrustes analysis), their mean made symmetric.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ml.faces.face import LANDMARK_COUNT
from ml.faces.finder import _mesh_graph

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

_FRONTAL = 8.0  # degrees of yaw
_ROUNDS = 10
_EYES, _TOP, _CHIN = (33, 263), 10, 152


def mean_of(meshes: NDArray[np.float64]) -> NDArray[np.float32]:
    """The mean of meshes (N, 478, 3): upright, symmetric, centred, of height 1."""
    from ml.swap.alignment import umeyama

    mean = meshes[0]
    for _ in range(_ROUNDS):
        mean = mean - mean.mean(axis=0)
        mean = mean / np.sqrt((mean**2).sum())
        moved = []
        for mesh in meshes:
            matrix = umeyama(mesh[:, :2], mean[:, :2])
            scale = np.hypot(matrix[0, 0], matrix[1, 0])
            depth = (mesh[:, 2] - mesh[:, 2].mean()) * scale
            moved.append(np.column_stack([mesh[:, :2] @ matrix[:, :2].T + matrix[:, 2], depth]))
        mean = np.mean(moved, axis=0)
    across = mean[_EYES[1], :2] - mean[_EYES[0], :2]
    angle = np.arctan2(across[1], across[0])
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    mean[:, :2] = (mean[:, :2] - (mean[_TOP, :2] + mean[_CHIN, :2]) / 2) @ turn.T
    mean[:, 0] -= np.median(mean[:, 0])
    # The point across the face is the one nearest to the mirrored place.
    mirrored = mean * [-1, 1, 1]
    twin = np.argmin(((mean[:, None] - mirrored[None]) ** 2).sum(axis=2), axis=0)
    mean = (mean + mean[twin] * [-1, 1, 1]) / 2
    low, high = mean.min(axis=0), mean.max(axis=0)
    mean = (mean - [0.0, (low[1] + high[1]) / 2, low[2]]) / (high[1] - low[1])
    return np.asarray(mean, np.float32)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Returns the process's exit code."""
    from ml.swap.alignment import MEAN_MESH
    from ml.training.dataset import read_index

    parser = argparse.ArgumentParser(prog="python -m ml.training.swap_mesh", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with index.csv")
    parser.add_argument("--count", type=int, default=1200, help="pictures to look at (1200)")
    parser.add_argument("--out", type=Path, default=MEAN_MESH)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    rows = [row for row in read_index(options.data / "index.csv") if row.split == "train" and row.label != "swap"]
    graph = _mesh_graph(1, 0.5)
    meshes = []
    for at in np.random.default_rng(2018).permutation(len(rows))[: options.count]:
        with Image.open(options.data / rows[at].path) as picture:
            pixels = np.asarray(picture.convert("RGB"))
        if pixels.shape[0] != pixels.shape[1]:
            continue
        for found in graph.process(pixels).multi_face_landmarks or []:
            mesh = np.array([(p.x, p.y, p.z) for p in found.landmark], np.float64)
            across = mesh[_EYES[1]] - mesh[_EYES[0]]
            yaw = np.degrees(np.arctan2(across[2], np.hypot(across[0], across[1])))
            if mesh.shape == (LANDMARK_COUNT, 3) and abs(yaw) < _FRONTAL:
                meshes.append(mesh)
    graph.close()
    mean = mean_of(np.asarray(meshes))
    np.save(options.out, mean)
    sys.stdout.write(f"mean of {len(meshes)} faces, {np.ptp(mean, axis=0).round(3).tolist()} wide, high, deep\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
