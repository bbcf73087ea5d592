"""Measure the face restorer beside its peers on held-out faces that are degraded here.

``python -m ml evaluate faces --data FACES --out docs/evaluation`` writes face-restoration.json and face-restoration.md.

FACES holds the faces' ``index.csv``; measured are the synthetic portraits and the sharpest photographed faces of its
val split. Figures alone leave this command, no picture.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from ml.faces import FaceFinder
    from ml.training.face_faults import Fault
    from ml.training.sharp_faces import SharpFaces

    Square = NDArray[np.float32]

NAME = "face-restoration"
GRADES = {
    "light": (0.8, 2.0, 4.0, 90),
    "medium": (1.2, 3.5, 8.0, 80),
    "heavy": (1.8, 6.0, 12.0, 70),
}
"""Blur sigma (px of 128), times smaller, noise sigma (of 255), JPEG quality."""

METHODS = ("bicubic", "compact", "restorer", "entries left out", "dictionary")
_EYES = (33, 263)


@dataclass(frozen=True, slots=True, eq=False)
class _Case:
    """One degraded face: what was, the small picture, the square that bicubic enlargement makes of it, the fault."""

    truth: Square
    small: NDArray[np.uint8]
    square: Square
    fault: Fault


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--data", type=Path, required=True, help="folder that holds index.csv of the faces")
    parser.add_argument("--out", type=Path, required=True, help=f"folder for {NAME}.json and {NAME}.md")
    parser.add_argument("--faces", type=int, default=60, help="photographed faces beside the portraits (60)")


def run(options: argparse.Namespace) -> int:
    """Measure and write. Returns the process's exit code."""
    from ml import runtime

    runtime.configure()
    from ml.training.sharp_faces import gather
    from ml.weights import entries

    started = time.perf_counter()
    faces = gather(options.data, "val", options.faces)
    known = entries()["dictionary"]
    result: dict[str, Any] = {
        "command": f"python -m ml evaluate faces --faces {options.faces}",
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "device": runtime.device_name(),
        "weights": {"dictionary": {"version": known.version, "sha256": known.sha256}},
        "portraits": int(faces.portrait.sum()),
        "photographs": int((~faces.portrait).sum()),
        "fingerprint": faces.fingerprint,
        "rows": rows(faces),
    }
    result["seconds"] = round(time.perf_counter() - started)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / f"{NAME}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (options.out / f"{NAME}.md").write_text(markdown(result), encoding="utf-8")
    return 0


def rows(faces: SharpFaces) -> list[dict[str, Any]]:
    """A row per grade, kind of face and method: means of SSIM and PSNR on Y, landmark distance, faces found.

    The landmark distance is the mean way of the mesh's points from where they lie in the sharp face, in per cent of the
    way between the outer corners of its eyes, over the faces whose mesh is found whatever the method.
    """
    from ml.faces import FaceFinder

    found = []
    with FaceFinder() as finder:
        for grade in GRADES:
            cases = [_degraded(faces, number, grade) for number in range(len(faces.crops))]
            clean = [_mesh(finder, case.truth) for case in cases]
            made = _restored(cases, finder)
            meshes = {name: [_mesh(finder, each) for each in made[name]] for name in METHODS}
            for kind, which in (("synthetic", faces.portrait), ("photographed", ~faces.portrait)):
                there = [
                    number
                    for number in np.flatnonzero(which)
                    if clean[number] is not None and all(meshes[name][number] is not None for name in METHODS)
                ]
                for name in METHODS:
                    found.append({
                        "grade": grade, "kind": kind, "method": name, "faces": int(which.sum()),
                        **_near(cases, made[name], np.flatnonzero(which)),
                        "landmarks": float(np.mean([_apart(meshes[name][i], clean[i]) for i in there])),
                        "found": float(np.mean([meshes[name][i] is not None for i in np.flatnonzero(which)])),
                        "compared": len(there),
                    })  # fmt: skip
    return found


def _degraded(faces: SharpFaces, number: int, grade: str) -> _Case:
    from ml.restore.face_frame import SIDE
    from ml.training.face_faults import Fault, enlarged, small
    from ml.training.sharp_faces import MARGIN

    fault = Fault(*GRADES[grade])
    truth = faces.crops[number, MARGIN:-MARGIN, MARGIN:-MARGIN].astype(np.float32) / np.float32(255)
    worse = small(truth, fault, np.random.default_rng(number))
    return _Case(truth, worse, enlarged(worse, SIDE), fault)


