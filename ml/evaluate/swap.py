"""The face swap measured on held-out clips, against two baselines.

For each pair of clips (a person A, a person B) the face of B is painted as A's, and compared with (1) B's own clip as
it is, and (2) the most frontal frame of A, stretched onto B's mesh and blended in by the same code. No clip of the
pairs is seen when the shared encoder is trained; an identity is learned from the first frames of A's and B's clip, and
measured on the last ones of B's.

Every measure is better when smaller, but the background's:

- identity: distance of the result's face to A's by ``ml.provenance.face_descriptor`` (0 to 2);
- landmarks: mean distance of the result's mesh to B's, in distances between B's eyes;
- gaze: how far the irises lie from where B's do, in widths of an eye;
- background: SSIM of result and B's frame outside of the face;
- flicker: how much more or less the result changes from frame to frame than B's clip does, inside the face (0 to 1).

Together: each of the first two in shares of what it is where nothing is transferred, added. For identity that is
baseline 1's. For landmarks it is the distance of B's mesh to that of A's photo, moved, turned and scaled upon it but
not deformed. (Baseline 2's own would be no yardstick: a dense mesh fits to a hundredth of the eyes' distance.)
"""

from __future__ import annotations

import csv
import json
import logging
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from ml import runtime
from ml.faces import FaceFinder
from ml.networks.swap.swap_config import SWAP_96
from ml.provenance import face_descriptor
from ml.swap.alignment import OVAL, align, umeyama
from ml.swap.blending import face_mask, paste_back
from ml.swap.clip_frames import ClipFrames
from ml.swap.colour import transfer
from ml.swap.extraction import MOST
from ml.swap.face_set import FaceSet
from ml.swap.identity import Identity
from ml.swap.learn import PERSON, QUICK, trainer_for
from ml.swap.people import start_for
from ml.swap.reposing import carry
from ml.swap.swapper import ConversionSettings, Swapper
from ml.swap.tracking import FaceChoice, Track

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ml.faces import Face

    Frames = list[NDArray[np.uint8]]

logger = logging.getLogger(__name__)

HELD_OUT = 0.3
"""Share of each clip, from its end, that no identity is learned from."""

_EYES = ((33, 133, 468), (263, 362, 473))  # outer corner, inner corner, iris
_CROP = 96


@dataclass(frozen=True, slots=True)
class Measures:
    """The figures of one method on one pair: see the head of this module. lost: share of frames without a face."""

    identity: float
    landmarks: float
    gaze: float
    background: float
    flicker: float
    lost: float


def measure(
    results: Frames,
    targets: Frames,
    meshes: Sequence[NDArray[np.float32]],
    source: NDArray[np.float32],
    finder: FaceFinder,
) -> Measures:
    """Compare results with target frames, one by one. source: descriptor of the person who should be seen."""
    found: dict[str, list[float]] = {key: [] for key in ("identity", "landmarks", "gaze", "background", "flicker")}
    lost = 0
    for number, (result, target, mesh) in enumerate(zip(results, targets, meshes, strict=True)):
        inside = _inside(mesh, target.shape)
        found["background"].append(_background(result, target, inside))
        if number:
            moved = result.astype(np.float32) - results[number - 1]
            wanted = target.astype(np.float32) - targets[number - 1]
            found["flicker"].append(float(np.abs(moved - wanted)[inside].mean()) / 255)
        face = _nearest(finder.find(result, 5), mesh)
        if face is None:
            lost += 1
            continue
        found["identity"].append(face_descriptor.distance(face_descriptor.describe(result, face), source))
        apart = np.linalg.norm(face.landmarks[:468] - mesh[:468], axis=1)
        found["landmarks"].append(float(apart.mean()) / max(1.0, float(np.hypot(*(mesh[33] - mesh[263])))))
        found["gaze"].append(float(np.linalg.norm(_gaze(face.landmarks) - _gaze(mesh), axis=1).mean()))
    means = {key: float(np.mean(values)) if values else float("nan") for key, values in found.items()}
    return Measures(**means, lost=lost / max(1, len(results)))


def together(own: Measures, copied: Measures, rigid: float) -> float:
    """Identity and landmarks in one figure: each over what it is where nothing is transferred."""
    return own.identity / max(1e-6, copied.identity) + own.landmarks / max(1e-6, rigid)


