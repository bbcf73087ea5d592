"""Fit and measure the face descriptor: `python -m ml.provenance.measure_face_descriptor --faces DIR [--fit]`.

DIR holds index.csv (columns path, set, group, split) and face crops of known people. `--fit` learns the projection from
the training people and writes it beside the module; measuring is done on the people of the validation split, whom the
fit has never seen. No picture is written anywhere.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ml.faces import FaceFinder
from ml.media import decode
from ml.provenance import face_descriptor
from ml.provenance.measure_mark import write_into

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

BEGIN = "<!-- measured: face descriptor -->"
END = "<!-- /measured: face descriptor -->"
KEPT = 220  # principal components before the people are told apart
SHRINK = 0.35  # of the within-class scatter towards a sphere


def collected(folder: Path, split: str) -> tuple[list[NDArray[np.uint8]], list[str]]:
    """Aligned faces of the youtube_faces people of one split, with whose they are."""
    faces, people = [], []
    with (folder / "index.csv").open(encoding="utf-8", newline="") as file, FaceFinder() as finder:
        for row in csv.DictReader(file):
            if row["set"] != "youtube_faces" or row["split"] != split:
                continue
            pixels = decode(folder / row["path"]).pixels
            found = finder.find(pixels, max_faces=1)
            if found:
                faces.append(face_descriptor.aligned(pixels, found[0]))
                people.append(row["group"])
    return faces, people


def fitted(faces: Sequence[NDArray[np.uint8]], people: Sequence[str]) -> face_descriptor.Projection:
    """Principal components, then linear discriminants; every face also mirrored."""
    both = [face_descriptor.features(view) for face in faces for view in (face, face[:, ::-1])]
    rows = np.stack(both).astype(np.float64)
    labels = np.repeat(np.asarray(people), 2)
    mean = rows.mean(axis=0)
    _, _, components = np.linalg.svd(rows - mean, full_matrices=False)
    first = components[:KEPT].T
    reduced = (rows - mean) @ first
    middles = {person: reduced[labels == person].mean(axis=0) for person in np.unique(labels)}
    within = np.cov((reduced - np.stack([middles[label] for label in labels])).T)
    within = (1 - SHRINK) * within + SHRINK * np.trace(within) / len(within) * np.eye(len(within))
    lengths, axes = np.linalg.eigh(within)
    whiten = axes / np.sqrt(lengths)
    between = np.cov((np.stack(list(middles.values())) @ whiten).T)
    strength, turn = np.linalg.eigh(between)
    best = turn[:, np.argsort(strength)[::-1][: face_descriptor.DIMENSIONS]]
    directions = first @ whiten @ best
    return face_descriptor.Projection(mean.astype(np.float32), directions.astype(np.float32))


def distances(vectors: Floats, people: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(of pairs of one person, of pairs of strangers)."""
    apart = 1.0 - vectors @ vectors.T
    upper = np.triu_indices(len(people), 1)
    same = (np.asarray(people)[:, None] == np.asarray(people)[None, :])[upper]
    return apart[upper][same].astype(np.float64), apart[upper][~same].astype(np.float64)


def equal_error(same: NDArray[np.float64], strangers: NDArray[np.float64]) -> tuple[float, float]:
    """(equal error rate, the distance at which it lies)."""
    places = np.sort(np.concatenate([same, strangers]))
    missed = 1.0 - np.searchsorted(np.sort(same), places, side="right") / len(same)
    wrong = np.searchsorted(np.sort(strangers), places, side="right") / len(strangers)
    at = int(np.argmin(np.abs(missed - wrong)))
    return float((missed[at] + wrong[at]) / 2), float(places[at])


def described(faces: Sequence[NDArray[np.uint8]], projection: face_descriptor.Projection | None) -> Floats:
    """One unit vector a face; without a projection the plain gradients, for comparison."""
    rows = []
    for face in faces:
        views = [face_descriptor.features(view) for view in (face, face[:, ::-1])]
        vector = np.sum([projection(view) if projection else view for view in views], axis=0)
        rows.append(vector / np.linalg.norm(vector))
    return np.asarray(np.stack(rows), np.float32)


def page(faces: Sequence[NDArray[np.uint8]], people: Sequence[str]) -> str:
    projection = face_descriptor.projection()
    same, strangers = distances(described(faces, projection), people)
    plain = equal_error(*distances(described(faces, None), people))[0]
    rate, place = equal_error(same, strangers)
    at = face_descriptor.THRESHOLD
    counts: dict[str, int] = defaultdict(int)
    for person in people:
        counts[person] += 1
    lines = ["| | |", "| --- | --- |"]
    lines.append(f"| people, pictures | {len(counts)}, {len(people)} |")
    lines.append(f"| pairs of one person, of strangers | {len(same)}, {len(strangers)} |")
    lines.append(f"| equal error rate | {100 * rate:.1f} % (at a distance of {place:.2f}) |")
    lines.append(f"| equal error rate of the gradients alone | {100 * plain:.1f} % |")
    lines.append(f"| threshold in use | {at:.2f} |")
    lines.append(f"| strangers refused at it | {100 * float(np.mean(strangers <= at)):.2f} % |")
    lines.append(f"| pictures of the person missed at it | {100 * float(np.mean(same > at)):.1f} % |")
    for share in (0.001, 0.01, 0.05):
        place = float(np.quantile(strangers, share))
        missed = 100 * float(np.mean(same > place))
        lines.append(f"| missed where {100 * share:g} % of strangers are refused | {missed:.1f} % (at {place:.2f}) |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ml.provenance.measure_face_descriptor")
    parser.add_argument("--faces", type=Path, required=True, help="the folder with index.csv")
    parser.add_argument("--fit", action="store_true", help="learn the projection from the training people first")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into this page")
    options = parser.parse_args(arguments)
    if options.fit:
        made = fitted(*collected(options.faces, "train"))
        np.savez_compressed(
            face_descriptor.PROJECTION, mean=made.mean.astype(np.float16), directions=made.directions.astype(np.float16)
        )
        face_descriptor.projection.cache_clear()
    text = page(*collected(options.faces, "val"))
    if options.write:
        write_into(options.write, text, BEGIN, END)
    sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