def _restored(cases: Sequence[_Case], finder: FaceFinder) -> dict[str, list[Square]]:
    """What each method makes of every case."""
    from ml.restore import neural
    from ml.restore.face_frame import mean_centres, part_centres
    from ml.restore.measures import noise_sigma
    from ml.restore.methods import DEFAULT_STRENGTHS, MAX_SIGMA, jpeg_strength
    from ml.restore.task import Task

    network, plain = neural.face_restorer(), without_entries()

    def compact(case: _Case) -> Square:
        made = neural.upscaler(4, 1.0)(case.small.astype(np.float32) / np.float32(255))
        side = case.truth.shape[0]
        return np.asarray(cv2.resize(made, (side, side), interpolation=cv2.INTER_AREA), np.float32)

    def restorer(case: _Case) -> Square:
        noise = noise_sigma(_bytes(case.square)) / MAX_SIGMA
        levels = (min(1.0, noise), jpeg_strength(case.fault.quality), DEFAULT_STRENGTHS[Task.DEBLUR])
        return neural.restorer(levels)(case.square)

    def by(network: neural.FaceNetwork) -> Callable[[_Case], Square]:
        def restore(case: _Case) -> Square:
            mesh = _mesh(finder, case.square)  # of the degraded face: nobody has the sharp one's
            return network(case.square, mean_centres() if mesh is None else part_centres(mesh))

        return restore

    ways: dict[str, Callable[[_Case], Square]] = {
        "bicubic": lambda case: case.square, "compact": compact, "restorer": restorer,
        "entries left out": by(plain), "dictionary": by(network),
    }  # fmt: skip
    return {name: [way(case).clip(0, 1) for case in cases] for name, way in ways.items()}


def without_entries() -> Any:
    """The shipped network with nothing in its dictionaries taken: what they add is the difference to the whole."""
    from ml.restore import neural, shipped

    network = shipped.load("dictionary")
    for layer in network.layers:
        if layer.name.startswith("attention.") and layer.name.endswith("conv2"):
            layer.set_weights([np.zeros_like(value) for value in layer.get_weights()])
    return neural.FaceNetwork(neural.graph(network), shipped.SHAPES["dictionary"]["side"])


def _mesh(finder: FaceFinder, square: Square) -> NDArray[np.float32] | None:
    """The mesh of the face in a square, in its pixels; it is looked for at twice the size."""
    large = cv2.resize(_bytes(square), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    faces = finder.find(np.asarray(large, np.uint8), 1)
    return np.asarray((faces[0].landmarks + 0.5) / 2 - 0.5, np.float32) if faces else None


def _apart(mesh: NDArray[np.float32] | None, clean: NDArray[np.float32] | None) -> float:
    if mesh is None or clean is None:
        raise ValueError("no mesh to compare")
    eyes = float(np.hypot(*(clean[_EYES[0]] - clean[_EYES[1]])))
    return float(np.hypot(*(mesh - clean).T).mean()) / eyes * 100


def _near(cases: Sequence[_Case], made: Sequence[Square], which: NDArray[np.int64]) -> dict[str, float]:
    from ml.restore.fidelity import luma, psnr, ssim
    from ml.restore.perceptual import distance

    pairs = [(_bytes(made[i]), _bytes(cases[i].truth)) for i in which]
    return {
        "ssim": float(np.mean([ssim(luma(a), luma(b)) for a, b in pairs])),
        "psnr": float(np.mean([psnr(luma(a), luma(b)) for a, b in pairs])),
        "perceptual": float(np.mean([distance(a, b) or 0.0 for a, b in pairs])),
    }


def _bytes(values: Square) -> NDArray[np.uint8]:
    return np.asarray(np.clip(np.rint(values * 255), 0, 255), np.uint8)


def markdown(result: Mapping[str, Any]) -> str:
    """The evaluation as a page."""
    weights = result["weights"]["dictionary"]
    return "\n\n".join([
        "# Face restoration, measured",
        f"Made {result['made']} by `{result['command']}` in {result['seconds']} s on {result['device']}. Weights: "
        f"dictionary {weights['version']}; faces `{result['fingerprint']}`.",
        *markdown_tables(result),
        "The authors of DFDNet (Li et al., ECCV 2020) train a network of 93 million parameters for faces of 512 px on "
        "70,000 photographs with dictionaries of 512 entries, and judge it by distances that need networks which are "
        "not here; their figures cannot be set beside these.",
    ]) + "\n"  # fmt: skip


def markdown_tables(result: Mapping[str, Any]) -> list[str]:
    """What was measured and how, for the page and the card."""
    grades = "; ".join(
        f"{name}: blur sigma {blur} px, {times} times smaller, noise sigma {noise:g}, JPEG quality {quality}"
        for name, (blur, times, noise, quality) in GRADES.items()
    )
    head = ["grade", "faces", "method", "SSIM Y", "PSNR Y", "landmarks %", "seen as a face", "perceptual"]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for r in result["rows"]:
        lines.append(
            f"| {r['grade']} | {r['faces']} {r['kind']} | {r['method']} | {r['ssim']:.4f} | {r['psnr']:.2f} "
            f"| {r['landmarks']:.2f} | {r['found']:.0%} | {r['perceptual']:.3f} |"
        )
    return [
        f"{result['portraits']} synthetic portraits and {result['photographs']} photographed faces of the val split, "
        "none of whom trained the network or chose its weights, in a square of 128 px. They are blurred, made small, "
        f"made noisy and saved as JPEG, in that order ({grades}); every method gets the same small picture.",
        '"restorer" is the plain restorer for noise, JPEG and blur on the bicubic enlargement, told the quality of the '
        'JPEG, the noise that is measured and a middle blur. "entries left out" is the face restorer with nothing '
        "taken from its dictionaries. Its parts are where the mesh of the degraded face says, or the mean face's where "
        "none is found. Landmarks: the mean way of the mesh's points from those of the sharp face, in per cent of the "
        "way between the outer corners of the eyes, over the faces found whatever the method. Perceptual: the distance "
        "of `ml/restore/perceptual.py`, smaller is more alike.",
        "\n".join(lines),
    ]