def rigid_distance(mesh: NDArray[np.float32], targets: Sequence[NDArray[np.float32]]) -> float:
    """Mean distance of a mesh, laid upon each of others by a similarity, in distances between their eyes."""
    found = []
    for target in targets:
        matrix = umeyama(mesh[:468], target[:468])
        laid = mesh[:468] @ matrix[:, :2].T + matrix[:, 2]
        apart = float(np.linalg.norm(laid - target[:468], axis=1).mean())
        found.append(apart / max(1.0, float(np.hypot(*(target[33] - target[263])))))
    return float(np.mean(found))


def measure_pair(
    a: Path, b: Path, swapper: Swapper, finder: FaceFinder, frames: int
) -> tuple[dict[str, Measures], float]:
    """Measure the swap and both baselines on the last frames of ``b``; and the rigid distance, for :func:`together`.

    Raises ValueError where no face is found.
    """
    source, source_face, wanted = _source(a, finder)
    clip = [pixels for _, pixels in ClipFrames(b)]
    clip = clip[max(round(len(clip) * (1 - HELD_OUT)), len(clip) - frames) :]
    track = Track(FaceChoice.LARGEST)
    for pixels in clip:
        track.add(finder.find(pixels, 5), pixels.shape[1], pixels.shape[0])
    settings = ConversionSettings()
    pairs = [(p, m) for p, m in zip(clip, track.smoothed(settings.smoothing), strict=True) if m is not None]
    if not pairs:
        raise ValueError(f"no face in the last frames of {b.name}")
    targets, meshes = [p for p, _ in pairs], [m for _, m in pairs]
    results = {
        "swap": [swapper.swap(p, m, settings) for p, m in pairs],
        "copy the target": targets,
        "warp and paste": [warp_and_paste(source, source_face, p, m, settings) for p, m in pairs],
    }
    measures = {name: measure(made, targets, meshes, wanted, finder) for name, made in results.items()}
    return measures, rigid_distance(source_face.landmarks, meshes)


