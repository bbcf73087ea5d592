"""``python -m ml.training.swap_likeness --data FACES``: fit what ``ml.swap.likeness`` tells people apart by.

Fitted on the train people of youtube_faces, six frames each; the threshold is taken, and the error printed, on the val
people, of whom none was seen.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_PEOPLE = "youtube_faces"
_COMPONENTS, _AXES = 160, 48


def fit(features: NDArray[Any], people: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean (F,) and axes (F, A): principal components, then the directions in which people differ most for what one
    person differs by."""
    mean = features.mean(axis=0)
    _, spread, basis = np.linalg.svd(features - mean, full_matrices=False)
    kept = min(_COMPONENTS, len(spread) - 1)
    reduced = (features - mean) @ basis[:kept].T
    within = np.zeros((kept, kept))
    centres = []
    for person in np.unique(people):
        own = reduced[people == person]
        centres.append(own.mean(axis=0))
        within += (own - centres[-1]).T @ (own - centres[-1])
    within = within / len(reduced) + 0.1 * np.trace(within) / len(reduced) / kept * np.eye(kept)
    between = np.cov(np.asarray(centres).T)
    root = np.linalg.inv(np.linalg.cholesky(within))
    values, vectors = np.linalg.eigh(root @ between @ root.T)
    best = np.argsort(values)[::-1][:_AXES]
    return mean.astype(np.float32), np.asarray(basis[:kept].T @ root.T @ vectors[:, best], np.float32)


def pairs(vectors: NDArray[Any], people: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Distances (P,) of all pairs, and whether each is of one person."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    upper = np.triu_indices(len(unit), 1)
    return (1 - unit @ unit.T)[upper], (people[:, None] == people[None])[upper]


def equal_error(distances: NDArray[Any], same: NDArray[Any]) -> tuple[float, float]:
    """The distance at which as large a share of one person's pairs lies beyond as of others' within, and that share."""
    candidates = np.quantile(distances, np.linspace(0, 1, 501))
    missed = np.array([(distances[same] > at).mean() for at in candidates])
    mistaken = np.array([(distances[~same] <= at).mean() for at in candidates])
    best = int(np.argmin(np.abs(missed - mistaken)))
    return float(candidates[best]), float((missed[best] + mistaken[best]) / 2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Returns the process's exit code."""
    from ml.evaluate.metrics import auc
    from ml.faces import FaceFinder
    from ml.swap.likeness import FITTED, gradients
    from ml.training.dataset import centre_face, read_index

    parser = argparse.ArgumentParser(prog="python -m ml.training.swap_likeness", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with index.csv")
    parser.add_argument("--out", type=Path, default=FITTED)
    options = parser.parse_args(arguments)
    found: dict[str, tuple[list[Any], list[str]]] = {"train": ([], []), "val": ([], [])}
    with FaceFinder() as finder:
        for row in read_index(options.data / "index.csv"):
            if row.set != _PEOPLE:
                continue
            with Image.open(options.data / row.path) as picture:
                pixels = np.asarray(picture.convert("RGB"))
            face = centre_face(finder.find(pixels, 3), row.points[2])
            if face is not None:
                found[row.split][0].append(gradients(pixels, face))
                found[row.split][1].append(row.group)
    features, people = (np.asarray(part) for part in found["train"])
    mean, axes = fit(features, people)
    unseen, others = (np.asarray(part) for part in found["val"])
    distances, same = pairs((unseen - mean) @ axes, others)
    threshold, error = equal_error(distances, same)
    plain, _ = pairs(unseen - mean, others)
    np.savez_compressed(options.out, mean=mean, axes=axes.astype(np.float16), threshold=np.array(threshold))
    sys.stdout.write(
        f"{len(features)} faces of {len(np.unique(people))} people; on {len(unseen)} of {len(np.unique(others))} "
        f"unseen: AUC {auc(same.astype(int), -distances):.3f} "
        f"(gradients alone {auc(same.astype(int), -plain):.3f}), equal error {error:.3f} at distance {threshold:.3f}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
