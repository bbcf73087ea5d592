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
import hashlib
import json
import logging
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ml import runtime
from ml.evaluate.swap_measures import Measures, measure, rigid_distance, together
from ml.faces import FaceFinder
from ml.networks.swap.swap_config import SWAP_96
from ml.provenance import face_descriptor
from ml.swap.alignment import align
from ml.swap.blending import face_mask, paste_back
from ml.swap.clip_frames import ClipFrames
from ml.swap.colour import transfer
from ml.swap.details import kept
from ml.swap.extraction import MOST
from ml.swap.face_set import FaceSet
from ml.swap.identity import Identity
from ml.swap.people import start_for
from ml.swap.reposing import carry
from ml.swap.swapper import Before, ConversionSettings, Swapper
from ml.swap.tracking import FaceChoice, Track
from ml.weights import weights_version

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ml.faces import Face

logger = logging.getLogger(__name__)

HELD_OUT = 0.3
"""Share of each clip, from its end, that no identity is learned from."""

BASELINES = ("copy the target", "warp and paste")

_CROP = 96


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
    before = Before()
    results = {
        "swap": [swapper.swap(p, m, settings, finder, before) for p, m in pairs],
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
        for number, (a, b) in enumerate(read_pairs(options.clips)[: options.pairs], 1):
            options.identities.mkdir(parents=True, exist_ok=True)
            path = options.identities / f"{a.stem}--{b.stem}.identity"
            if not path.is_file() and options.learn:
                _learn(a, b, path, options.learn)
            if not path.is_file():
                logger.info("%s: not learned", path.name)
                continue
            identity = Identity.load(path)
            found, rigid = measure_pair(a, b, Swapper(identity.network(), own=identity.own), finder, options.frames)
            scores = {name: together(each, found["copy the target"], rigid) for name, each in found.items()}
            rows.append(
                {
                    "pair": number,  # and no name of a clip: those of some are names of people
                    "steps": identity.about.get("steps"),
                    "seconds": identity.about.get("seconds"),
                    "start": identity.about.get("start"),
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
        head = (
            "# The face swap, measured\n\n"
            f"Made {datetime.now(UTC):%Y-%m-%d} by `python -m ml evaluate swap --learn {options.learn} "
            f"--pairs {options.pairs} --frames {options.frames}` in {result['seconds']:.0f} s; weights "
            f"{weights_version()}. Smaller is better, but for the background; what the columns are stands at the head "
            "of `ml/evaluate/swap.py`.\n\n"
        )
        options.out.with_suffix(".md").write_text(head + text, encoding="utf-8")
    return 0


def read_pairs(clips: Path) -> list[tuple[Path, Path]]:
    """The pairs of a folder's swap_pairs.csv."""
    with (clips / "swap_pairs.csv").open(newline="", encoding="utf-8") as file:
        return [(clips / line["a"], clips / line["b"]) for line in csv.DictReader(file)]


def markdown(result: Mapping[str, Any]) -> str:
    """The table, one line a pair and method, and how many pairs are won."""
    columns = ("identity", "landmarks", "gaze", "background", "flicker", "lost")
    lines = ["| pair | steps | method | " + " | ".join(columns) + " | together |", "|" + " --- |" * (4 + len(columns))]
    for place, row in enumerate(result["rows"], 1):
        number = row.get("pair", place)
        for name, measures in row["measures"].items():
            cells = [f"{measures[key]:.3f}" for key in columns]
            steps = str(row["steps"]) if name == "swap" else ""
            lines.append(f"| {number} | {steps} | {name} | {' | '.join(cells)} | {row['together'][name]:.3f} |")
    rows = result["rows"]
    won = sum(row["wins"] for row in rows)
    alike = {
        name: sum(_better(row, name, "identity") for row in rows) for name in ("copy the target", "warp and paste")
    }
    moved = sum(_better(row, "warp and paste", "landmarks") for row in rows)
    seconds = [row["seconds"] for row in rows if row.get("seconds") is not None]
    lines += [
        "",
        f"The swap has the smallest sum on {won} of {len(rows)} pairs. It is more like the person than the copy on "
        f"{alike['copy the target']}, and than the warped photograph on {alike['warp and paste']}; nearer to the "
        f"target's landmarks than that photograph on {moved}.",
    ]
    if seconds:
        lines.append(f"Learned in {min(seconds):.0f} to {max(seconds):.0f} s each. {result['device']}.")
    return "\n".join(lines) + "\n"


def _better(row: Mapping[str, Any], other: str, measure: str) -> bool:
    return bool(row["measures"]["swap"][measure] < row["measures"][other][measure])


def _learn(a: Path, b: Path, out: Path, steps: int) -> None:
    """Learn from the first frames of both clips; the work folder beside the file makes it resumable."""
    from ml.swap.learn import PERSON, QUICK, trainer_for

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
    begun = None if start is None else hashlib.sha256(start.read_bytes()).hexdigest()
    about = {"steps": trainer.step, "seconds": round(trainer.seconds), "start": begun}
    Identity.of(trainer.network, PERSON, a.stem, about, kept(sets[0])).save(out)


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