def warp_and_paste(
    source: NDArray[np.uint8],
    face: Face,
    target: NDArray[np.uint8],
    mesh: NDArray[np.float32],
    settings: ConversionSettings,
) -> NDArray[np.uint8]:
    """The second baseline: a photo's face stretched onto the target's mesh; colours, mask and blend as in the swap."""
    height, width = target.shape[:2]
    alignment = align(mesh, _CROP)
    points = alignment.points(mesh)
    crop = alignment.cut(carry(source, face.landmarks, mesh, width, height))
    mask = face_mask(points, _CROP, None, settings.mask, settings.erode, settings.feather)
    return paste_back(
        target, transfer(crop, alignment.cut(target), mask, settings.colour), mask, alignment, settings.blend
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``python -m ml.evaluate swap``."""
    parser.add_argument("--clips", type=Path, required=True, help="folder with swap_pairs.csv and the clips")
    parser.add_argument(
        "--identities", type=Path, required=True, help="folder of identity files: A--B.identity, named after the clips"
    )
    parser.add_argument("--frames", type=int, default=40, help="frames of each clip, from its end (40)")
    parser.add_argument("--out", type=Path, help="where to write the figures (JSON; the table beside it as .md)")
    parser.add_argument("--learn", type=int, metavar="STEPS", help="learn identities that are missing, so many steps")
    parser.add_argument("--pairs", type=int, default=15, help="the first so many pairs (15)")


def run(options: argparse.Namespace) -> int:
    """Measure every pair that has an identity; print and write the table."""
    runtime.configure()
    started = time.monotonic()
    rows: list[dict[str, Any]] = []
    with FaceFinder() as finder:
        for a, b in read_pairs(options.clips)[: options.pairs]:
            path = options.identities / f"{a.stem}--{b.stem}.identity"
            if not path.is_file() and options.learn:
                _learn(a, b, path, options.learn)
            if not path.is_file():
                logger.info("%s: not learned", path.name)
                continue
            identity = Identity.load(path)
            found, rigid = measure_pair(a, b, Swapper(identity.network()), finder, options.frames)
            scores = {name: together(each, found["copy the target"], rigid) for name, each in found.items()}
            rows.append(
                {
                    "a": a.stem,
                    "b": b.stem,
                    "steps": identity.about.get("steps"),
                    "measures": {name: asdict(each) for name, each in found.items()},
                    "rigid": rigid,
                    "together": scores,
                    "wins": scores["swap"] < min(scores["copy the target"], scores["warp and paste"]),
                }
            )
            logger.info("%s to %s: %s", a.stem, b.stem, {k: round(v, 3) for k, v in scores.items()})
    result = {"rows": rows, "device": runtime.device_name(), "seconds": round(time.monotonic() - started, 1)}
    text = markdown(result)
    logger.info("\n%s", text)
    if options.out is not None:
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        options.out.with_suffix(".md").write_text(text, encoding="utf-8")
    return 0


def read_pairs(clips: Path) -> list[tuple[Path, Path]]:
    """The pairs of a folder's swap_pairs.csv."""
    with (clips / "swap_pairs.csv").open(newline="", encoding="utf-8") as file:
        return [(clips / line["a"], clips / line["b"]) for line in csv.DictReader(file)]


def markdown(result: Mapping[str, Any]) -> str:
    """The table, one line a pair and method, and how many pairs are won."""
    columns = ("identity", "landmarks", "gaze", "background", "flicker", "lost")
    lines = ["| pair | steps | method | " + " | ".join(columns) + " | together |", "|" + " --- |" * (4 + len(columns))]
    for number, row in enumerate(result["rows"], 1):
        for name, measures in row["measures"].items():
            cells = [f"{measures[key]:.3f}" for key in columns]
            steps = str(row["steps"]) if name == "swap" else ""
            lines.append(f"| {number} | {steps} | {name} | {' | '.join(cells)} | {row['together'][name]:.3f} |")
    won = sum(row["wins"] for row in result["rows"])
    lines += ["", f"The swap has the smallest sum on {won} of {len(result['rows'])} pairs. {result['device']}."]
    return "\n".join(lines) + "\n"


def _learn(a: Path, b: Path, out: Path, steps: int) -> None:
    """Learn from the first frames of both clips; the work folder beside the file makes it resumable."""
    sets = []
    with FaceFinder() as finder:
        for clip in (a, b):
            seen = [pixels for _, pixels in ClipFrames(clip)]
            seen = seen[: round(len(seen) * (1 - HELD_OUT))]
            chosen = [seen[i] for i in np.unique(np.linspace(0, len(seen) - 1, MOST).astype(int))]
            faces = [(pixels, face) for pixels in chosen for face in finder.find(pixels, 1)]
            sets.append(FaceSet.of(faces, SWAP_96.size))
    start = start_for(SWAP_96)
    recipe = replace(QUICK, steps=steps)
    trainer = trainer_for(
        sets[0], sets[1], out.with_suffix(".work"), recipe, None if start is None else Identity.load(start)
    )
    trainer.train(lambda *_: None)
    about = {"steps": trainer.step, "seconds": round(trainer.seconds)}
    Identity.of(trainer.network, PERSON, a.stem, about).save(out)


def _source(clip: Path, finder: FaceFinder) -> tuple[NDArray[np.uint8], Face, NDArray[np.float32]]:
    """The most frontal frame of a clip with its face, and the mean descriptor of the person."""
    frames = [pixels for _, pixels in ClipFrames(clip)]
    best: tuple[float, NDArray[np.uint8], Face] | None = None
    vectors = []
    for at in np.unique(np.linspace(0, len(frames) - 1, 24).astype(int)):
        for face in finder.find(frames[at], 1):
            turned = abs(face.yaw) + abs(face.pitch) / 2
            if best is None or turned < best[0]:
                best = (turned, frames[at], face)
            vectors.append(face_descriptor.describe(frames[at], face))
    if best is None:
        raise ValueError(f"no face in {clip.name}")
    mean = np.mean(vectors, axis=0)
    return best[1], best[2], np.asarray(mean / np.linalg.norm(mean), np.float32)


def _nearest(faces: Sequence[Face], mesh: NDArray[np.float32]) -> Face | None:
    x, y = mesh.mean(axis=0)
    size = float(np.ptp(mesh, axis=0).max())
    near = [f for f in faces if np.hypot(*(f.landmarks.mean(axis=0) - (x, y))) < size / 2]
    return max(near, key=lambda face: face.size, default=None)


def _inside(mesh: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(mesh[list(OVAL)]).astype(np.int32)), (255,))
    return mask > 0


def _background(result: NDArray[np.uint8], target: NDArray[np.uint8], inside: NDArray[np.bool_]) -> float:
    from skimage.metrics import structural_similarity

    grey = [cv2.cvtColor(x, cv2.COLOR_RGB2GRAY) for x in (result, target)]
    _, whole = structural_similarity(grey[0], grey[1], full=True, data_range=255)
    return float(whole[~inside].mean())


def _gaze(points: NDArray[np.float32]) -> NDArray[np.float32]:
    found = []
    for outer, inner, iris in _EYES:
        width = max(1.0, float(np.hypot(*(points[outer] - points[inner]))))
        found.append((points[iris] - (points[outer] + points[inner]) / 2) / width)
    return np.asarray(found, np.float32)
